# SPDX-License-Identifier: BSD-2-Clause
"""What a dns component wants of routes/linux: networks in the tunnel, and no query outside of it. The
component is tests/unit/routes/asks.c, which wants what it is told. Topology: routed.py."""
import contextlib
import errno
import json
import os
import socket

from harness import BUILD, main, traffic, wait_for
from program import sanitizer
from routed import (CLIENT4, CLIENT6, GATE4, GATE6, MARK, OUT4, OUT6, Routed, SITE4, SITE6,
                    TABLE, state)
from wireguard import private_run, wg

ASKS = BUILD / "test-plugins" / "dns-test-asks.so"
PORTS = (53, 853)
AT_ONCE = 1.0 if not sanitizer() else 4.0  # long before what a lost packet would be waited for


class Wants(Routed):
    def setUp(self):
        super().setUp()
        self.pipe = self.directory / "orders"
        os.mkfifo(self.pipe)
        self.orders = 0

    def spec(self, routes, first=None, **more):
        spec = self.client_manifest(routes, **more)
        spec["dns"] = {"backend": "test-asks", "plugin": str(ASKS), "orders": str(self.pipe)}
        if first:
            spec["dns"]["first"] = first
        return spec

    def start(self, routes, first=None, **more):
        return self.vpncore(self.client, self.spec(routes, first, **more),
                            before=private_run(self.client))

    def order(self, client, text):
        """Has the component want something; returns what the routes say: "" when it is so."""
        self.orders += 1
        with open(self.pipe, "w", encoding="ascii") as f:
            f.write(text + "\n")
        found = client.wait_log(r": %d: (.*)$" % self.orders).group(1)
        return "" if found == "wanted" else found

    # -- queries -----------------------------------------------------------------------------

    @staticmethod
    def datagram(ns, to, port, mark=0, device=None):
        """Sends one as a resolver does; the error number that comes at once, 0 for none."""
        with contextlib.closing(ns.socket(socket.AF_INET6 if ":" in to else socket.AF_INET)) as s:
            s.settimeout(0.1)
            if mark:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            if device:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
            try:
                s.connect((to, port))
                s.send(b"query")
                s.recv(100)
            except socket.timeout:
                return 0
            except OSError as e:
                return e.errno
        return 0

    @staticmethod
    def connection(ns, to, port):
        """Tries one; the error number that comes at once, 0 for none."""
        with contextlib.closing(ns.socket(socket.AF_INET6 if ":" in to else socket.AF_INET,
                                          socket.SOCK_STREAM)) as s:
            s.settimeout(AT_ONCE)
            try:
                s.connect((to, port))
            except socket.timeout:
                return 0
            except OSError as e:
                return e.errno
        return 0

    def queries(self, wire, targets=(SITE4, SITE6, GATE4, GATE6)):
        """Of a query to each of the targets, how many are seen outside; each has to fail at once when
        it is not."""
        wire.packets()
        for to in targets:
            for port in PORTS:
                for device in (None, b"eth0"):
                    failed = self.datagram(self.client, to, port, device=device)
                    sent = self.seen(wire, to, port)
                    self.assertTrue(sent or failed, (to, port))
                    if sent:
                        return True
                self.assertNotEqual(self.connection(self.client, to, port), 0, (to, port))
                self.assertFalse(self.seen(wire, to, port))
        return False

    @staticmethod
    def seen(wire, to, port):
        return [p for p in wire.packets() if p[1] == to and p[4] == port]

    def pass_outside(self, wire):
        """Whether queries leave past the tunnel."""
        return all(self.queries(wire, [to]) for to in (SITE4, SITE6, GATE4, GATE6))

    def test_queries_outside_fail_at_once_and_nothing_of_them_leaves(self):
        self.run_server({"nat": True})
        before = state(self.client)
        client = self.start({}, allowed=["10.78.0.0/24"]).wait_up()
        wire = self.capture(self.gate, "lan")
        self.assertTrue(self.pass_outside(wire))
        self.assertEqual(self.order(client, "block"), "")
        self.assertFalse(self.queries(wire))
        # other ports are as they were, and the machine's own servers
        self.assertEqual(self.seen_at_site(), CLIENT4)
        self.assertEqual(self.seen_at_site(address=SITE6), CLIENT6)
        self.check_loopback()
        self.assertEqual(self.order(client, "nothing"), "")
        self.assertTrue(self.pass_outside(wire))
        client.stop()
        self.assertEqual(state(self.client), before)

    def check_loopback(self):
        for to in ("127.0.0.1", "::1", CLIENT4):
            af = socket.AF_INET6 if ":" in to else socket.AF_INET
            with contextlib.closing(self.client.socket(af)) as server, \
                    contextlib.closing(self.client.socket(af)) as s:
                server.bind((to, 53))
                server.settimeout(5)
                s.sendto(b"query", (to, 53))
                self.assertEqual(server.recv(100), b"query")

    def test_queries_through_the_tunnel_pass(self):
        self.run_server({"nat": True})
        self.start({"default": True}, first="block").wait_up()
        self.assertEqual(self.seen_at_site(), OUT4)
        for to, source in ((SITE4, OUT4), (SITE6, OUT6)):
            af = socket.AF_INET6 if ":" in to else socket.AF_INET
            with contextlib.closing(self.site.socket(af)) as server, \
                    contextlib.closing(self.client.socket(af)) as s:
                server.bind((to, 53))
                server.settimeout(10)
                s.sendto(b"query", (to, 53))
                self.assertEqual(server.recvfrom(100)[1][0], source)

    def test_the_local_networks_server_is_blocked_too_and_while_the_device_is_down(self):
        client = self.start({"default": True}, first="block").wait_up()
        wire = self.capture(self.gate, "lan")
        self.assertEqual(self.device_of(self.client, GATE4), "eth0")
        self.assertFalse(self.queries(wire, [GATE4]))
        self.client.ip("link", "set", "wg0", "down")
        client.wait_log("wg0 was set down by another program")
        self.assertFalse(self.queries(wire))

    def test_queries_that_are_forwarded_are_refused(self):
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.client.sysctl(name, 1)
        self.gateways(self.client, GATE4, GATE6)  # forwarding has ended what was announced
        there = ("192.0.2.77", "2001:db8:77::1")
        for to, via in zip(there, (CLIENT4, CLIENT6)):
            self.gate.ip("route", "add", to, "via", via)
        client = self.start({}, allowed=["10.78.0.0/24"]).wait_up()
        wire = self.capture(self.client, "eth0")

        def forwarded(to):
            """How often a query to the address passes the client's interface: it comes, and goes."""
            wire.packets()
            failed = self.datagram(self.gate, to, 53)
            return len([p for p in wire.packets() if p[1] == to and p[4] == 53]), failed
        for to in there:
            wait_for(lambda to=to: forwarded(to)[0] > 1, "a query that is forwarded")
        self.assertEqual(self.order(client, "block"), "")
        for to in there:
            self.assertEqual(forwarded(to)[0], 1)
            # the kernel limits how many errors it sends
            wait_for(lambda to=to: forwarded(to) == (1, errno.ECONNREFUSED), "an error at once")
            self.assertEqual(self.connection(self.gate, to, 853), errno.ECONNREFUSED)

    def test_a_tunnel_whose_endpoint_has_port_53_works(self):
        for run, spec in ((self.server, self.server_manifest({"nat": True})),
                          (self.client, self.spec({"default": True, "kill_switch": "on"}, "block"))):
            text = json.dumps(spec).replace(":51820", ":53")
            self.vpncore(run, json.loads(text), before=private_run(run)).wait_up()
        self.assertEqual(self.seen_at_site(), OUT4)
        # another mark is no way out
        wire = self.capture(self.gate, "lan")
        self.assertNotEqual(self.datagram(self.client, GATE4, 53, mark=0x1000), 0)
        self.assertFalse(self.seen(wire, GATE4, 53))

    def test_the_block_goes_with_the_process(self):
        before = state(self.client)
        client = self.start({}, first="block 10.0.0.53/32", allowed=["10.0.0.0/8"]).wait_up()
        self.assertIn("dns_out", state(self.client))
        client.kill()
        wait_for(lambda: state(self.client) == before, "everything as before")

    # -- networks ----------------------------------------------------------------------------

    def test_a_host_is_routed_into_the_tunnel_and_the_rest_is_not(self):
        self.run_server({"nat": True})
        client = self.start({}).wait_up()
        before = state(self.client)
        self.assertEqual(self.seen_at_site(), CLIENT4)
        self.assertEqual(self.order(client, "%s/32 %s/128" % (SITE4, SITE6)), "")
        self.assertEqual(self.device_of(self.client, SITE4), "wg0")  # it is so now
        self.assertEqual(self.device_of(self.client, SITE6), "wg0")
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "eth0")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        self.assertIn("%s dev wg0 proto 190" % SITE4, " ".join(self.routes(self.client, "main")))
        self.assertEqual(self.order(client, "%s/128" % SITE6), "")
        self.assertEqual(self.device_of(self.client, SITE4), "eth0")
        self.assertEqual(self.order(client, "nothing"), "")
        self.assertEqual(state(self.client), before)

    def test_a_host_is_in_the_tunnel_in_spite_of_exclude_and_the_local_network(self):
        self.run_server({"nat": True})
        client = self.start({"default": True, "exclude": ["203.0.113.0/24"]}).wait_up()
        before = state(self.client)
        self.assertEqual(self.device_of(self.client, SITE4), "eth0")
        self.assertEqual(self.order(client, "%s/32 %s/32" % (SITE4, GATE4)), "")
        self.assertEqual(self.device_of(self.client, SITE4), "wg0")
        self.assertEqual(self.device_of(self.client, GATE4), "wg0")
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "eth0")
        self.assertEqual(self.device_of(self.client, "192.168.5.9"), "eth0")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.client.ip("link", "set", "wg0", "down")
        client.wait_log("wg0 was set down by another program")
        wait_for(lambda: not self.device_of(self.client, GATE4), "no way to the server")
        self.client.ip("link", "set", "wg0", "up")
        wait_for(lambda: self.device_of(self.client, GATE4) == "wg0", "the way through the tunnel")
        self.assertEqual(self.order(client, "203.0.112.0/20"), "")
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "wg0")
        self.assertEqual(self.order(client, "nothing"), "")
        self.assertEqual(state(self.client), before)

    def test_an_endpoint_within_what_is_wanted_is_not_cut_off(self):
        self.run_server({"nat": True})
        before = state(self.client)
        client = self.start({}).wait_up()
        self.assertEqual(self.order(client, "198.51.100.0/24"), "")
        self.assertEqual(self.device_of(self.client, "198.51.100.2"), "wg0")
        self.assertEqual(self.device_of(self.client, "198.51.100.2", MARK), "eth0")
        self.assertTrue(self.answers("198.51.100.2"))
        self.assertTrue(self.routes(self.client, TABLE))
        self.assertEqual(self.order(client, "nothing"), "")
        self.assertEqual(self.routes(self.client, TABLE), [])
        self.assertEqual(self.rules(self.client), [])
        client.stop()
        self.assertEqual(state(self.client), before)

    def test_what_is_wanted_is_put_back_when_others_delete_it(self):
        client = self.start({}, first=SITE4 + "/32").wait_up()
        self.client.ip("route", "del", SITE4, "dev", "wg0")
        client.wait_log("was removed by another program: put back")
        self.assertEqual(self.device_of(self.client, SITE4), "wg0")

    def test_what_no_peer_takes_is_warned_of_once(self):
        client = self.start({}, first=SITE4 + "/32", allowed=["10.78.0.0/24"]).wait_up()
        text = SITE4 + "/32 is to be reached through the tunnel, but no peer has it"
        client.wait_log(text)
        self.client.ip("addr", "add", "192.168.7.1/24", "dev", "lo")  # another look
        self.client.ip("route", "del", SITE4, "dev", "wg0")
        client.wait_log("put back")
        self.assertEqual(client.log().count(text), 1)

    # -- what cannot be ----------------------------------------------------------------------

    def test_after_a_failure_what_was_wanted_before_holds(self):
        client = self.start({}, first="block 10.0.0.53/32").wait_up()
        self.client.ip("route", "add", "10.9.9.9", "via", GATE4)
        before = state(self.client)
        said = self.order(client, "10.0.0.54/32 10.9.9.9/32")
        self.assertRegex(said, r"^-10 packets to 10\.9\.9\.9/32 do not enter the tunnel")
        self.assertEqual(state(self.client), before)
        for wrong, text in (("0.0.0.0/0", "everything"), ("224.0.0.0/4", "not routed"),
                            ("127.0.0.53/32", "not routed"), ("10.0.0.0/33", "is none")):
            self.assertRegex(self.order(client, wrong), "^-2 .*" + text)
        self.assertEqual(state(self.client), before)
        # it is in nobody's way that something was in the way
        self.assertEqual(self.order(client, "10.0.0.54/32"), "")
        self.assertEqual(self.device_of(self.client, "10.0.0.54"), "wg0")

    def test_a_lasting_conflict_of_another_network_is_none_of_this(self):
        client = self.start({}, allowed=["10.5.0.0/16"]).wait_up()
        self.client.ip("route", "add", "10.6.0.0/16", "via", GATE4)
        self.allow("10.5.0.0/16,10.6.0.0/16")
        client.wait_log("10.6.0.0/16 .* is there already and not ours")
        self.assertEqual(self.order(client, "block 10.0.0.53/32"), "")
        self.assertEqual(self.device_of(self.client, "10.0.0.53"), "wg0")

    def allow(self, networks):
        wg(self.client, "set", "wg0", "peer", self.keys[0].public, "allowed-ips", networks)

    def test_a_start_that_cannot_have_it_fails_and_undoes_all(self):
        self.client.ip("route", "add", "10.9.9.9", "via", GATE4)
        before = state(self.client)
        client = self.start({"networks": ["10.5.0.0/16"]}, first="block 10.9.9.9/32")
        client.wait_end(1)
        self.assertIn("do not enter the tunnel", client.log())
        self.assertEqual(state(self.client), before)


if __name__ == "__main__":
    main()
