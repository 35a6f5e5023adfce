# SPDX-License-Identifier: BSD-2-Clause
"""Full tunnel on Linux: what goes through it, what does not, and what others do to it.
Topology: routed.py."""
import errno

import netns
from harness import PORT, main, traffic, veth, wait_for
from routed import (CLIENT4, CLIENT6, GATE4, GATE6, INNER4, INNER6, MARK, OUT4, OUT6, PROTOCOL,
                    Routed, SERVER6, SITE4, SITE6, TABLE, state)
from wireguard import wg

UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES)


class FullTunnel(Routed):
    def setUp(self):
        super().setUp()
        self.run_server({"nat": True})

    def test_everything_goes_through_the_tunnel_and_its_own_packets_do_not(self):
        before = state(self.client)
        client = self.run_client({"default": True})
        wire = self.capture(self.gate, "lan")
        inside = self.capture(self.client, "wg0", ethernet=False)
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        self.assertTrue(self.answers(SITE4))
        self.assertTrue(self.answers(SITE6))
        traffic.tcp(self.client, self.site, SITE4, 1 << 20)
        outside = wire.packets()
        self.assertGreater(len(outside), 10)
        self.check_only_the_tunnel(outside)
        carried = inside.packets()
        self.assertGreater(len(carried), 10)
        for _, _, _, sport, dport in carried:
            self.assertNotIn(PORT, (sport, dport))
        client.stop()
        self.assertEqual(state(self.client), before)

    def test_strict_reverse_path_filters_let_answers_in(self):
        for scope in ("all", "eth0"):
            self.client.sysctl("net/ipv4/conf/%s/rp_filter" % scope, 1)
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertTrue(self.answers(SITE4))

    def test_a_packet_for_the_tunnels_address_from_outside_is_dropped(self):
        self.run_client({"default": True, "lan_access": "on"})
        self.gate.ip("route", "add", INNER4[1], "via", CLIENT4)
        self.assertEqual(traffic.ping(self.gate, CLIENT4, 1), 1)
        arrived = self.capture(self.client, "eth0")
        self.assertEqual(traffic.ping(self.gate, INNER4[1], 1, 56, "-W", "1"), 0)
        self.assertTrue([p for p in arrived.packets() if p[1] == INNER4[1]])

    # -- families ----------------------------------------------------------------------------

    def test_ipv6_does_not_leak_past_a_tunnel_that_has_none(self):
        self.assertEqual(self.seen_at_site(address=SITE6), CLIENT6)
        self.run_client({"default": True}, addresses=[INNER4[1] + "/24"],
                        allowed=["0.0.0.0/0"])
        wire = self.capture(self.gate, "lan")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertIn(self.cannot_send(SITE6), UNREACHABLE)
        self.assertEqual(self.device_of(self.client, SITE6), "")
        self.check_only_the_tunnel(wire.packets())

    def test_ipv4_does_not_leak_past_a_tunnel_of_ipv6(self):
        self.run_client({"default": True}, addresses=[INNER6[1] + "/64"], allowed=["::/0"])
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)
        self.assertIn(self.cannot_send(SITE4), UNREACHABLE)

    def test_a_host_without_ipv4_reaches_it_through_the_tunnel(self):
        self.client.ip("-4", "addr", "flush", "dev", "eth0")
        self.run_client({"default": True}, endpoint=SERVER6)
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)

    # -- what happens outside ----------------------------------------------------------------

    def test_the_endpoint_follows_another_default_gateway(self):
        veth(self.client, "eth1", self.gate, "lan1")
        netns.address(self.client, "eth1", "192.168.6.2/24")
        netns.address(self.gate, "lan1", "192.168.6.1/24")
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.client.ip("route", "replace", "default", "via", "192.168.6.1")
        wire = self.capture(self.gate, "lan1")
        self.assertEqual(self.seen_at_site(), OUT4)
        wait_for(lambda: [p for p in wire.packets() if p[4] == PORT], "packets on the new way")
        self.client.ip("link", "set", "eth0", "down")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_another_way_to_an_ipv6_endpoint_is_noticed(self):
        veth(self.client, "eth1", self.gate, "lan1")
        netns.address(self.client, "eth1", "2001:db8:6::2/64")
        netns.address(self.gate, "lan1", "2001:db8:6::1/64")
        client = self.run_client({"default": True}, endpoint=SERVER6)
        self.client.ip("-6", "route", "replace", "default", "via", "2001:db8:6::1")
        client.wait_log("the way to the endpoints has changed")

    def test_nothing_leaks_while_the_cable_is_out_and_all_works_again_after(self):
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        self.client.ip("link", "set", "eth0", "down")
        self.assertEqual(self.device_of(self.client, SITE4), "wg0")
        self.assertEqual(self.device_of(self.client, SITE4, MARK), "")
        self.client.ip("link", "set", "eth0", "up")
        netns.address(self.client, "eth0", CLIENT6 + "/64")
        self.gateways(self.client, "192.168.5.1", "2001:db8:5::1")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)

    def test_nothing_leaks_while_the_device_is_down_and_its_routes_come_back(self):
        client = self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)
        wire = self.capture(self.gate, "lan")
        self.client.ip("link", "set", "wg0", "down")
        for address in (SITE4, SITE6):
            self.assertIn(self.cannot_send(address), UNREACHABLE)
        self.check_only_the_tunnel(wire.packets())
        client.wait_log("wg0 was set down by another program")
        self.client.ip("link", "set", "wg0", "up")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.seen_at_site(address=SITE6), OUT6)

    # -- what others do ----------------------------------------------------------------------

    def test_rules_and_routes_that_others_delete_are_put_back(self):
        client = self.run_client({"default": True})
        before = state(self.client)
        for family in (4, 6):
            for line in self.rules(self.client, family):
                preference = line.split(":")[0]
                self.client.ip("-%d" % family, "rule", "del", "preference", preference)
            self.client.ip("-%d" % family, "route", "flush", "table", TABLE)
        wait_for(lambda: state(self.client) == before, "rules and routes as before")
        client.wait_log("removed by another program: put back")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_rules_and_routes_that_others_replace_are_put_back(self):
        client = self.run_client({"default": True})
        before = state(self.client)
        for more in ([], ["proto", str(PROTOCOL)]):
            for family, via in ((4, GATE4), (6, GATE6)):
                metric = ["metric", "1024"] if family == 6 else []
                self.client.ip("-%d" % family, "route", "replace", "default", "via", via, "table",
                               TABLE, *metric, *more)
                self.assertNotEqual(state(self.client), before)
                wait_for(lambda: state(self.client) == before, "routes as before")
        client.wait_log("0.0.0.0/0 table 7600 metric 0 was replaced by another program: put back")
        for family in (4, 6):
            for action in (["lookup", "main"], ["iif", "lo", "lookup", "main"]):
                self.client.ip("-%d" % family, "rule", "del", "preference", "7630")
                self.client.ip("-%d" % family, "rule", "add", "preference", "7630", *action,
                               "protocol", PROTOCOL)
                wait_for(lambda: state(self.client) == before, "rules as before")
        client.wait_log("rule with preference 7630 .* was replaced by another program: put back")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_a_rule_that_comes_in_front_later_is_told(self):
        client = self.run_client({"default": True})
        self.client.ip("rule", "add", "preference", "100", "lookup", "main")
        client.wait_log("a rule before ours takes the traffic to another interface")

    def test_a_fight_is_given_up_and_said(self):
        client = self.run_client({"default": True})

        def is_over():
            for line in self.rules(self.client):
                self.client.ip("rule", "del", "preference", line.split(":")[0], check=False)
            return client.log().count("again and again") == 3
        wait_for(is_over, "the end of the repairs", 30)
        self.assertEqual(self.rules(self.client), [])
        # what nobody fights over is still repaired
        self.client.ip("-6", "rule", "del", "preference", "7630")
        wait_for(lambda: len(self.rules(self.client, 6)) == 3, "the rule of IPv6")
        self.assertEqual(self.rules(self.client), [])

    def test_the_mark_survives_another_one_that_wg_sets(self):
        self.run_client({"default": True})
        wg(self.client, "set", "wg0", "fwmark", "0x1234")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_two_pipelines_share_a_machine(self):
        before = state(self.client)
        self.run_client({"default": True})
        # plain UDP, nobody at the other end: it is about the routes
        spec = {"vpncore": 1, "name": "second", "allow_insecure": True,
                "routes": {"networks": ["203.0.113.0/24"], "exclude": ["203.0.113.9/32"]},
                "pipeline": [{"device": "auto", "name": "vpn1", "addresses": ["10.79.0.1/24"]},
                             {"transport": "udp", "listen": "*:0", "remote": "198.51.100.2:9"}]}
        second = self.vpncore(self.client, spec).wait_up()
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "vpn1")
        self.assertEqual(self.device_of(self.client, "9.9.9.9"), "wg0")
        self.assertEqual(len(self.rules(self.client)), 6)
        second.stop()
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "wg0")
        self.assertEqual(self.seen_at_site(), OUT4)
        self.programs[1].stop()
        self.assertEqual(state(self.client), before)


if __name__ == "__main__":
    main()
