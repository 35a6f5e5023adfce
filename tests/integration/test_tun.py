# SPDX-License-Identifier: BSD-2-Clause
"""TUN devices over plain UDP: everything that IP carries, over both outer families.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
         2001:db8:1::1                                2001:db8:1::2
"""
import itertools

from harness import INNER4, INNER6, Peers, main, total, traffic, wait_for


class TunOverIpv4(Peers):
    family = 4

    def setUp(self):
        super().setUp()
        self.programs_up = self.tunnel(family=self.family)

    def test_answers_pings_of_both_families(self):
        self.check_ping(20)

    def test_answers_pings_of_every_kind_of_size(self):
        for size in (0, 1, 8, 1372, 1400, 3000, 20000, 60000):
            for address in (INNER4[1], INNER6[1]):
                with self.subTest(size=size, address=address):
                    self.assertEqual(traffic.ping(self.a, address, 3, size), 3)

    def test_carries_tcp_unchanged_in_both_directions(self):
        self.check_tcp(16 << 20)

    def test_carries_parallel_tcp_streams_unchanged(self):
        self.check_tcp(2 << 20, streams=6)

    def test_carries_udp_of_every_size_up_to_the_mtu(self):
        traffic.udp_echo(self.a, self.b, INNER4[1], range(1, 1420 - 28 + 1))
        traffic.udp_echo(self.a, self.b, INNER6[1], range(1, 1420 - 48 + 1))

    def test_carries_udp_that_is_larger_than_the_mtu_in_fragments(self):
        sizes = [1393, 1500, 2800, 9000, 40000, 65000]
        traffic.udp_echo(self.a, self.b, INNER4[1], sizes, burst=1)
        traffic.udp_echo(self.a, self.b, INNER6[1], sizes, burst=1)

    def test_carries_runs_of_equal_datagrams_once_each(self):
        for address, size in itertools.product((INNER4[1], INNER6[1]), (4, 200, 1300)):
            with self.subTest(address=address, size=size):
                traffic.udp_same_size(self.a, self.b, address, size, 512)

    def test_counts_what_passes(self):
        before = [p.counters() for p in self.programs_up]
        self.assertEqual(traffic.ping(self.a, INNER4[1], 10), 10)
        for program, old, direction in zip(self.programs_up, before, ("down", "up")):
            new = program.counters()
            for key, least in (("packets", 10), ("bytes", 840), ("batches", 1)):
                moved = total(new, "udp", direction, key) - total(old, "udp", direction, key)
                self.assertGreaterEqual(moved, least, "%s %s %s" % (program.name, direction, key))


class TunOverIpv6(TunOverIpv4):
    family = 6


class Addresses(Peers):
    def test_the_device_is_as_the_manifest_says(self):
        self.tunnel(a={"device": {"name": "tun-named", "mtu": 1300, "txqueuelen": 77}},
                    b={"device": {"mtu": 1300}})
        link = self.a.link("tun-named")
        self.assertEqual(link["mtu"], 1300)
        self.assertEqual(link["txqlen"], 77)
        self.assertIn("UP", link["flags"])
        self.assertIn(INNER4[0] + "/24", self.a.addresses("tun-named"))
        self.assertIn(INNER6[0] + "/64", self.a.addresses("tun-named"))

    def test_a_template_takes_the_first_free_number(self):
        self.a.ip("tuntap", "add", "mode", "tun", "name", "vpn0")
        self.tunnel(a={"device": {"name": "vpn%d"}})
        self.assertTrue(self.a.has("vpn1"))
        self.assertEqual(traffic.ping(self.b, INNER4[0], 3), 3)

    def test_without_an_mtu_the_device_gets_what_the_path_carries(self):
        self.tunnel(mtu=0)
        self.assertEqual(self.a.link("vpn0")["mtu"], 1500 - 28)
        self.check_tcp(1 << 20)

    def test_a_device_without_ipv6_carries_ipv4(self):
        self.tunnel(a={"device": {"addresses": [INNER4[0] + "/24"]}},
                    b={"device": {"addresses": [INNER4[1] + "/24"]}})
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5), 5)

    def test_many_addresses_all_answer(self):
        more = ["10.79.%d.2/24" % i for i in range(8)] + ["fd79:%d::2/64" % i for i in range(1, 8)]
        self.tunnel(b={"device": {"addresses": [INNER4[1] + "/24", INNER6[1] + "/64"] + more}})
        self.a.ip("route", "add", "10.79.0.0/16", "dev", "vpn0")
        self.a.ip("-6", "route", "add", "fd79::/16", "dev", "vpn0")
        for prefix in more:
            self.assertEqual(traffic.ping(self.a, prefix.split("/")[0], 2), 2, prefix)

    def test_a_point_to_point_pair_needs_no_network(self):
        self.tunnel(a={"device": {"addresses": None,
                                  "peers": [{"address": "10.1.0.1", "peer": "10.2.0.1/32"}]}},
                    b={"device": {"addresses": None,
                                  "peers": [{"address": "10.2.0.1", "peer": "10.1.0.1/32"}]}})
        self.assertEqual(traffic.ping(self.a, "10.2.0.1", 5), 5)


class Jumbo(Peers):
    outer_mtu = 9000

    def test_a_larger_path_carries_larger_packets(self):
        self.tunnel(mtu=8900, udp={"path_mtu": 9000})
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3, 8872, "-M", "do"), 3)
        self.check_tcp(16 << 20)
        traffic.udp_same_size(self.a, self.b, INNER4[1], 8800, 64, burst=8)


class TwoLanes(Peers):
    def flow_count(self, program, lane):
        return program.counters()[lane, "udp"]["down"]["packets"]

    def test_two_lanes_carry_everything(self):
        self.tunnel(lanes=2)
        self.check_ping(10)
        self.check_tcp(2 << 20, streams=6)
        traffic.udp_echo(self.a, self.b, INNER4[1], range(1, 1393, 7))

    def test_flows_are_spread_over_both_lanes(self):
        a, _ = self.tunnel(lanes=2)
        for port in range(9000, 9040):
            traffic.udp_flood(self.a, INNER4[1], port, 100, 5)
        wait_for(lambda: self.flow_count(a, 0) > 0 and self.flow_count(a, 1) > 0,
                 "packets on both lanes")

    def test_one_lane_talks_to_two(self):
        self.tunnel(b={"lanes": 2})
        self.check_ping(10)
        self.check_tcp(2 << 20, streams=4)


if __name__ == "__main__":
    main()
