# SPDX-License-Identifier: BSD-2-Clause
"""How the system routes, as routes/linux answers a program and ip(8) shows it. Asked by
tests/unit/routes/route_query.c, as root and as nobody. Topology: routed.py, or a single namespace."""
import json

import netns
from harness import BUILD, Test, environment, main, veth
from routed import CLIENT4, CLIENT6, GATE4, GATE6, Routed, SITE4, SITE6

QUERY = BUILD / "bin" / "route-query"
OK, ENOENT, EINVAL = 0, -11, -2
LOCAL, BLOCKED = 1, 2
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


class Asking:
    """Mixed into tests."""

    def ask(self, ns, *words):
        answers = [json.loads(ns.sh(*before, QUERY, *words, env=environment()).stdout)
                   for before in ((), NOBODY)]
        self.assertEqual(answers[0], answers[1])
        return answers[0]

    def mtu(self, ns, device):
        (link,) = json.loads(ns.ip("-j", "link", "show", "dev", device).stdout)
        return link["mtu"]

    def check(self, ns, route, shown):
        """An answer against what ip(8) shows of the same route."""
        self.assertEqual(route["status"], OK, route)
        self.assertEqual(route["ifname"], shown["dev"])
        self.assertEqual(route["gateway"], shown.get("gateway", shown.get("via", {}).get("host", "")))
        (link,) = json.loads(ns.ip("-j", "link", "show", "dev", shown["dev"]).stdout)
        self.assertEqual(route["ifindex"], link["ifindex"])
        metrics = shown.get("metrics", [{}])[0]
        self.assertEqual(route["mtu"], metrics.get("mtu", link["mtu"]))
        if "prefsrc" in shown:
            self.assertEqual(route["source"], shown["prefsrc"])

    def check_default(self, ns, family):
        shown = json.loads(ns.ip("-j", "-%d" % family, "route", "show", "table", "main").stdout)
        best = min((r for r in shown if r["dst"] == "default"), key=lambda r: r.get("metric", 0))
        route = self.ask(ns, "default", family)
        self.assertEqual(route["metric"], best.get("metric", 0))
        self.check(ns, route, dict(best, **best.get("nexthops", [{}])[0]))
        return route

    def check_to(self, ns, address):
        (shown,) = json.loads(ns.ip("-j", "route", "get", address).stdout)
        route = self.ask(ns, "to", address)
        self.check(ns, route, shown)
        self.assertEqual(route["flags"], LOCAL if shown.get("type") == "local" else 0)
        self.assertEqual(route["metric"], 0)
        return route


class Queries(Asking, Test):
    """One namespace: eth0 192.0.2.1/24 2001:db8::1/64, eth1 198.51.100.1/24 2001:db8:1::1/64."""

    def setUp(self):
        super().setUp()
        self.a, other = self.namespace("a"), self.namespace("b")
        veth(self.a, "eth0", other, "x")
        veth(self.a, "eth1", other, "y")
        netns.address(self.a, "eth0", "192.0.2.1/24", "192.0.2.7/24", "10.0.0.1/8", "2001:db8::1/64")
        netns.address(self.a, "eth1", "198.51.100.1/24", "2001:db8:1::1/64")

    def test_without_a_route_there_is_none(self):
        for family, address in ((4, "9.9.9.9"), (6, "2620:fe::9")):
            for words in (("default", family), ("to", address)):
                route = self.ask(self.a, *words)
                self.assertEqual(route["status"], ENOENT)
                self.assertRegex(route["text"], "there is no .*IPv%d" % family)
        for words in (("default", 5), ("to", "x")):
            self.assertEqual(self.ask(self.a, *words)["status"], EINVAL)

    def test_a_default_route(self):
        self.a.ip("route", "add", "default", "via", "192.0.2.254")
        self.a.ip("-6", "route", "add", "default", "via", "2001:db8::fe")
        self.assertEqual(self.check_default(self.a, 4)["source"], "192.0.2.1")
        self.check_default(self.a, 6)
        for address in ("9.9.9.9", "2620:fe::9", "192.0.2.9", "192.0.2.1", "2001:db8::1", "127.0.0.1",
                        "::1", "192.0.2.255", "10.7.7.7"):
            self.check_to(self.a, address)

    def test_of_several_the_one_with_the_lowest_metric(self):
        for device, metric in (("eth1", 200), ("eth0", 100), ("eth1", 300)):
            self.a.ip("route", "add", "default", "dev", device, "metric", metric, "mtu", 1400)
            self.a.ip("-6", "route", "add", "default", "dev", device, "metric", metric, "mtu", 1300)
        self.assertEqual(self.check_default(self.a, 4)["mtu"], 1400)
        self.assertEqual(self.check_default(self.a, 6)["ifname"], "eth0")
        self.a.ip("route", "add", "default", "dev", "eth1", "src", "198.51.100.1")
        self.assertEqual(self.check_default(self.a, 4)["source"], "198.51.100.1")
        # of the main table, and not of one that a tunnel may have
        self.a.ip("route", "add", "default", "dev", "lo", "table", "7600")
        self.a.ip("rule", "add", "preference", "10", "lookup", "7600")
        self.assertEqual(self.check_default(self.a, 4)["ifname"], "eth1")
        self.assertEqual(self.check_to(self.a, "9.9.9.9")["ifname"], "lo")

    def test_of_several_hops_the_first(self):
        for family, first, second in ((4, "198.51.100.254", "192.0.2.254"),
                                      (6, "2001:db8:1::fe", "2001:db8::fe")):
            self.a.ip("-%d" % family, "route", "add", "default", "nexthop", "via", first,
                      "nexthop", "via", second)
            route = self.check_default(self.a, family)
            self.assertEqual((route["gateway"], route["ifname"]), (first, "eth1"))

    def test_a_gateway_of_the_other_family(self):
        self.a.ip("-4", "route", "add", "default", "via", "inet6", "2001:db8::fe", "dev", "eth0")
        self.assertEqual(self.check_default(self.a, 4)["gateway"], "2001:db8::fe")
        self.check_to(self.a, "9.9.9.9")

    def test_what_is_blocked(self):
        for family, net, address in ((4, "203.0.113.%d/32", "203.0.113.%d"),
                                     (6, "2001:db8:9::%d/128", "2001:db8:9::%d")):
            for i, kind in enumerate(("unreachable", "prohibit", "blackhole"), 1):
                self.a.ip("-%d" % family, "route", "add", kind, net % i)
                route = self.ask(self.a, "to", address % i)
                self.assertEqual((route["status"], route["flags"], route["ifname"]),
                                 (OK, BLOCKED, ""), kind)
            self.a.ip("-%d" % family, "route", "add", "unreachable", "default", "metric", 5)
            route = self.ask(self.a, "default", family)
            self.assertEqual((route["status"], route["flags"], route["metric"]), (OK, BLOCKED, 5))


class BesideATunnel(Asking, Routed):
    def test_the_default_route_is_that_outside_and_a_program_goes_inside(self):
        self.run_client({"default": True})
        for family, gateway in ((4, GATE4), (6, GATE6)):
            route = self.check_default(self.client, family)
            self.assertEqual((route["gateway"], route["ifname"]), (gateway, "eth0"))
        self.assertEqual(self.ask(self.client, "default", 4)["source"], CLIENT4)
        for address, device in ((SITE4, "wg0"), (SITE6, "wg0"), (GATE4, "eth0"), (CLIENT6, "lo")):
            self.assertEqual(self.check_to(self.client, address)["ifname"], device)
        self.client.ip("link", "set", "wg0", "down")
        for address in (SITE4, SITE6):
            route = self.ask(self.client, "to", address)
            self.assertEqual((route["status"], route["flags"]), (OK, BLOCKED))


if __name__ == "__main__":
    main()
