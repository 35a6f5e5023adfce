# SPDX-License-Identifier: BSD-2-Clause
"""Super-packets on one side, both or none: the wire looks the same, so every mix must work.

    namespace a                                  namespace b
    vpn0 (offload on/off)  . . . tunnel . . . .  vpn0 (offload on/off)
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
    udp  (offload on/off)                        udp  (offload on/off)
"""
from harness import INNER4, INNER6, Peers, main, total, traffic

ON = {}
NO_DEVICE = {"device": {"offload": "off"}}
NO_SOCKET = {"udp": {"offload": "off"}}
NEITHER = {"device": {"offload": "off"}, "udp": {"offload": "off"}}
NO_USO = {"device": {"uso": "off"}}


class Offload(Peers):
    def carries_everything(self, a, b, **both):
        programs = self.tunnel(a=a, b=b, **both)
        self.check_ping(5)
        self.check_tcp(4 << 20)
        traffic.udp_echo(self.a, self.b, INNER4[1], range(1, 1393, 11))
        traffic.udp_same_size(self.a, self.b, INNER4[1], 1300, 256)
        traffic.udp_same_size(self.b, self.a, INNER6[0], 1300, 256)
        return programs

    def test_both_sides_with(self):
        self.carries_everything(ON, ON)

    def test_with_and_without(self):
        self.carries_everything(ON, NEITHER)

    def test_without_and_with(self):
        self.carries_everything(NEITHER, ON)

    def test_both_sides_without(self):
        self.carries_everything(NEITHER, NEITHER)

    def test_devices_without(self):
        self.carries_everything(NO_DEVICE, NO_DEVICE)

    def test_sockets_without(self):
        self.carries_everything(NO_SOCKET, NO_SOCKET)

    def test_udp_offload_of_the_device_off(self):
        self.carries_everything(NO_USO, ON)

    def test_frames_without(self):
        both = {"layer": "ethernet", "mtu": 1400}
        self.carries_everything({**both, **NEITHER}, both)

    def test_over_ipv6_without(self):
        both = {"family": 6}
        self.carries_everything({**both, **NO_SOCKET}, both)

    def test_batches_are_larger_than_one_packet_with_offload(self):
        a, _ = self.tunnel()
        before = a.counters()
        traffic.tcp(self.a, self.b, INNER4[1], 64 << 20)
        after = a.counters()
        packets, batches = (total(after, "udp", "down", k) - total(before, "udp", "down", k)
                            for k in ("packets", "batches"))
        self.assertGreater(packets, 4 * batches, "%d packets in %d batches" % (packets, batches))


if __name__ == "__main__":
    main()
