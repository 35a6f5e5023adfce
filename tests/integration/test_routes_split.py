# SPDX-License-Identifier: BSD-2-Clause
"""Single networks through the tunnel on Linux, and what stays beside it. Topology: routed.py."""
import netns
from harness import main, veth, wait_for
from routed import (ALL, CLIENT4, GATE4, MARK, OUT4, PROTOCOL, Routed, SITE4, SITE6, TABLE,
                    state)
from wireguard import wg


class Split(Routed):
    def setUp(self):
        super().setUp()
        self.run_server({"nat": True})

    def test_what_peers_allow_is_routed_and_the_rest_is_not(self):
        before = state(self.client)
        client = self.run_client({}, allowed=["10.78.0.1/32", "203.0.113.0/24", "fd99::/48"])
        main_routes = self.routes(self.client, "main")
        self.assertIn("203.0.113.0/24 dev wg0 proto %d" % PROTOCOL,
                      [r.replace(" scope link", "") for r in main_routes])
        # the address of the device has brought a route to its own network
        self.assertFalse([r for r in main_routes if r.startswith("10.78.0.1 ")])
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertEqual(self.device_of(self.client, "9.9.9.9"), "eth0")
        self.assertEqual(self.device_of(self.client, "fd99::1"), "wg0")
        self.assertEqual(self.rules(self.client), [])
        client.stop()
        self.assertEqual(state(self.client), before)

    def test_changes_of_peers_are_followed(self):
        self.run_client({}, allowed=["10.78.0.1/32"])
        self.assertEqual(self.device_of(self.client, SITE4), "eth0")
        key = self.keys[0].public
        wg(self.client, "set", "wg0", "peer", key, "allowed-ips", "10.78.0.1/32,203.0.113.0/24")
        wait_for(lambda: self.device_of(self.client, SITE4) == "wg0", "the new route")
        wg(self.client, "set", "wg0", "peer", key, "allowed-ips", "10.78.0.1/32")
        wait_for(lambda: self.device_of(self.client, SITE4) == "eth0", "the end of the route")

    def test_a_prefix_of_everything_is_not_routed_without_default(self):
        self.run_client({}, allowed=ALL)
        self.assertEqual(self.seen_at_site(), CLIENT4)

    def test_networks_metrics_and_mtu_are_as_the_manifest_has_them(self):
        self.run_client({"networks": ["203.0.113.0/24", "fd99::/48"], "allowed_ips": True,
                         "metric": 7, "mtu": 1300,
                         "peer_metrics": [{"public_key": self.keys[0].public, "metric": 9}]},
                        allowed=["10.77.0.0/16"])
        text = " ".join(self.routes(self.client, "main") + self.routes(self.client, "main", 6))
        self.assertIn("203.0.113.0/24 dev wg0 proto 190 metric 7 mtu 1300", text)
        self.assertIn("10.77.0.0/16 dev wg0 proto 190 metric 9 mtu 1300", text)
        self.assertIn("fd99::/48 dev wg0 proto 190 metric 7 mtu 1300", text)

    def test_an_endpoint_within_a_routed_network_is_not_cut_off(self):
        self.run_client({"networks": ["198.51.100.0/24"]}, allowed=["0.0.0.0/0"])
        self.assertEqual(self.device_of(self.client, "198.51.100.2"), "wg0")
        self.assertEqual(self.device_of(self.client, "198.51.100.2", MARK), "eth0")
        self.assertEqual(self.device_of(self.client, "9.9.9.9"), "eth0")
        self.assertTrue(self.answers("198.51.100.2"))

    def test_exclude_stays_outside(self):
        self.run_client({"default": True, "exclude": ["203.0.113.0/24", "2001:db8:9::/48",
                                                       "198.18.0.0/15"]})
        self.assertEqual(self.seen_at_site(), CLIENT4)
        self.assertEqual(self.device_of(self.client, "9.9.9.9"), "wg0")
        self.assertEqual(self.device_of(self.client, SITE6), "eth0")

    def test_exclude_holds_within_a_network(self):
        self.run_client({"networks": ["203.0.112.0/20"], "exclude": ["203.0.113.9/32"]},
                        allowed=["0.0.0.0/0"])
        self.assertEqual(self.device_of(self.client, "203.0.113.8"), "wg0")
        self.assertEqual(self.seen_at_site(), CLIENT4)

    # -- the local network -------------------------------------------------------------------

    def test_a_private_local_network_stays_reachable_and_a_public_one_does_not(self):
        veth(self.client, "eth1", self.gate, "lan1")
        netns.address(self.client, "eth1", "1.2.3.4/24")
        self.run_client({"default": True})
        self.assertEqual(self.device_of(self.client, GATE4), "eth0")
        self.assertTrue(self.answers(GATE4))
        self.assertEqual(self.device_of(self.client, "1.2.3.1"), "wg0")

    def test_lan_access_off_takes_the_local_network_away(self):
        self.run_client({"default": True, "lan_access": "off"})
        self.assertEqual(self.device_of(self.client, GATE4), "wg0")
        self.assertEqual(self.seen_at_site(), OUT4)

    def test_lan_access_by_list_takes_what_lies_within_it(self):
        veth(self.client, "eth1", self.gate, "lan1")
        netns.address(self.client, "eth1", "1.2.3.4/24")
        self.run_client({"default": True, "lan_access": "list", "lan_networks": ["1.0.0.0/8"]})
        self.assertEqual(self.device_of(self.client, "1.2.3.1"), "eth1")
        self.assertEqual(self.device_of(self.client, "1.2.4.1"), "wg0")
        self.assertEqual(self.device_of(self.client, GATE4), "wg0")

    def test_a_local_network_that_comes_later_is_seen(self):
        self.run_client({"default": True})
        veth(self.client, "eth1", self.gate, "lan1")
        netns.address(self.client, "eth1", "192.168.9.2/24")
        wait_for(lambda: self.device_of(self.client, "192.168.9.1") == "eth1", "the new network")
        self.client.ip("addr", "del", "192.168.9.2/24", "dev", "eth1")
        wait_for(lambda: "192.168.9.0/24" not in " ".join(self.routes(self.client)),
                 "the end of its route")

    def test_a_network_that_others_replace_is_put_back(self):
        client = self.run_client({}, allowed=["203.0.113.0/24"])
        before = state(self.client)
        self.client.ip("route", "replace", "203.0.113.0/24", "via", GATE4)
        self.assertEqual(self.device_of(self.client, SITE4), "eth0")
        client.wait_log("203.0.113.0/24 .* was replaced by another program: put back")
        self.assertEqual(state(self.client), before)

    def test_a_conflict_that_lasts_does_not_hold_up_repairs(self):
        client = self.run_client({}, allowed=["203.0.113.0/24"])
        self.client.ip("route", "add", "10.6.0.0/16", "via", GATE4)
        wg(self.client, "set", "wg0", "peer", self.keys[0].public, "allowed-ips",
           "203.0.113.0/24,10.6.0.0/16")
        client.wait_log("10.6.0.0/16 .* is there already and not ours")
        for _ in range(3):
            self.client.ip("route", "del", "203.0.113.0/24", "dev", "wg0")
            wait_for(lambda: self.device_of(self.client, SITE4) == "wg0", "the route again")
        self.assertEqual(client.log().count("is there already"), 1)

    # -- in the way --------------------------------------------------------------------------

    def refused(self, routes, **more):
        """Starts a client that must not come up; returns its log."""
        before = state(self.client)
        spec = self.client_manifest(routes, **more)
        program = self.vpncore(self.client, spec)
        program.wait_end(1)
        self.assertEqual(state(self.client), before)
        return program.log()

    def test_the_network_of_another_interface_is_refused_and_all_is_undone(self):
        log = self.refused({"networks": ["10.5.0.0/16", "192.168.5.0/24"]})
        self.assertIn("192.168.5.0/24 table 254 metric 0 is there already", log)
        self.assertIn("exclude", log)

    def test_the_network_of_another_interface_can_be_excluded(self):
        self.run_client({"networks": ["10.5.0.0/16", "192.168.0.0/16"],
                         "exclude": ["192.168.5.0/24"]})
        self.assertEqual(self.device_of(self.client, GATE4), "eth0")
        self.assertEqual(self.device_of(self.client, "192.168.6.1"), "wg0")

    def test_a_default_that_no_peer_allows_is_refused(self):
        log = self.refused({"default": True}, allowed=["10.78.0.1/32"])
        self.assertIn("0.0.0.0/0", log)

    def test_a_rule_of_another_in_front_is_refused(self):
        for family in ("-4", "-6"):
            with self.subTest(family=family):
                self.client.ip(family, "rule", "add", "preference", "100", "lookup", "main")
                log = self.refused({"default": True})
                self.assertIn("a rule before ours", log)
                self.assertIn("preference", log)
                self.client.ip(family, "rule", "del", "preference", "100")

    def test_a_slot_that_others_have_is_left_to_them(self):
        self.client.ip("rule", "add", "preference", "7610", "fwmark", "9", "lookup", "main")
        self.client.ip("route", "add", "10.99.0.0/16", "via", GATE4, "table", TABLE + 1)
        client = self.run_client({"default": True})
        self.assertTrue(self.routes(self.client, TABLE + 2))
        self.assertEqual(len(self.routes(self.client, TABLE + 1)), 1)
        self.assertEqual(self.seen_at_site(), OUT4)
        client.stop()

    def test_check_finds_what_does_not_fit(self):
        wrong = [({"networks": ["0.0.0.0/0"]}, "/routes/networks/0", "default"),
                 ({"networks": ["10.0.0.0/8", "10.0.0.0/8"]}, "/routes/networks/1", "same"),
                 ({"networks": ["10.0.0.1/8"]}, "/routes/networks/0", ""),
                 ({"networks": ["224.0.0.0/4"]}, "/routes/networks/0", "not routed"),
                 ({"networks": ["10.1.0.0/16"], "exclude": ["10.0.0.0/8"]}, "/routes/exclude/0",
                  "all of /networks/0"),
                 ({"exclude": ["::/0"]}, "/routes/exclude/0", "every address"),
                 ({"lan_access": "list"}, "/routes/lan_access", "lan_networks"),
                 ({"lan_networks": ["10.0.0.0/8"]}, "/routes/lan_networks", "no effect"),
                 ({"mark": 1}, "/routes/mark", "mask"),
                 ({"table": 254}, "/routes/table", "main"),
                 ({"mtu": 60}, "/routes/mtu", "68"),
                 ({"kill_switch": True}, "/routes/kill_switch", ""),
                 ({"exlude": []}, "/routes/exlude", "exclude")]
        for routes, where, text in wrong:
            with self.subTest(where=where):
                out = self.check(self.client_manifest(routes))
                self.assertIn(where + ":", out)
                self.assertIn(text, out)


if __name__ == "__main__":
    main()
