# SPDX-License-Identifier: BSD-2-Clause
"""The server's side of routes/linux: forwarding and NAT. Topology: routed.py."""
import contextlib
import json
import select
import socket

from harness import TOP, main, traffic, wait_for
from routed import OUT4, OUT6, Routed, SITE4, SITE6, state
from wireguard import private_run, secret_file


class Server(Routed):
    def test_a_client_is_on_the_internet_behind_the_servers_address(self):
        self.run_server({"nat": True})
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        traffic.tcp(self.client, self.site, SITE4, 4 << 20)
        traffic.tcp(self.client, self.site, SITE6, 4 << 20)

    def test_the_examples_of_the_documentation_work_together(self):
        specs = []
        for name, keys in (("server", self.keys[0]), ("client", self.keys[1])):
            spec = json.loads((TOP / ("docs/examples/routes-%s.json" % name)).read_text())
            spec["pipeline"][1]["private_key"] = {
                "file": secret_file(self.directory, keys.private)}
            specs.append(spec)
        specs[0]["pipeline"][1]["peers"][0]["public_key"] = self.keys[1].public
        specs[1]["pipeline"][1]["peers"][0]["public_key"] = self.keys[0].public
        for ns, spec in zip((self.server, self.client), specs):
            self.vpncore(ns, spec, before=private_run(ns)).wait_up()
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)

    def test_forwarding_is_switched_on_and_everything_is_as_before_afterwards(self):
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.server.sysctl(name, 0)
        # what the kernel would overwrite when the switches go back
        self.server.sysctl("net/ipv4/conf/out/forwarding", 1)
        self.server.sysctl("net/ipv4/conf/all/accept_redirects", 0)
        self.server.sysctl("net/ipv6/conf/out/forwarding", 1)
        before = state(self.server)
        server = self.run_server({"nat": True})
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        server.stop()
        self.assertEqual(state(self.server), before)

    def test_where_forwarding_was_off_only_the_tunnel_is_forwarded(self):
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.server.sysctl(name, 0)
        self.run_server({"nat": True})
        # without the tunnel, through the server as a router
        self.assertEqual(traffic.ping(self.client, SITE4, 1, 56, "-W", "1"), 0)
        self.assertEqual(traffic.ping(self.client, SITE6, 1, 56, "-W", "1"), 0)
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_limits_to_forwarding_that_others_delete_come_back(self):
        self.server.sysctl("net/ipv4/ip_forward", 0)
        server = self.run_server({"nat": True})
        before = state(self.server)
        self.server.sh("nft", "delete", "table", "inet", "vpncore-forward.server")
        server.wait_log("vpncore-forward.server was changed by another program: put back")
        # nft lists tables in the order in which they were made
        self.assertEqual(sorted(state(self.server).splitlines()), sorted(before.splitlines()))
        self.assertEqual(traffic.ping(self.client, SITE4, 1, 56, "-W", "1"), 0)

    def test_forwarding_that_was_on_stays_as_free_as_it_was(self):
        self.run_server({"nat": True})
        self.assertEqual(traffic.ping(self.client, SITE4, 1), 1)
        self.assertNotIn("chain forward", self.server.sh("nft", "list", "ruleset").stdout)

    def test_forwarding_that_another_program_switches_off_comes_back(self):
        server = self.run_server({"nat": True})
        self.run_client({"default": True})
        self.server.sysctl("net/ipv4/ip_forward", 0)
        self.server.ip("link", "set", "lo", "down")  # an event, as there is none for switches
        self.server.ip("link", "set", "lo", "up")
        server.wait_log("net/ipv4/ip_forward was set to 0 by another program")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_large_segments_fit_through_the_tunnel(self):
        """The client's device promises more than the server's carries."""
        spec = self.server_manifest({"nat": True})
        spec["pipeline"][0]["mtu"] = 1280
        self.vpncore(self.server, spec, before=private_run(self.server)).wait_up()
        self.run_client({"default": True})
        with contextlib.closing(self.client.socket(socket.AF_INET, socket.SOCK_STREAM)) as s, \
                contextlib.closing(self.site.socket(socket.AF_INET, socket.SOCK_STREAM)) as listener:
            listener.bind((SITE4, 9001))
            listener.listen()
            s.settimeout(10)
            s.connect((SITE4, 9001))
            self.assertTrue(select.select([listener], [], [], 10)[0])
            with contextlib.closing(listener.accept()[0]) as accepted:
                for end in (accepted, s):
                    self.assertLessEqual(
                        end.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG), 1240)

    def test_the_table_goes_with_the_process(self):
        server = self.run_server({"nat": True})
        self.assertIn("masquerade", self.server.sh("nft", "list", "ruleset").stdout)
        server.kill()
        wait_for(lambda: self.server.sh("nft", "list", "ruleset").stdout == "", "no tables")


if __name__ == "__main__":
    main()
