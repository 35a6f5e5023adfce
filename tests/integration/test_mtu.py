# SPDX-License-Identifier: BSD-2-Clause
"""The edge of the MTU: what fits passes whole, what does not fit is told to the sender.

    host h           namespace a                      namespace b
    eth0 ----------- eth1        vpn0 . . tunnel . .  vpn0 10.78.0.2
    10.5.0.2/24      10.5.0.1    10.78.0.1
                                 eth0 ---- veth ----  eth0
"""
import netns
from harness import INNER4, INNER6, Peers, main, total, traffic, veth, wait_for


class MtuEdge(Peers):
    def exact(self, family, mtu, layer="ip"):
        self.tunnel(family=family, mtu=mtu, layer=layer)
        for address, header in ((INNER4[1], 28), (INNER6[1], 48)):
            size = mtu - header
            self.assertEqual(traffic.ping(self.a, address, 3, size, "-M", "do"), 3)
            done = self.a.sh("ping", "-n", "-c", 1, "-W", 1, "-M", "do", "-s", size + 1, address,
                             check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout + done.stderr, "(?i)message too long|mtu[ =:]*%d" % mtu)

    def test_the_largest_packet_over_ipv4_fills_the_path(self):
        self.exact(4, 1500 - 28)

    def test_the_largest_packet_over_ipv6_fills_the_path(self):
        self.exact(6, 1500 - 48)

    def test_the_largest_frame_over_ipv4_fills_the_path(self):
        self.exact(4, 1500 - 28 - 22, "ethernet")

    def test_the_smallest_mtu_of_ipv6_works(self):
        self.exact(6, 1280)

    def test_a_forwarded_packet_that_is_too_big_is_answered_with_icmp(self):
        self.tunnel(mtu=1300)
        host = self.namespace("h")
        veth(host, "eth0", self.a, "eth1")
        netns.address(host, "eth0", "10.5.0.2/24", "fd05::2/64")
        netns.address(self.a, "eth1", "10.5.0.1/24", "fd05::1/64")
        self.a.sysctl("net/ipv4/ip_forward", 1)
        self.a.sysctl("net/ipv6/conf/all/forwarding", 1)
        host.ip("route", "add", "default", "via", "10.5.0.1")
        host.ip("-6", "route", "add", "default", "via", "fd05::1")
        self.b.ip("route", "add", "10.5.0.0/24", "dev", "vpn0")
        self.b.ip("-6", "route", "add", "fd05::/64", "dev", "vpn0")
        for address, header in ((INNER4[1], 28), (INNER6[1], 48)):
            self.assertEqual(traffic.ping(host, address, 2, 1300 - header, "-M", "do"), 2)
            done = host.sh("ping", "-n", "-c", 1, "-W", 1, "-M", "do", "-s", 1301 - header, address,
                           check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"mtu[ =:]*1300")
        # TCP learns it by itself
        traffic.tcp(host, self.b, INNER4[1], 4 << 20)
        traffic.tcp(self.b, host, "fd05::2", 4 << 20)


class NarrowPath(Peers):
    """The path is narrower than path_mtu says."""

    def narrow(self):
        for ns in (self.a, self.b):
            ns.ip("link", "set", "eth0", "mtu", 1400)

    def test_small_packets_pass_and_large_ones_do_not_harm(self):
        self.narrow()
        a, _ = self.tunnel(mtu=1420)
        traffic.udp_flood(self.a, INNER4[1], 9, 1392, 20)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5, 1000), 5)
        # each of the large ones either crossed in fragments or was counted as a drop
        wait_for(lambda: total(a.counters(), "udp", "down", "packets") >= 25, "25 packets at udp")
        self.assertTrue(a.running())

    def test_a_path_mtu_of_the_manifest_fits_the_device_to_it(self):
        self.narrow()
        self.tunnel(mtu=0, udp={"path_mtu": 1400})
        self.assertEqual(self.a.link("vpn0")["mtu"], 1400 - 28)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3, 1400 - 28 - 28, "-M", "do"), 3)
        self.check_tcp(2 << 20)


if __name__ == "__main__":
    main()
