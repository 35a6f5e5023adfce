# SPDX-License-Identifier: BSD-2-Clause
"""What others do to the device while it carries traffic.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
"""
from harness import INNER4, INNER6, Peers, main, manifest, total, traffic, wait_for


class DeviceEvents(Peers):
    def setUp(self):
        super().setUp()
        self.side_a, self.side_b = self.tunnel()
        self.check_ping(2)

    def test_a_deleted_device_ends_the_run_with_a_clear_error(self):
        self.a.ip("link", "del", "vpn0")
        self.side_a.wait_end(1)
        self.assertRegex(self.side_a.log(), r"(?m)^error: .*vpn0.*(deleted|removed|gone)")

    def test_a_deleted_device_ends_the_run_in_the_middle_of_traffic(self):
        stream = traffic.TcpStream(self.b, self.a, INNER4[0])
        stream.wait_moved(1 << 20)
        self.a.ip("link", "del", "vpn0")
        self.side_a.wait_end(1)
        stream.stop()
        self.assertRegex(self.side_a.log(), r"(?m)^error: .*vpn0.*(deleted|removed|gone)")

    def test_the_other_side_survives_and_a_new_run_takes_over(self):
        self.a.ip("link", "del", "vpn0")
        self.side_a.wait_end(1)
        traffic.udp_flood(self.b, INNER4[0], 9, 1000, 50)  # into the void: ICMP errors come back
        self.assertTrue(self.side_b.running())
        self.vpncore(self.a, manifest(0)).wait_up()
        traffic.wait_ping(self.b, INNER4[0])
        self.check_tcp(1 << 20)

    def test_traffic_resumes_after_the_interface_was_down(self):
        self.a.ip("link", "set", "vpn0", "down")
        self.side_a.wait_log(r"vpn0.*down")
        # what arrives meanwhile cannot be delivered, and is counted
        traffic.udp_flood(self.b, INNER4[0], 9, 100, 20)
        wait_for(lambda: any(k.startswith("drop") and v > 0
                             for (_, stage), values in self.side_a.counters().items()
                             for k, v in values.items() if stage != "udp" and isinstance(v, int)),
                 "a counted drop at the device")
        self.a.ip("link", "set", "vpn0", "up")
        self.a.ip("addr", "replace", INNER6[0] + "/64", "dev", "vpn0", "nodad")
        traffic.wait_ping(self.b, INNER4[0])
        self.check_ping(5)
        self.check_tcp(1 << 20)

    def test_a_lost_address_is_told(self):
        start = len(self.side_a.log())
        self.a.ip("addr", "del", INNER4[0] + "/24", "dev", "vpn0")
        self.side_a.wait_log(r"^warn: .*10\.78\.0\.1", start=start)
        self.assertEqual(traffic.ping(self.a, INNER6[1], 3), 3)
        self.a.ip("addr", "add", INNER4[0] + "/24", "dev", "vpn0")
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3), 3)

    def test_a_changed_mtu_is_told_and_used(self):
        start = len(self.side_a.log())
        self.a.ip("link", "set", "vpn0", "mtu", 1300)
        self.side_a.wait_log(r"MTU.*1300|1300.*MTU", start=start)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3, 1300 - 28, "-M", "do"), 3)
        self.check_tcp(1 << 20)

    def test_a_device_moved_to_another_namespace_goes_on(self):
        start = len(self.side_a.log())
        inside = self.namespace("inside")
        self.a.ip("link", "set", "vpn0", "netns", inside.name)
        self.side_a.wait_log(r"^warn: .*vpn0.*namespace.*addresses", start=start)
        inside.ip("addr", "add", INNER4[0] + "/24", "dev", "vpn0")
        inside.ip("addr", "add", INNER6[0] + "/64", "dev", "vpn0", "nodad")
        inside.ip("link", "set", "vpn0", "up")
        self.side_a.wait_log(r"vpn0 is up again", start=start)
        self.assertEqual(traffic.ping(inside, INNER4[1], 5), 5)
        traffic.tcp(inside, self.b, INNER4[1], 4 << 20)
        traffic.tcp(self.b, inside, INNER6[0], 4 << 20)
        self.side_a.stop()
        self.assertFalse(inside.has("vpn0"))

    def test_what_happens_in_the_other_namespace_is_told(self):
        inside = self.namespace("inside")
        self.a.ip("link", "set", "vpn0", "netns", inside.name)
        self.side_a.wait_log(r"vpn0 was moved to another network namespace")
        for up in (True, False, True):
            start = len(self.side_a.log())
            inside.ip("link", "set", "vpn0", "up" if up else "down")
            self.side_a.wait_log("vpn0 is up again" if up else "^warn: .*vpn0 was set down",
                                 start=start)
        inside.ip("link", "set", "vpn0", "mtu", 1300)
        self.side_a.wait_log(r"vpn0.*MTU from 1420 to 1300")
        inside.ip("link", "set", "vpn0", "down")
        inside.ip("link", "set", "vpn0", "name", "inner0")
        self.side_a.wait_log(r"vpn0 has a new name: inner0")
        inside.ip("link", "del", "inner0")
        self.side_a.wait_end(1)
        self.assertRegex(self.side_a.log(), r"(?m)^error: .*inner0 was deleted")

    def test_a_namespace_that_is_removed_takes_the_device_along(self):
        inside = self.namespace("inside")
        self.a.ip("link", "set", "vpn0", "netns", inside.name)
        inside.ip("link", "set", "vpn0", "up")
        self.side_a.wait_log(r"vpn0 is up again")
        inside.close()
        self.side_a.wait_end(1)
        self.assertRegex(self.side_a.log(), r"(?m)^error: .*vpn0 was deleted")

    def test_a_device_that_comes_back_gets_its_addresses(self):
        inside = self.namespace("inside")
        self.a.ip("link", "set", "vpn0", "netns", inside.name)
        self.side_a.wait_log(r"vpn0 was moved to another network namespace")
        start = len(self.side_a.log())
        inside.ip("link", "set", "vpn0", "netns", self.a.name)
        self.side_a.wait_log(r"vpn0 is back in this network namespace", start=start)
        self.a.ip("link", "set", "vpn0", "up")
        self.side_a.wait_log(r"vpn0: 2 address\(es\) put back", start=start)
        traffic.wait_ping(self.b, INNER4[0])
        self.check_ping(3)

    def test_a_renamed_device_goes_on(self):
        self.a.ip("link", "set", "vpn0", "down")
        self.a.ip("link", "set", "vpn0", "name", "other")
        self.a.ip("link", "set", "other", "up")
        traffic.wait_ping(self.b, INNER4[0])
        self.assertTrue(self.side_a.running())


class Overload(Peers):
    def test_a_full_device_queue_drops_and_recovers(self):
        a, _ = self.tunnel(a={"device": {"txqueuelen": 16}})
        a.process.send_signal(19)  # SIGSTOP: nobody reads the device
        traffic.udp_flood(self.a, INNER4[1], 9, 1000, 2000)
        self.assertGreater(self.a.link("vpn0")["stats64"]["tx"]["dropped"], 0)
        a.process.send_signal(18)
        self.check_ping(5)
        self.check_tcp(1 << 20)

    def test_a_flood_of_datagrams_does_not_stop_the_tunnel(self):
        a, b = self.tunnel()
        floods = [traffic.Thread(traffic.udp_flood, ns, address, 9, 1300, 30000)
                  for ns, address in ((self.a, INNER4[1]), (self.b, INNER4[0]),
                                      (self.a, INNER6[1]), (self.b, INNER6[0]))]
        for f in floods:
            f.result(120)
        self.assertGreater(total(a.counters(), "udp", "down", "packets"), 0)
        self.assertGreater(total(b.counters(), "udp", "down", "packets"), 0)
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(5)
        self.check_tcp(1 << 20)


if __name__ == "__main__":
    main()
