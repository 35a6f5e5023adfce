# SPDX-License-Identifier: BSD-2-Clause
"""What the Linux driver's selftest asks of the way to a peer: NAT and keepalives, routing by mark, errors for
who has no peer, sticky source addresses. The topologies stand at their classes.
"""
import errno
import socket

from dropin import Direct, Interface, nft
from harness import INNER4, INNER6, OUTER4, OUTER6, PORT, hostport, main, traffic, veth, wait_for
import netns
from wireguard import WireGuardTest


class Nat(WireGuardTest):
    """
        namespace a               namespace r                        namespace b
        wg0 10.78.0.1/24  . . . . . . . . . . . . . . . . . . . . .  wg0 10.78.0.2/24
        eth0 192.168.1.100/24 --- left  192.168.1.1/24
                                  right 10.0.0.1/24  --------------- eth0 10.0.0.100/24
                                  masquerades the left
    """

    def setUp(self):
        super().setUp()
        self.a, self.r, self.b = (self.namespace(n) for n in "arb")
        veth(self.a, "eth0", self.r, "left")
        veth(self.r, "right", self.b, "eth0")
        netns.address(self.a, "eth0", "192.168.1.100/24")
        netns.address(self.r, "left", "192.168.1.1/24")
        netns.address(self.r, "right", "10.0.0.1/24")
        netns.address(self.b, "eth0", "10.0.0.100/24")
        self.a.ip("route", "add", "default", "via", "192.168.1.1")
        nft(self.r, """table ip nat { chain post {
            type nat hook postrouting priority 100;
            ip saddr 192.168.1.0/24 masquerade
        }
        }""")
        self.r.sysctl("net/ipv4/ip_forward", 1)
        for name in ("udp_timeout", "udp_timeout_stream"):
            self.r.sysctl("net/netfilter/nf_conntrack_" + name, 2)
        self.one, self.two = (Interface(self, ns, [INNER4[i] + "/24", INNER6[i] + "/64"])
                              for i, ns in enumerate((self.a, self.b)))

    def mappings(self):
        text = self.r.sh("cat", "/proc/net/nf_conntrack").stdout
        return [line for line in text.splitlines() if " udp " in line]

    def test_keepalives_hold_the_way_back_open(self):
        self.two.add(self.one).start()
        self.one.add(self.two, endpoint="10.0.0.100", keepalive=1).start()
        self.assertEqual(traffic.ping(self.a, INNER4[1], 1), 1)
        self.assertEqual(self.two.status().endpoint.split(":")[0], "10.0.0.1")
        self.assertEqual(traffic.ping(self.b, INNER4[0], 1), 1)

        # Four keepalives later the mapping would be gone twice without them.
        goal = self.two.transfer()[0] + 4 * 32
        wait_for(lambda: self.two.transfer()[0] >= goal, "keepalives", 20)
        self.assertEqual(traffic.ping(self.b, INNER4[0], 1), 1)

        self.one.set("peer", self.two.keys.public, "persistent-keepalive", 0)
        wait_for(lambda: not self.mappings(), "the end of the mapping", 20)
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56), 0)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 1), 1)
        self.assertEqual(traffic.ping(self.b, INNER4[0], 1), 1)

    def test_a_keepalive_that_is_turned_on_goes_out_at_once(self):
        """... and begins the session that it needs, without any other traffic."""
        self.one.add(self.two, endpoint="10.0.0.100").start()
        self.two.add(self.one).start()
        self.assertEqual(self.two.transfer(), (0, 0))
        self.one.set("peer", self.two.keys.public, "persistent-keepalive", 3600)
        self.one.wait_handshake(self.two)
        wait_for(lambda: self.two.transfer()[0] == 148 + 32, "initiation and keepalive")
        self.assertEqual(traffic.ping(self.b, INNER4[0], 1), 1)


class PolicyRouting(Direct):
    """As wg-quick(8) does for a default route: all that has not the interface's own mark goes into
    wg0, the messages themselves go by the main table. b has 192.168.99.7 and abab::1111 as well."""

    FAR = ("192.168.99.7", "abab::1111")

    def begin_routed(self, family):
        self.begin(family, a={"allowed_ips": ["0.0.0.0/0", "::/0"]})
        netns.address(self.b, "wg0", *("%s/%d" % (f, 128 if ":" in f else 32) for f in self.FAR))
        self.one.set("fwmark", 51820)
        self.assertEqual(self.one.show().fwmark, 51820)
        self.a.sysctl("net/ipv4/conf/all/src_valid_mark", 1)
        for f in ("-4", "-6"):
            self.a.ip(f, "route", "add", "default", "dev", "wg0", "table", 51820)
            self.a.ip(f, "rule", "add", "not", "fwmark", 51820, "table", 51820)
            self.a.ip(f, "rule", "add", "table", "main", "suppress_prefixlength", 0)
        # Not even the network of the cable is exempt from the tunnel.
        self.a.ip("route", "del", "192.0.2.0/24", "dev", "eth0")
        self.a.ip("route", "del", "2001:db8:1::/64", "dev", "eth0")
        self.a.ip("-4", "route", "add", "default", "dev", "eth0")
        self.a.ip("-6", "route", "add", "default", "dev", "eth0")

    def check(self, family):
        self.begin_routed(family)
        for far in self.FAR:
            self.assertEqual(traffic.ping(self.a, far, 50), 50)
            traffic.tcp(self.a, self.b, far, 1 << 20)
        self.assertEqual(self.one.status().endpoint,
                         hostport((OUTER4 if family == 4 else OUTER6)[1]))

    def test_the_mark_keeps_messages_out_of_the_tunnel_over_ipv4(self):
        self.check(4)

    def test_the_mark_keeps_messages_out_of_the_tunnel_over_ipv6(self):
        self.check(6)

    def test_a_socket_that_is_bound_to_the_device_reaches_the_peer(self):
        self.begin(4, a={"allowed_ips": ["0.0.0.0/0", "::/0"]})
        netns.address(self.b, "wg0", *("%s/%d" % (f, 128 if ":" in f else 32) for f in self.FAR))
        self.assertEqual(traffic.ping(self.a, self.FAR[0], 3, 56, "-I", "wg0"), 3)


class Unreachable(Direct):
    """Who writes to an address that no peer has is told so, as the driver does; nobody waits."""

    def check_told(self, address):
        family = traffic.family_of(address)
        done = self.a.sh("ping", "-n", "-c", 1, "-W", 30, address, check=False)
        self.assertRegex(done.stdout, r"(?i)\bunreachable")
        with self.a.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(60)
            with self.assertRaises(OSError) as caught:
                s.connect((address, 9))
            self.assertIn(caught.exception.errno, (errno.EHOSTUNREACH, errno.ENETUNREACH))

    def test_after_a_peer_is_removed(self):
        self.begin()
        self.check_ping(2)
        self.one.set("peer", self.two.keys.public, "remove")
        self.check_told(INNER4[1])
        self.check_told(INNER6[1])

    def test_for_an_address_that_is_nobodys(self):
        self.begin()
        self.check_told("10.78.0.77")
        self.check_told("fd78::77")
        self.check_ping(2)

    def test_for_a_peer_without_an_endpoint(self):
        self.begin(a={"endpoint": None})
        self.check_told(INNER4[1])
        self.check_told(INNER6[1])
        traffic.wait_ping(self.b, INNER4[0])  # from now on its endpoint is known
        self.check_ping(2)

    def test_for_somebody_who_is_routed_through_us(self):
        """c behind a hears it as well, from a."""
        c = self.namespace("c")
        veth(self.a, "eth1", c, "eth0")
        netns.address(self.a, "eth1", "198.51.100.1/24", "2001:db8:2::1/64")
        netns.address(c, "eth0", "198.51.100.9/24", "2001:db8:2::9/64")
        c.ip("route", "add", "default", "via", "198.51.100.1")
        c.ip("route", "add", "default", "via", "2001:db8:2::1")
        self.a.sysctl("net/ipv4/ip_forward", 1)
        self.a.sysctl("net/ipv6/conf/all/forwarding", 1)
        self.begin()
        for address in ("10.78.0.77", "fd78::77"):
            done = c.sh("ping", "-n", "-c", 1, "-W", 30, address, check=False)
            self.assertRegex(done.stdout, r"(?i)\bunreachable")


class Sticky(Direct):
    """Messages go from the address that the peer last wrote to, while that is possible."""

    def wait_endpoint(self, node, host):
        wait_for(lambda: node.status().endpoint == hostport(host), "endpoint %s, not %s"
                 % (host, node.status().endpoint))

    def check_second(self, outer, second, bits):
        """a has two addresses. b calls the second, which is then taken away."""
        family = 6 if ":" in second else 4
        self.a.sysctl("net/ipv4/conf/all/promote_secondaries", 1)
        netns.address(self.a, "eth0", "%s/%d" % (second, bits))
        self.begin(family, a={"endpoint": None}, b={"endpoint": second})
        self.assertEqual(traffic.ping(self.b, INNER4[0], 5), 5)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5), 5)
        # Had an answer come from the first, that would be the endpoint.
        self.assertEqual(self.two.status().endpoint, hostport(second))
        self.a.ip("addr", "del", "%s/%d" % (second, bits), "dev", "eth0")
        traffic.wait_ping(self.a, INNER4[1])
        self.wait_endpoint(self.two, outer)
        self.check_ping(3)

    def test_answers_from_the_ipv4_address_that_was_asked_and_survives_its_end(self):
        self.check_second(OUTER4[0], "192.0.2.11", 24)

    def test_answers_from_the_ipv6_address_that_was_asked_and_survives_its_end(self):
        self.check_second(OUTER6[0], "2001:db8:1::11", 64)


class TwoCables(Direct):
    """
        namespace a                                   namespace b
        lo   10.9.9.1                                 lo   10.9.9.2
        eth0 192.0.2.1/24     ------- veth --------   eth0 192.0.2.2/24
        eth1 198.51.100.1/24  ------- veth --------   eth1 198.51.100.2/24
    """

    def setUp(self):
        super().setUp()
        veth(self.a, "eth1", self.b, "eth1")
        for i, ns in enumerate((self.a, self.b)):
            netns.address(ns, "eth1", "198.51.100.%d/24" % (i + 1))
            netns.address(ns, "lo", "10.9.9.%d/32" % (i + 1))
            for device in ("all", "eth0", "eth1"):
                ns.sysctl("net/ipv4/conf/%s/rp_filter" % device, 0)

    def route(self, ns, verb, other, cable, *more):
        via = "%s.%d" % (("192.0.2", "198.51.100")[cable], other)
        ns.ip("route", verb, "10.9.9.%d/32" % other, "via", via, "dev", "eth%d" % cable, *more)

    def test_goes_on_over_the_other_cable(self):
        self.route(self.a, "add", 2, 0, "metric", 10)
        self.route(self.a, "add", 2, 1, "metric", 20)
        self.begin(a={"endpoint": "10.9.9.2"}, b={"endpoint": None})
        self.check_ping(2)
        self.assertEqual(self.two.status().endpoint, hostport(OUTER4[0]))
        # A better route is no reason to lose anything, nor is the end of the worse one.
        self.route(self.a, "add", 2, 1, "metric", 5)
        self.check_ping(3)
        self.a.ip("link", "set", "eth0", "down")
        traffic.wait_ping(self.a, INNER4[1])
        wait_for(lambda: self.two.status().endpoint == "198.51.100.1:%d" % PORT, "the new way")
        self.check_ping(3)

    def test_answers_where_the_route_leads_and_from_the_address_that_was_asked(self):
        """What a sends comes by one cable, and b's route to a leads over the other."""
        self.route(self.a, "add", 2, 1, "src", "10.9.9.1")
        self.route(self.b, "add", 1, 0)
        self.begin(a={"endpoint": "10.9.9.2"}, b={"endpoint": None})
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5), 5)
        self.check_ping(3)
        self.assertEqual(self.two.status().endpoint, hostport("10.9.9.1"))
        self.assertEqual(self.one.status().endpoint, hostport("10.9.9.2"))

    def test_follows_the_route_to_another_interface(self):
        """No source has been asked for: a's route decides, also after it has changed."""
        self.route(self.a, "add", 2, 0, "src", "10.9.9.1")
        self.route(self.b, "add", 1, 0)
        self.begin(a={"endpoint": "10.9.9.2"}, b={"endpoint": None})
        self.check_ping(2)
        self.route(self.a, "replace", 2, 1, "src", "10.9.9.1")
        self.route(self.b, "replace", 1, 1)
        self.a.ip("link", "set", "eth0", "down")
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(3)


if __name__ == "__main__":
    main()
