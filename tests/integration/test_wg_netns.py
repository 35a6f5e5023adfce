# SPDX-License-Identifier: BSD-2-Clause
"""What the Linux driver's own selftest (tools/testing/selftests/wireguard/netns.sh) asks of WireGuard and
a program outside of the kernel can answer, first part: sessions, traffic, roaming, cryptokey routing.
test_wg_paths.py and test_wg_keys.py are the rest.

    namespace one             namespace hub                           namespace two
    wg1 10.78.0.1/24  <====   127.0.0.1:51821  - lo - 127.0.0.1:51822   ====>  wg2 10.78.0.2/24
        fd78::1/64            [::1]:51821             [::1]:51822                   fd78::2/64

The interfaces are made in `hub`, where their sockets stay, and moved to where they are used. Not here:
the statistics of `ip -s link`, which count plaintext on a TUN device, and what counts references in the kernel.
"""
import re

from dropin import BIG_MTU, Direct, Interface, nft
from harness import INNER4, INNER6, OUTER4, OUTER6, Peers, hostport, main, traffic, wait_for
from wireguard import Keys, WireGuardTest

PORTS = (51821, 51822)


class Moved(WireGuardTest):
    """The topology above."""

    check_ping, check_tcp = Peers.check_ping, Peers.check_tcp

    def setUp(self):
        super().setUp()
        self.hub = self.namespace("hub")
        self.a, self.b = self.namespace("one"), self.namespace("two")

    def begin(self, family=4, mtu=1420, options=()):
        self.one, self.two = (
            Interface(self, ns, [INNER4[i] + "/24", INNER6[i] + "/64"], outer=self.hub,
                      ifname="wg%d" % (i + 1), port=PORTS[i], mtu=mtu, options=options)
            for i, ns in enumerate((self.a, self.b)))
        host = "127.0.0.1" if family == 4 else "::1"
        self.one.add(self.two, endpoint=host)
        self.two.add(self.one, endpoint=host)
        self.one.start()
        self.two.start()


class Session(Moved):
    def test_counts_every_byte_of_a_session(self):
        self.begin()
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 10, 56), 10)
        # Who began has sent an initiation (148) and got a response (92). An echo of 84 bytes is padded
        # to 96 and has 32 around it. The begin may be confirmed by a keepalive (32).
        data = 10 * (96 + 32)
        rx, tx = self.two.transfer()
        self.assertEqual(rx, 92 + data)
        self.assertIn(tx, (148 + data, 148 + data + 32))
        self.assertEqual(self.one.transfer(), (tx, rx))

    def test_knows_when_the_last_handshake_was(self):
        self.begin()
        self.assertEqual(self.one.status().handshake, 0)
        self.assertEqual(traffic.ping(self.b, INNER4[0], 2), 2)
        for node in (self.one, self.two):
            self.assertNotEqual(node.status().handshake, 0)

    def test_answers_again_after_down_and_up(self):
        self.begin()
        self.check_ping(2)
        self.a.ip("link", "set", "wg1", "down")
        self.a.ip("link", "set", "wg1", "up")
        traffic.wait_ping(self.a, INNER4[1])
        traffic.wait_ping(self.b, INNER4[0])

    def test_a_new_private_key_is_used_at_once(self):
        self.begin()
        self.check_ping(2)
        new = Keys()
        self.two.set("peer", new.public, "allowed-ips", ",".join(self.one.hosts()),
                     "peer", self.one.keys.public, "remove")
        self.one.set("private-key", self.one.secret(new.private))
        self.one.keys = new
        # One echo each: it waits for the new handshake and is not lost.
        self.assertEqual(traffic.ping_once(self.a, INNER4[1], 1, 56, "-W", "20"), 1)
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56, "-W", "20"), 1)
        self.assertNotEqual(self.two.status(self.one).handshake, 0)


class Traffic(Moved):
    """ICMP, TCP and UDP, IPv4 and IPv6 inside."""

    def check(self, mtu, n):
        self.check_ping(10)
        for address in (INNER4[1], INNER6[1]):
            self.assertEqual(traffic.ping(self.a, address, 5, mtu - 48, "-M", "do"), 5)
            traffic.udp_echo(self.a, self.b, address, [0, 1, 15, 16, 17, 1000, mtu - 48])
            traffic.udp_same_size(self.a, self.b, address, 1200, 128)
        self.check_tcp(n)
        traffic.tcp(self.a, self.b, INNER4[1], n, streams=4)
        traffic.tcp(self.b, self.a, INNER6[0], n, streams=4)

    def test_passes_over_ipv4(self):
        self.begin(4)
        self.check(1420, 2 << 20)

    def test_passes_over_ipv6(self):
        self.begin(6)
        self.check(1420, 2 << 20)

    def test_passes_over_ipv4_with_a_huge_mtu(self):
        self.begin(4, BIG_MTU, ("--path-mtu", "65535"))
        self.check(BIG_MTU, 4 << 20)

    def test_passes_over_ipv6_with_a_huge_mtu(self):
        self.begin(6, BIG_MTU, ("--path-mtu", "65535"))
        self.check(BIG_MTU, 4 << 20)


class Padding(Direct):
    """Messages are padded to 16 bytes, but never beyond what the device may carry. The driver looks at the
    MTU of the packet's route; a program sees only the packet and its device's MTU, and takes that."""

    def check(self, family, header):
        self.begin(family, mtu=1300)
        # IP, UDP 8, message 16, packet, tag 16
        nft(self.b, """table inet narrow { chain in {
            type filter hook input priority 0;
            iifname eth0 meta length %(n)d counter
            iifname eth0 meta length > %(n)d drop
        }
        }""" % {"n": header + 40 + 1300})
        wait_for(lambda: traffic.ping_once(self.a, INNER4[1], 1, 1272) == 1, "an echo of 1300 bytes")
        for size in range(1256, 1273):
            self.assertEqual(traffic.ping(self.a, INNER4[1], 2, size), 2, size)
        listing = self.b.sh("nft", "list", "table", "inet", "narrow").stdout
        self.assertGreater(int(re.search(r"counter packets (\d+)", listing)[1]), 0)

    def test_never_passes_the_mtu_over_ipv4(self):
        self.check(4, 20)

    def test_never_passes_the_mtu_over_ipv6(self):
        self.check(6, 40)


class Roaming(Direct):
    def wait_endpoint(self, node, endpoint):
        wait_for(lambda: node.status().endpoint == endpoint, "endpoint %s, not %s"
                 % (endpoint, node.status().endpoint))

    def move(self, old, new, bits, port):
        """a's address and port change, and a is the one who writes first."""
        self.a.ip("addr", "del", "%s/%d" % (old, bits), "dev", "eth0")
        self.a.ip("addr", "add", "%s/%d" % (new, bits), "dev", "eth0",
                  *(["nodad"] if ":" in new else []))
        traffic.wait_ping(self.a, INNER4[1])
        self.wait_endpoint(self.two, hostport(new))
        self.check_ping(3)
        self.one.set("listen-port", port)
        traffic.wait_ping(self.a, INNER4[1])
        self.wait_endpoint(self.two, hostport(new, port))
        self.check_ping(3)

    def test_follows_an_ipv4_address_and_port(self):
        self.begin(4)
        self.check_ping(2)
        self.move(OUTER4[0], "192.0.2.121", 24, 9999)

    def test_follows_an_ipv6_address_and_port(self):
        self.begin(6)
        self.check_ping(2)
        self.move(OUTER6[0], "2001:db8:1::dead:1", 64, 9998)

    def test_follows_from_ipv4_to_ipv6_and_back(self):
        self.begin(4)
        self.check_ping(2)
        before = self.two.handshake_time(self.one)
        for outer in (OUTER6, OUTER4):
            self.one.set("peer", self.two.keys.public, "endpoint", hostport(outer[1]))
            traffic.wait_ping(self.a, INNER4[1])
            self.wait_endpoint(self.two, hostport(outer[0]))
            self.check_ping(3)
        self.assertEqual(self.two.handshake_time(self.one), before)  # it is the same session


class CryptokeyRouting(Moved):
    """two writes to one; what comes out of wg1 is what its allowed addresses let through."""

    def setUp(self):
        super().setUp()
        self.begin()
        self.check_ping(2)
        self.sink = self.a.socket()
        self.addCleanup(self.sink.close)
        self.sink.bind((INNER4[0], 1111))
        self.source = self.b.socket()
        self.addCleanup(self.source.close)
        self.source.bind((INNER4[1], 0))

    def send(self, text):
        """... and until one has looked at it: an echo that follows in the same session is answered."""
        self.source.sendto(text, (INNER4[0], 1111))
        self.assertEqual(traffic.ping_once(self.b, INNER6[0], 1, 56, "-W", "20"), 1)

    def received(self):
        self.sink.settimeout(0)
        found = []
        while True:
            try:
                found.append(self.sink.recv(2048))
            except BlockingIOError:
                return found

    def allow(self, *prefixes):
        """The IPv6 address stays, for send()."""
        self.one.set("peer", self.two.keys.public, "allowed-ips",
                     ",".join((INNER6[1] + "/128",) + prefixes))

    def test_drops_a_source_that_is_not_allowed(self):
        self.send(b"allowed")
        self.allow()
        self.send(b"not allowed")
        self.allow("10.78.0.3/32")
        self.send(b"a neighbour")
        self.allow("10.78.0.0/24")
        self.send(b"allowed again")
        self.assertEqual(self.received(), [b"allowed", b"allowed again"])

    def test_drops_a_source_that_a_more_specific_prefix_gives_to_another(self):
        self.allow("10.78.0.0/24")
        self.send(b"mine")
        other = Keys().public
        self.one.set("peer", other, "allowed-ips", "10.78.0.2/32")
        self.send(b"the other's")
        self.one.set("peer", other, "remove")
        self.send(b"mine again")
        self.assertEqual(self.received(), [b"mine", b"mine again"])

    def test_moves_a_prefix_from_one_peer_to_another(self):
        other = Keys().public
        self.one.set("peer", other, "allowed-ips", "10.78.0.2/32")
        self.assertEqual(self.one.status(self.two).allowed_ips, [INNER6[1] + "/128"])
        self.send(b"the other's")
        self.assertEqual(self.received(), [])
        self.allow("10.78.0.2/32")
        self.assertEqual(self.one.show().peers[other].allowed_ips, [])
        self.send(b"mine")
        self.assertEqual(self.received(), [b"mine"])


class Nested(Direct):
    """Tunnels and routes that lead into each other."""

    def test_a_tunnel_passes_through_a_tunnel(self):
        self.begin()
        ends = [Interface(self, ns, ["10.79.0.%d/24" % (i + 1)], ifname="wg1", port=51999, mtu=1340)
                for i, ns in enumerate((self.a, self.b))]
        ends[0].add(ends[1], endpoint=INNER4[1])
        ends[1].add(ends[0], endpoint=INNER6[0])
        for end in ends:
            end.start()
        self.assertEqual(traffic.ping(self.a, "10.79.0.2", 5), 5)
        self.assertEqual(traffic.ping(self.b, "10.79.0.1", 5, 1312, "-M", "do"), 5)
        traffic.tcp(self.a, self.b, "10.79.0.2", 2 << 20)
        traffic.tcp(self.b, self.a, "10.79.0.1", 2 << 20)

    def check_loop(self, family, outer, bits):
        """The endpoint is routed into the tunnel that it carries: nothing grows without end."""
        self.begin(family, a={"allowed_ips": [INNER4[1], INNER6[1], outer]})
        self.check_ping(2)
        before = self.one.transfer()[1]
        self.a.ip("route", "add", "%s/%d" % (outer, bits), "dev", "wg0")
        self.a.sh("ping", "-n", "-q", "-c", 15, "-i", "0.01", "-W", 1, INNER4[1], check=False)
        self.assertLess(self.one.transfer()[1] - before, 70000)
        self.a.ip("route", "del", "%s/%d" % (outer, bits), "dev", "wg0")
        traffic.wait_ping(self.a, INNER4[1], 30)
        self.check_ping(2)

    def test_an_endpoint_routed_into_its_own_tunnel_makes_no_storm_over_ipv4(self):
        self.check_loop(4, OUTER4[1], 32)

    def test_an_endpoint_routed_into_its_own_tunnel_makes_no_storm_over_ipv6(self):
        self.check_loop(6, OUTER6[1], 128)

    def test_two_interfaces_whose_endpoints_lead_into_each_other_make_no_storm(self):
        """wg0's endpoint lies behind wg1, and wg1's behind wg0."""
        a = self.a
        first, second = (Interface(self, a, ["10.80.%d.1/24" % i], ifname="wg%d" % i, port=52000 + i)
                         for i in range(2))
        for i, end in enumerate((first, second)):
            stranger = Interface(self, a, ["10.80.%d.2/24" % i], port=52010)
            end.add(stranger, endpoint="10.80.%d.3" % (1 - i),
                    allowed_ips=["10.80.%d.0/24" % i])
            end.start()
        a.sh("ping", "-n", "-q", "-c", 15, "-i", "0.01", "-W", 1, "10.80.0.2", check=False)
        for end in (first, second):
            self.assertLess(end.transfer()[1], 70000)


class Socket(Moved):
    def test_its_socket_stays_where_it_was_made(self):
        self.begin()
        ports = self.hub.sh("ss", "-Hlnu").stdout
        for port in PORTS:
            self.assertIn(":%d " % port, ports)
        for ns in (self.a, self.b):
            self.assertEqual(ns.sh("ss", "-Hlnu").stdout, "")

    def test_ends_when_its_device_is_deleted_elsewhere(self):
        self.begin()
        self.check_ping(2)
        self.a.ip("link", "del", "wg1")
        wait_for(lambda: not self.one.program.running(), "the end of the program")

    def test_a_port_of_another_is_refused_and_changes_nothing(self):
        self.begin()
        self.check_ping(2)
        with self.hub.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            done = self.one.set("listen-port", port, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("in use", done.stderr)
        self.one.set("listen-port", PORTS[0])
        self.check_ping(2)


if __name__ == "__main__":
    main()
