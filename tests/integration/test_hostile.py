# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams that nobody of ours has sent.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
                                                      192.0.2.66 (foreign)
b's kernel sends the garbage: from a foreign address, or by a raw socket with the address and port
of the very peer.
"""
import random
import socket
import struct

import netns
from harness import INNER4, INNER6, PORT, Peers, main, manifest, total, traffic, wait_for

IPPROTO_RAW = 255


def ipv4(payload, proto=17, src="10.78.0.2", dst="10.78.0.1", **lies):
    """An IPv4 packet with a correct header checksum; `lies` replace ihl, length or frag."""
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | lies.get("ihl", 5), 0,
                       lies.get("length", 20 + len(payload)), 1, lies.get("frag", 0), 64, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    total_sum = sum(struct.unpack("!10H", head))
    while total_sum >> 16:
        total_sum = (total_sum & 0xffff) + (total_sum >> 16)
    return head[:10] + struct.pack("!H", 0xffff - total_sum) + head[12:] + payload


def ipv6(payload, proto=17, length=None):
    return struct.pack("!IHBB", 6 << 28, len(payload) if length is None else length, proto, 64) \
        + socket.inet_pton(socket.AF_INET6, INNER6[1]) \
        + socket.inet_pton(socket.AF_INET6, INNER6[0]) + payload


def garbage(seed=5):
    """Payloads of every unpleasant kind; the same list for the same seed."""
    chance = random.Random(seed)
    tcp = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 0x50, 0x10, 5, 0, 0)
    yield from (b"", b"\x00", b"\x45", b"\x60", b"\xff" * 3)
    for first in (0x00, 0x45, 0x46, 0x4f, 0x44, 0x60, 0x6f, 0x70, 0xff):
        for size in (1, 4, 19, 20, 21, 27, 28, 39, 40, 41, 48, 60, 100, 1000, 1472):
            yield bytes([first]) + chance.randbytes(size - 1)
    yield ipv4(b"")
    yield from (ipv4(tcp, 6, ihl=n) for n in range(16))
    yield from (ipv4(tcp, 6, length=n) for n in (0, 19, 20, 39, 40, 41, 65535))
    yield from (ipv4(tcp, 6, frag=n) for n in (0x2000, 0x1fff, 0x3fff, 0x8000))
    yield from (ipv4(tcp[:n], 6) for n in range(20))
    yield from (ipv4(tcp[:12] + bytes([n << 4]) + tcp[13:], 6) for n in range(16))
    yield from (ipv4(struct.pack("!HHHH", 1, 2, n, 0) + b"x" * 8) for n in (0, 7, 8, 16, 17, 65535))
    yield from (ipv6(tcp[:n], 6) for n in range(21))
    yield from (ipv6(tcp, 6, length=n) for n in (0, 1, 19, 21, 65535))
    yield from (ipv6(bytes([p, 255]) + chance.randbytes(30), h)
                for h in (0, 43, 44, 51, 60) for p in (0, 6, 17, 44, 59))
    # equal flows, so that coalescing is tried on them: bad checksums and jumping numbers
    for i in range(64):
        segment = struct.pack("!HHIIBBHHH", 7, 7, i * 100, 1, 0x50, 0x10, 5, i & 1, 0)
        yield ipv4(segment + b"y" * 100, 6)
    for _ in range(200):
        yield chance.randbytes(chance.randrange(1473))


class Hostile(Peers):
    layer = "ip"
    mtu = 1400

    def setUp(self):
        super().setUp()
        self.side_a, self.side_b = self.tunnel(layer=self.layer, mtu=self.mtu)
        self.check_ping(2)

    def still_works(self):
        self.assertTrue(self.side_a.running())
        traffic.wait_ping(self.a, INNER4[1])  # what was sent is through
        self.check_ping(5)
        self.check_tcp(1 << 20)

    def at_udp(self, direction="up"):
        return total(self.side_a.counters(), "udp", direction, "packets")

    def test_garbage_from_a_foreign_address_is_counted_and_dropped(self):
        netns.address(self.b, "eth0", "192.0.2.66/24")
        before = self.at_udp()
        payloads = list(garbage())
        with self.b.socket() as s:
            s.bind(("192.0.2.66", 0))
            for p in payloads:
                s.sendto(p, ("192.0.2.1", PORT))
        wait_for(lambda: total(self.side_a.counters(), "udp", "drop_unexpected_source")
                 + total(self.side_a.counters(), "udp", "drop_empty") >= len(payloads) - 100,
                 "counted drops")
        self.assertLess(self.at_udp() - before, 50, "foreign datagrams went up")
        self.still_works()

    def test_garbage_from_a_foreign_port_of_the_peer_is_dropped(self):
        with self.b.socket() as s:
            for p in garbage(6):
                s.sendto(p, ("192.0.2.1", PORT))
        wait_for(lambda: total(self.side_a.counters(), "udp", "drop_unexpected_source") > 0,
                 "counted drops")
        self.still_works()

    def test_garbage_in_the_name_of_the_peer_does_no_harm(self):
        before = self.at_udp()
        n = 0
        with self.b.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_RAW) as s:
            for p in garbage(7):
                datagram = struct.pack("!HHHH", PORT, PORT, 8 + len(p), 0) + p
                s.sendto(ipv4(datagram, src="192.0.2.2", dst="192.0.2.1"), ("192.0.2.1", 0))
                n += 1
        wait_for(lambda: self.at_udp() - before >= n // 2, "garbage that goes up")
        self.still_works()

    def test_datagrams_larger_than_any_buffer_do_no_harm(self):
        with self.b.socket() as s:
            for size in (1473, 1600, 9000, 40000, 65507):
                for _ in range(8):
                    s.sendto(bytes([0x45]) + bytes(size - 1), ("192.0.2.1", PORT))
        self.still_works()

    def test_large_datagrams_in_the_name_of_the_peer_do_no_harm(self):
        # b's own socket cannot be used, so the peer is stopped and its port taken over
        self.side_b.stop()
        with self.b.socket() as s:
            s.bind(("192.0.2.2", PORT))
            for size in (1421, 1473, 1600, 9000, 40000, 65507):
                for head in (b"\x45", b"\x60"):
                    s.sendto(head + bytes(size - 1), ("192.0.2.1", PORT))
        self.assertTrue(self.side_a.running())
        self.tunnel_b_again()

    def tunnel_b_again(self):
        self.side_b = self.vpncore(self.b, manifest(1, layer=self.layer, mtu=self.mtu)).wait_up()
        self.a.ip("neigh", "flush", "dev", "vpn0")  # a new TAP has a new MAC address
        traffic.wait_ping(self.a, INNER4[1])
        self.still_works()


class HostileToTap(Hostile):
    layer = "ethernet"


if __name__ == "__main__":
    main()
