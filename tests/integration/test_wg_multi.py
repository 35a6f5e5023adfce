# SPDX-License-Identifier: BSD-2-Clause
"""Many peers of one.

    s wg0 10.78.0.1, fd78::1                    client n: wg0 10.78.1.n/32, fd78::1:n/128
      br0 192.0.2.1  --- a port for each ---              eth0 192.0.2.(100+n)
"""
import base64
import ipaddress
import random
import re
import statistics
import time

import netns
from harness import (INNER4, Test, main, sanitizer, total, traffic, veth, wait_for)
from wireguard import VPNCORE, Node, Peer, secret_file
from wireguard_cases import Tunnel

CLIENTS = 12 if sanitizer() else 50
STRANGERS = 1000 if sanitizer() else 10000
IN_A_MANIFEST = min(STRANGERS, 10000)


class Server(Test):
    def setUp(self):
        super().setUp()
        self.s = self.namespace("s")
        self.s.ip("link", "add", "br0", "type", "bridge")
        self.s.ip("link", "set", "br0", "up")
        netns.address(self.s, "br0", "192.0.2.1/24")
        self.server = Node(self, self.s, VPNCORE, ["10.78.0.1/16", "fd78::1/64"])
        self.clients = [self.client(n) for n in range(1, CLIENTS + 1)]
        self.server.start()
        for client in self.clients:
            client.start()

    def client(self, n):
        ns = self.namespace("c%d" % n)
        veth(ns, "eth0", self.s, "port%d" % n)
        self.s.ip("link", "set", "port%d" % n, "master", "br0")
        netns.address(ns, "eth0", "192.0.2.%d/24" % (100 + n))
        client = Node(self, ns, VPNCORE, ["10.78.1.%d/16" % n, "fd78::1:%x/64" % n])
        # all of the network is the server's for a client: only the server says who is who
        client.add(self.server, endpoint="192.0.2.1", allowed_ips=["10.78.0.0/16", "fd78::/64"])
        self.server.add(client)
        return client

    def drops(self, reason):
        return total(self.server.program.counters(), "wireguard", reason)

    def test_each_has_its_own_addresses_and_nobody_else_s(self):
        empty = self.server.program.resident_bytes()
        for c in self.clients:
            traffic.wait_ping(c.ns, "10.78.0.1")
        for c in self.clients:
            # the echo's socket is in this client's namespace: another one would not answer
            traffic.udp_echo(self.s, c.ns, c.inner(4), (5, 100, 1300))
            traffic.udp_echo(self.s, c.ns, c.inner(6), (5, 100, 1300))
        self.assertEqual(sum(1 for p in self.server.show().peers.values() if p.handshake), CLIENTS)
        self.assertEqual(self.drops("drop_disallowed_source"), 0)
        print("    %d clients: the server's resident memory %d KiB, before the sessions %d KiB"
              % (CLIENTS, self.server.program.resident_bytes() >> 10, empty >> 10))
        self.takes_anothers_address()

    def takes_anothers_address(self):
        thief, owner = self.clients[0], self.clients[1]
        for family, prefix in ((4, "/32"), (6, "/128")):
            stolen = owner.inner(family)
            netns.address(thief.ns, "wg0", stolen + prefix)
            server = self.server.inner(family)
            before = self.drops("drop_disallowed_source")
            self.assertEqual(traffic.ping_once(thief.ns, server, 5, 56, "-I", stolen), 0)
            self.assertEqual(self.drops("drop_disallowed_source") - before, 5)
            # who owns it is still who gets it, and the thief keeps his own
            traffic.udp_echo(self.s, owner.ns, stolen, (5, 100))
            self.assertEqual(traffic.ping(thief.ns, server, 3, 56, "-I", thief.inner(family)), 3)

    def test_they_move_data_at_the_same_time(self):
        some = self.clients[:10]
        threads = [traffic.Thread(traffic.tcp, c.ns, self.s, "10.78.0.1", 1 << 20) for c in some]
        threads += [traffic.Thread(traffic.tcp, self.s, c.ns, c.inner(6), 1 << 20) for c in some]
        for thread in threads:
            thread.result(120)


def strangers(count, seed=9):
    """Peers whose private keys nobody has, two prefixes each; a few have a preshared key."""
    chance = random.Random(seed)
    v4 = int(ipaddress.IPv4Address("172.16.0.0"))
    v6 = int(ipaddress.IPv6Address("fd99::"))

    def key():
        return base64.b64encode(chance.randbytes(32)).decode("ascii")
    return [Peer(key(), ["%s/32" % ipaddress.IPv4Address(v4 + n),
                         "%s/128" % ipaddress.IPv6Address(v6 + n)],
                 psk=key() if n % 500 == 0 else None) for n in range(count)]


class TenThousand(Tunnel):
    """The figures are printed for who reads the report; no time decides."""

    def round_trip_us(self):
        """The median of some pings: each looks its peer up, in both directions."""
        out = self.a.sh("ping", "-n", "-c", 300, "-i", 0.005, INNER4[1]).stdout
        return statistics.median(float(t) for t in re.findall(r"time=([\d.]+)", out)) * 1000

    def idle_figures(self, what, program):
        print("    %s: resident %d KiB, round trip %.0f us"
              % (what, program.resident_bytes() >> 10, self.round_trip_us()))

    def syncconf(self, node):
        """Returns the seconds that it took."""
        conf = secret_file(self.directory, node.conf())
        begin = time.monotonic()
        node.wg("syncconf", "wg0", conf, timeout=300)
        seconds = time.monotonic() - begin
        self.assertEqual(len(node.show().peers), len(node.peers))
        return seconds

    def test_configured_by_the_manifest(self):
        a, _ = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        self.idle_figures("1 peer", a.program)
        few = a.program.resident_bytes()
        a.stop()
        a.peers += strangers(IN_A_MANIFEST)
        begin = time.monotonic()
        a.start()
        seconds = time.monotonic() - begin
        traffic.wait_ping(self.a, INNER4[1])
        self.idle_figures("%d peers by the manifest, up in %.2f s" % (len(a.peers), seconds),
                          a.program)
        print("    %d bytes for each peer" % ((a.program.resident_bytes() - few) // IN_A_MANIFEST))
        self.assertEqual(len(a.show().peers), IN_A_MANIFEST + 1)
        self.check_ping(3)
        self.check_tcp(1 << 20)

    def test_configured_by_wg(self):
        a, _ = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        self.idle_figures("1 peer", a.program)
        few = a.program.resident_bytes()
        a.peers += strangers(STRANGERS)
        seconds = self.syncconf(a)
        self.idle_figures("%d peers by wg syncconf, in %.2f s" % (len(a.peers), seconds), a.program)
        print("    %d bytes for each peer" % ((a.program.resident_bytes() - few) // STRANGERS))
        self.check_ping(3)
        self.check_tcp(1 << 20)

    def test_peers_come_and_go_while_traffic_flows(self):
        a, b = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        session = a.handshake_time(b)
        own, half = list(a.peers), STRANGERS // 2
        first = strangers(STRANGERS)
        stream = traffic.TcpStream(self.a, self.b, INNER4[1])
        self.addCleanup(stream.stop)
        for others in (first, first[half:] + strangers(half, seed=10), [], first, []):
            stream.wait_moved(1 << 20)
            a.peers = own + others
            seconds = self.syncconf(a)
            print("    now %d peers, by wg syncconf under traffic in %.2f s, resident %d KiB"
                  % (len(a.peers), seconds, a.program.resident_bytes() >> 10))
        stream.wait_moved(1 << 20)
        stream.stop()
        self.assertEqual(a.handshake_time(b), session, "the session was disturbed")
        self.check_ping(3)

    def test_the_prefix_of_each_is_found(self):
        """What goes to a stranger is staged for that one: it has no endpoint, and says so."""
        a, _ = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        others = strangers(64)
        a.peers += others
        a.wg("syncconf", "wg0", secret_file(self.directory, a.conf()))
        self.a.ip("route", "add", "172.16.0.0/12", "dev", "wg0")
        before = self.count(a, "drop_no_endpoint")
        for p in others:
            traffic.udp_flood(self.a, p.allowed_ips[0].split("/")[0], 9, 100, 1)
        wait_for(lambda: self.count(a, "drop_no_endpoint") - before >= len(others),
                 "drops for peers without an endpoint")
        nobody = self.count(a, "drop_no_peer")
        traffic.udp_flood(self.a, "172.16.200.1", 9, 100, 3)
        wait_for(lambda: self.count(a, "drop_no_peer") - nobody >= 3, "drops for nobody's address")


if __name__ == "__main__":
    main()
