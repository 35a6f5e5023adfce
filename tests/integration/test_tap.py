# SPDX-License-Identifier: BSD-2-Clause
"""TAP devices over plain UDP: whole Ethernet frames, with ARP, VLAN tags and bridges.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2

and for bridges, with a host behind each:

    host h       namespace a             namespace b       host k
    eth0 ------- port  [br0]  vpn0 . . . vpn0 [br0] port ------- eth0
    10.9.0.1                                               10.9.0.2
"""
import random
import struct

import netns
from harness import INNER4, INNER6, Peers, main, traffic, veth

MTU = 1400


class TapOverIpv4(Peers):
    family = 4

    def setUp(self):
        super().setUp()
        self.tunnel(family=self.family, layer="ethernet", mtu=MTU)

    def test_answers_pings_of_both_families(self):
        self.check_ping(20)

    def test_finds_the_neighbour_by_arp_and_neighbour_discovery(self):
        self.check_ping(1)
        mac = self.b.link("vpn0")["address"]
        self.assertIn(mac, self.a.ip("neigh", "show", INNER4[1], "dev", "vpn0").stdout)
        self.assertIn(mac, self.a.ip("neigh", "show", INNER6[1], "dev", "vpn0").stdout)

    def test_carries_tcp_unchanged_in_both_directions(self):
        self.check_tcp(16 << 20)

    def test_carries_udp_of_every_size_up_to_the_mtu(self):
        traffic.udp_echo(self.a, self.b, INNER4[1], range(1, MTU - 28 + 1))
        traffic.udp_echo(self.a, self.b, INNER6[1], range(1, MTU - 48 + 1))

    def test_carries_runs_of_equal_datagrams_once_each(self):
        traffic.udp_same_size(self.a, self.b, INNER4[1], 1300, 512)
        traffic.udp_same_size(self.a, self.b, INNER6[1], 1300, 512)

    def frames(self, make):
        """Frames by AF_PACKET from a to b and back: each must come out as it went in."""
        chance = random.Random(4)
        with traffic.FrameSocket(self.a, "vpn0") as a, traffic.FrameSocket(self.b, "vpn0") as b:
            for size in (46, 47, 64, 100, 576, 1001, MTU - 8):
                frame = make(chance.randbytes(size))
                a.send(frame)
                b.recv_match(frame)
                b.send(frame)
                a.recv_match(frame)

    HEADS = bytes.fromhex("0200000000b0" "0200000000a0")

    def test_carries_an_unknown_ethertype(self):
        self.frames(lambda data: self.HEADS + struct.pack("!H", 0x88b5) + data)

    def test_carries_a_vlan_tag(self):
        self.frames(lambda data: self.HEADS + struct.pack("!HHH", 0x8100, 0x6000 | 42, 0x88b5) + data)

    def test_carries_two_vlan_tags(self):
        self.frames(lambda data: self.HEADS
                    + struct.pack("!HHHHH", 0x88a8, 7, 0x8100, 42, 0x88b5) + data)

    def test_carries_broadcast_and_multicast_frames(self):
        for head in ("ffffffffffff" "0200000000a0", "01005e000001" "0200000000a0"):
            self.frames(lambda data, h=head: bytes.fromhex(h) + struct.pack("!H", 0x88b5) + data)


class TapOverIpv6(TapOverIpv4):
    family = 6


class TapDevice(Peers):
    def test_the_device_has_the_mac_address_of_the_manifest(self):
        self.tunnel(layer="ethernet", mtu=MTU, a={"layer": "ethernet", "mtu": MTU,
                                                  "device": {"mac": "02:00:5e:10:00:01"}})
        self.assertEqual(self.a.link("vpn0")["address"], "02:00:5e:10:00:01")
        self.check_ping(3)

    def test_two_lanes_carry_frames(self):
        self.tunnel(layer="ethernet", mtu=MTU, lanes=2)
        self.check_ping(10)
        self.check_tcp(2 << 20, streams=4)

    def test_without_an_mtu_the_largest_frame_still_fits_the_path(self):
        self.tunnel(layer="ethernet", mtu=0)
        mtu = self.a.link("vpn0")["mtu"]
        self.assertLessEqual(mtu, 1500 - 28 - 14)
        self.assertGreaterEqual(mtu, 1500 - 28 - 22)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3, mtu - 28, "-M", "do"), 3)


class Bridged(Peers):
    def setUp(self):
        super().setUp()
        bare = {"addresses": None}
        self.tunnel(layer="ethernet", mtu=MTU, device=bare)
        self.h, self.k = self.namespace("h"), self.namespace("k")
        for ns, host, number in ((self.a, self.h, 1), (self.b, self.k, 2)):
            veth(host, "eth0", ns, "port", MTU)
            ns.ip("link", "add", "br0", "mtu", MTU, "type", "bridge")
            for device in ("port", "vpn0"):
                ns.ip("link", "set", device, "master", "br0")
            ns.ip("link", "set", "br0", "up")
            netns.address(host, "eth0", "10.9.0.%d/24" % number, "fd09::%d/64" % number)

    def test_hosts_behind_two_bridges_share_one_ethernet(self):
        for address in ("10.9.0.2", "fd09::2"):
            self.assertEqual(traffic.ping(self.h, address, 10), 10)
        traffic.tcp(self.h, self.k, "10.9.0.2", 8 << 20)
        traffic.tcp(self.k, self.h, "fd09::1", 8 << 20)
        traffic.udp_echo(self.h, self.k, "10.9.0.2", range(1, MTU - 28 + 1, 5))


if __name__ == "__main__":
    main()
