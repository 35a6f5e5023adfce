# SPDX-License-Identifier: BSD-2-Clause
"""The kill switch of routes/linux: silence outside of the tunnel. Topology: routed.py."""
import contextlib
import socket

from harness import TOP, main, traffic, wait_for
from program import BINARY, environment
from routed import CLIENT4, GATE4, OUT4, OUT6, Routed, SITE4, SITE6, state
from wireguard import wg

LOCK = "vpncore-lock.client"


class KillSwitch(Routed):
    def tables(self):
        return self.client.sh("nft", "list", "tables").stdout

    def leaks(self, wire):
        """What a program gets out of the client past the tunnel: by routes, by name of the
        interface, by a mark that is not ours."""
        for address in (SITE4, SITE6):
            af = socket.AF_INET6 if ":" in address else socket.AF_INET
            for device, mark in ((None, 0), (b"eth0", 0), (b"eth0", 0x1000)):
                with contextlib.closing(self.client.socket(af)) as s, \
                        contextlib.suppress(OSError):
                    if mark:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
                    if device:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
                    s.sendto(b"leak", (address, 9000))
        return [p for p in wire.packets() if p[4] == 9000]

    def test_all_that_passes_the_wire_is_the_tunnel(self):
        self.run_server({"nat": True})
        before = state(self.client)
        wire = self.capture(self.gate, "lan")
        self.assertEqual(len(self.leaks(wire)), 6)  # without it everything is heard
        client = self.run_client({"default": True, "kill_switch": "on"})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        wire.packets()
        self.assertEqual(self.leaks(wire), [])
        traffic.tcp(self.client, self.site, SITE4, 1 << 20)
        self.check_only_the_tunnel(wire.packets())
        client.stop()
        self.assertEqual(state(self.client), before)

    def test_there_is_silence_while_the_tunnel_is_down(self):
        client = self.run_client({"kill_switch": "on"})  # no server, no default
        wire = self.capture(self.gate, "lan")
        self.assertEqual(self.leaks(wire), [])
        self.client.ip("link", "set", "wg0", "down")
        self.assertEqual(self.leaks(wire), [])
        self.check_only_the_tunnel(wire.packets())
        self.assertTrue(client.running())

    def test_local_network_and_exclude_pass_as_the_manifest_says(self):
        for routes, passes in (({}, True), ({"lan_access": "off"}, False),
                               ({"lan_access": "off", "exclude": ["192.168.5.0/24"]}, True)):
            with self.subTest(routes=routes):
                client = self.run_client(dict(routes, kill_switch="on"))
                self.assertEqual(
                    traffic.ping(self.client, GATE4, 1, 56, "-W", "1", "-I", "eth0"), int(passes))
                self.assertEqual(traffic.ping(self.gate, CLIENT4, 1, 56, "-W", "1"), int(passes))
                client.stop()

    def test_what_is_forwarded_does_not_leak_either(self):
        self.client.sysctl("net/ipv4/ip_forward", 1)
        self.gate.ip("route", "add", "192.0.2.77", "via", CLIENT4)
        wire = self.capture(self.gate, "lan")

        def forwarded():
            traffic.ping(self.gate, "192.0.2.77", 1, 56, "-W", "1")
            return len([p for p in wire.packets() if p[1] == "192.0.2.77"])
        self.assertGreater(forwarded(), 1)  # it comes back
        self.run_client({"kill_switch": "on"})
        self.assertEqual(forwarded(), 1)

    def test_a_table_that_others_flush_is_put_back(self):
        client = self.run_client({"kill_switch": "on"})
        wire = self.capture(self.gate, "lan")
        self.client.sh("nft", "delete", "table", "inet", LOCK)
        wait_for(lambda: LOCK in self.tables(), "the table")
        self.client.sh("nft", "flush", "chain", "inet", LOCK, "forward")
        client.wait_log("was changed by another program: put back")
        wait_for(lambda: "oifname" in self.client.sh(
            "nft", "list", "chain", "inet", LOCK, "forward").stdout, "its rules")
        wire.packets()
        self.assertEqual(self.leaks(wire), [])

    def test_another_local_port_is_open_at_once(self):
        self.run_client({"kill_switch": "on"}, listen="*:51900")
        chain = ("nft", "list", "chain", "inet", LOCK, "input")
        self.assertIn("udp dport 51900 accept", self.client.sh(*chain).stdout)
        wg(self.client, "set", "wg0", "listen-port", "51901")
        wait_for(lambda: "udp dport 51901 accept" in self.client.sh(*chain).stdout, "the port")
        self.assertNotIn("51900", self.client.sh(*chain).stdout)

    # -- lockdown ----------------------------------------------------------------------------

    def cleanup(self):
        return self.client.sh(BINARY, "cleanup", "--all", check=False, env=environment())

    def test_lockdown_survives_stop_and_crash_and_ends_by_cleanup(self):
        before = state(self.client)
        wire = self.capture(self.gate, "lan")
        routes = {"kill_switch": "lockdown"}
        self.run_client(routes).stop()
        self.assertEqual(self.leaks(wire), [])
        client = self.run_client(routes)
        client.kill()
        wait_for(lambda: not self.client.has("wg0"), "the end of the device")
        self.assertEqual(self.leaks(wire), [])
        self.assertIn(LOCK, self.tables())
        self.cleanup()
        wait_for(lambda: LOCK not in self.tables(), "the end of the lockdown")
        self.assertEqual(state(self.client), before)
        self.assertEqual(len(self.leaks(wire)), 6)

    def test_lockdown_ends_when_the_manifest_has_none_any_more(self):
        self.run_client({"kill_switch": "lockdown"}).stop()
        self.assertIn(LOCK, self.tables())
        self.run_client({"kill_switch": "on"}).stop()
        self.assertNotIn(LOCK, self.tables())
        self.run_client({"kill_switch": "lockdown"}).stop()
        client = self.run_client({})
        self.assertNotIn(LOCK, self.tables())
        client.stop()

    def test_the_table_of_the_documentation_blocks_until_vpncore_runs(self):
        self.run_server({"nat": True})
        wire = self.capture(self.gate, "lan")
        self.client.sh("nft", "-f", TOP / "docs/examples/vpncore-lockdown.nft")
        self.assertEqual(self.leaks(wire), [])
        self.run_client({"default": True, "kill_switch": "lockdown"})
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_the_tunnel_works_from_under_a_lockdown(self):
        self.run_server({"nat": True})
        self.run_client({"default": True, "kill_switch": "lockdown"}).stop()
        self.run_client({"default": True, "kill_switch": "lockdown"})
        self.assertEqual(self.seen_at_site(), OUT4)


if __name__ == "__main__":
    main()
