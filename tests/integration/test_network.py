# SPDX-License-Identifier: BSD-2-Clause
"""What the network below does: unreachable, back again, names, several addresses, marks, delays.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2

for the relay:

    a eth0 192.0.2.1 --- 192.0.2.9 eth0 [r] eth1 198.51.100.9 --- eth0 198.51.100.2 b
"""
import netns
from harness import (INNER4, OUTER4, OUTER6, Peers, Test, hostport, main, manifest, traffic, veth,
                     wait_for)
from relay import Relay


class Reachability(Peers):
    def test_a_remote_that_comes_later_is_reached(self):
        a = self.vpncore(self.a, manifest(0)).wait_up()
        traffic.udp_flood(self.a, INNER4[1], 9, 500, 50)  # refused: nobody listens there yet
        self.assertTrue(a.running())
        self.vpncore(self.b, manifest(1)).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_a_missing_route_is_survived(self):
        self.a.ip("addr", "del", OUTER4[0] + "/24", "dev", "eth0")
        self.a.ip("addr", "add", OUTER4[0] + "/32", "dev", "eth0")
        a, _ = self.tunnel()
        self.assertEqual(traffic.ping(self.a, INNER4[1], 1), 0)
        self.assertTrue(a.running())
        wait_for(lambda: any(v > 0 for (_, stage), values in a.counters().items() if stage == "udp"
                             for k, v in values.items() if k.startswith("drop")),
                 "a counted drop at udp")
        self.a.ip("route", "add", "192.0.2.0/24", "dev", "eth0")
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_a_cable_pulled_and_plugged_again_is_survived(self):
        for family in (4, 6):
            with self.subTest(family=family):
                a, b = self.tunnel(family=family)
                self.check_ping(2)
                self.b.ip("link", "set", "eth0", "down")
                traffic.udp_flood(self.a, INNER4[1], 9, 500, 50)
                traffic.udp_flood(self.b, INNER4[0], 9, 500, 50)
                self.b.ip("link", "set", "eth0", "up")
                self.b.ip("addr", "replace", OUTER6[1] + "/64", "dev", "eth0", "nodad")
                traffic.wait_ping(self.a, INNER4[1], 30)
                self.check_tcp(1 << 20)
                a.stop()
                b.stop()

    def test_a_firewall_that_refuses_is_survived(self):
        # sending by a fixed interface, which sticky means, would pass this kind of refusal by
        a, _ = self.tunnel(udp={"sticky": False})
        self.check_ping(2)
        self.a.ip("route", "add", "prohibit", OUTER4[1] + "/32")
        self.assertEqual(traffic.ping(self.a, INNER4[1], 1), 0)
        self.a.ip("route", "del", "prohibit", OUTER4[1] + "/32")
        traffic.wait_ping(self.a, INNER4[1])
        self.assertTrue(a.running())


class Names(Peers):
    """A private /etc/hosts for the program alone, which the test may rewrite."""

    def hosts(self, text):
        file = self.directory / "hosts"
        file.write_text(text, encoding="ascii")
        return file

    def named(self, file):
        return self.vpncore(self.a, manifest(0, udp={"remote": "peer.test:51820"}),
                            before=["unshare", "--mount", "sh", "-c",
                                    'mount --bind "$0" /etc/hosts && exec "$@"', file])

    def test_a_remote_may_be_a_name(self):
        self.named(self.hosts("192.0.2.2 peer.test\n")).wait_up()
        self.vpncore(self.b, manifest(1)).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_of_two_addresses_the_one_with_a_socket_is_taken(self):
        self.named(self.hosts("2001:db8:1::2 peer.test\n192.0.2.2 peer.test\n")).wait_up()
        self.vpncore(self.b, manifest(1)).wait_up()
        traffic.wait_ping(self.a, INNER4[1])

    def test_a_name_that_does_not_resolve_yet_is_tried_again(self):
        a = self.named(self.hosts("127.0.0.1 localhost\n")).wait_up()
        self.vpncore(self.b, manifest(1)).wait_up()
        a.wait_log(r"^warn: .*peer\.test", 30)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 1), 0)
        self.hosts("127.0.0.1 localhost\n192.0.2.2 peer.test\n")
        traffic.wait_ping(self.a, INNER4[1], 60)

    def test_stops_at_once_while_a_name_server_is_silent(self):
        # a name server that never answers: resolving hangs in the C library
        resolv = self.directory / "resolv.conf"
        resolv.write_text("nameserver 192.0.2.200\noptions timeout:30 attempts:5\n",
                          encoding="ascii")
        a = self.vpncore(self.a, manifest(0, udp={"remote": "peer.test:51820"}),
                         before=["unshare", "--mount", "sh", "-c",
                                 'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolv])
        a.wait_up()
        a.stop(timeout=5)


class Addresses(Peers):
    def test_listens_on_any_address_of_both_families(self):
        for family in (4, 6):
            with self.subTest(family=family):
                a, b = self.tunnel(family=family, udp={"listen": "*:51820"}, mtu=1400)
                self.check_ping(3)
                self.check_tcp(1 << 20)
                a.stop()
                b.stop()

    def test_a_client_without_a_port_is_learnt_by_a_server_that_asks_for_it(self):
        self.vpncore(self.b, manifest(1, udp={"remote": None, "learn": True})).wait_up()
        a = self.vpncore(self.a, manifest(0, udp={"listen": None})).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(3)
        # the client comes back from another port
        a.stop()
        self.vpncore(self.a, manifest(0, udp={"listen": None})).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_answers_come_from_the_address_that_was_asked(self):
        netns.address(self.b, "eth0", "192.0.2.7/24")  # a second one, not the kernel's first choice
        self.vpncore(self.b, manifest(1, udp={"listen": "0.0.0.0:51820", "remote": None,
                                              "learn": True})).wait_up()
        # a accepts datagrams of its remote alone
        self.vpncore(self.a, manifest(0, udp={"remote": "192.0.2.7:51820"})).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_a_changed_route_is_followed(self):
        """A second cable; the way to b's address moves to it, and the first one goes silent."""
        veth(self.a, "eth1", self.b, "eth1")
        netns.address(self.a, "eth1", "198.51.100.1/24")
        netns.address(self.b, "eth1", "198.51.100.2/24")
        netns.address(self.b, "lo", "203.0.113.2/32")
        self.a.ip("route", "add", "203.0.113.2", "via", "192.0.2.2")
        self.vpncore(self.b, manifest(1, udp={"listen": "203.0.113.2:51820", "remote": None,
                                              "learn": True})).wait_up()
        self.vpncore(self.a, manifest(0, udp={"listen": "*:51820",
                                              "remote": "203.0.113.2:51820"})).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.a.ip("route", "replace", "203.0.113.2", "via", "198.51.100.2")
        self.b.ip("link", "set", "eth0", "arp", "off")
        self.a.ip("neigh", "flush", "dev", "eth0")
        traffic.wait_ping(self.a, INNER4[1], 30)
        self.check_tcp(1 << 20)

    def test_a_mark_chooses_the_route(self):
        self.a.ip("addr", "del", OUTER4[0] + "/24", "dev", "eth0")
        self.a.ip("addr", "add", OUTER4[0] + "/32", "dev", "eth0")
        self.a.ip("route", "add", "192.0.2.0/24", "dev", "eth0", "table", 100)
        self.a.ip("rule", "add", "fwmark", 51, "lookup", 100)
        self.b.ip("route", "replace", "192.0.2.1/32", "dev", "eth0")
        self.tunnel(a={"udp": {"fwmark": 51}})
        traffic.wait_ping(self.a, INNER4[1])

    def test_a_bound_device_is_used_although_the_route_points_elsewhere(self):
        self.a.ip("link", "add", "wrong", "type", "bridge")
        self.a.ip("link", "set", "wrong", "up")
        self.a.ip("route", "add", "192.0.2.2/32", "dev", "wrong")
        self.tunnel(a={"udp": {"interface": "eth0"}})
        traffic.wait_ping(self.a, INNER4[1])

    def test_link_local_addresses_carry_the_tunnel(self):
        self.tunnel(family=6, mtu=1400, **{side: {"udp": {
            "listen": "[::]:51820", "remote": "[%s%%eth0]:51820" % link_local(other)}}
            for side, other in (("a", self.b), ("b", self.a))})
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def outer_class(self, udp, inner):
        """The TOS bytes of the outer datagrams that carry pings of class `inner`."""
        self.tunnel(udp=udp)
        with traffic.FrameSocket(self.b, "eth0") as wire:
            self.assertEqual(traffic.ping(self.a, INNER4[1], 3, 600, "-Q", inner), 3)
            seen = set()
            while len(seen) < 1:
                frame = wire.recv()
                # IPv4, from a, long enough to be one of these pings
                if frame[12:14] == b"\x08\x00" and frame[26:30] == bytes([192, 0, 2, 1]) \
                        and len(frame) > 600:
                    seen.add(frame[15])
            return seen

    def test_the_inner_class_is_hidden_unless_asked_for(self):
        self.assertEqual(self.outer_class({}, 0xb8), {0})

    def test_a_fixed_dscp_marks_every_datagram(self):
        self.assertEqual(self.outer_class({"dscp": 10}, 0xb8), {40})

    def test_the_inner_dscp_is_carried_where_asked(self):
        self.assertEqual(self.outer_class({"carry_dscp": True}, 0xb8), {0xb8})

    def test_the_inner_ecn_is_carried_where_asked(self):
        self.assertEqual(self.outer_class({"carry_ecn": True}, 0x02), {0x02})


def link_local(ns):
    """The fe80:: address of eth0."""
    return wait_for(lambda: [a.split("/")[0] for a in ns.addresses("eth0") if a.startswith("fe80")],
                    "a link-local address")[0]


class Relayed(Test):
    """Loss, delay and disorder below; what TCP carries above must stay whole."""

    def setUp(self):
        super().setUp()
        self.a, self.r, self.b = (self.namespace(label) for label in "arb")
        veth(self.a, "eth0", self.r, "eth0")
        veth(self.b, "eth0", self.r, "eth1")
        netns.address(self.a, "eth0", "192.0.2.1/24")
        netns.address(self.r, "eth0", "192.0.2.9/24")
        netns.address(self.r, "eth1", "198.51.100.9/24")
        netns.address(self.b, "eth0", "198.51.100.2/24")

    def relayed(self, **fate):
        relay = Relay(self.r, ("192.0.2.9", 5000, ("192.0.2.1", 51820)),
                      ("198.51.100.9", 5000, ("198.51.100.2", 51820)), **fate)
        self.addCleanup(relay.close)
        self.vpncore(self.a, manifest(0, udp={"remote": "192.0.2.9:5000"})).wait_up()
        self.vpncore(self.b, manifest(1, udp={"listen": hostport("198.51.100.2"),
                                              "remote": "198.51.100.9:5000"})).wait_up()
        return relay

    def test_tcp_stays_whole_over_a_lossy_path(self):
        relay = self.relayed(seed=7, delay=0.002, loss=0.01)
        traffic.tcp(self.a, self.b, INNER4[1], 2 << 20)
        traffic.tcp(self.b, self.a, INNER4[0], 2 << 20)
        self.assertGreater(relay.lost, 0)

    def test_tcp_stays_whole_over_a_disorderly_path(self):
        relay = self.relayed(seed=8, delay=0.001, jitter=0.002, reorder=0.05, double=0.05)
        traffic.tcp(self.a, self.b, INNER4[1], 2 << 20)
        traffic.tcp(self.b, self.a, INNER4[0], 2 << 20)
        self.assertGreater(relay.reordered, 0)
        self.assertGreater(relay.doubled, 0)


if __name__ == "__main__":
    main()
