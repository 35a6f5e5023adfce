# SPDX-License-Identifier: BSD-2-Clause
"""What libvpncore tells of the system, asked by docs/examples/routes-of.c against an installed tree, is what
ip(8) and /etc/resolv.conf say. The components are those of this tree: routes/linux and dns/file.

    namespace a: eth0 192.0.2.1/24, 2001:db8::1/64, default by 192.0.2.254 and 2001:db8::fe
                 eth1 198.51.100.1/24, default by 198.51.100.254 with a larger metric
"""
import json
import pathlib

import installed
import netns
from harness import Test, main, veth

RESOLV = pathlib.Path("/etc/resolv.conf")  # of this run alone, see run.py
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def setUpModule():
    installed.set_up("routes-of")


def words(line):
    """"to X via G dev D from S metric M mtu N" as a dictionary."""
    parts = line.split()
    return dict(zip(parts[::2], parts[1::2]))


class System(Test):
    def setUp(self):
        super().setUp()
        self.a, far = self.namespace("a"), self.namespace("far")
        for device, mtu in (("eth0", 1500), ("eth1", 1400)):
            veth(self.a, device, far, device, mtu)
        netns.address(self.a, "eth0", "192.0.2.1/24", "2001:db8::1/64")
        netns.address(self.a, "eth1", "198.51.100.1/24")
        before = RESOLV.read_text()
        self.addCleanup(RESOLV.write_text, before)

    def add_defaults(self):
        self.a.ip("route", "add", "default", "via", "192.0.2.254", "metric", "100")
        self.a.ip("route", "add", "default", "via", "198.51.100.254", "metric", "50")
        self.a.ip("-6", "route", "add", "default", "via", "2001:db8::fe", "metric", "7")

    def ask(self, *addresses, status=0):
        """The lines as root; as nobody they are the same."""
        answers = []
        for before in ((), NOBODY):
            done = self.a.sh(*before, *installed.command("routes-of", *addresses), check=False,
                             env=installed.environ())
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            answers.append(done.stdout.splitlines())
        self.assertEqual(*answers)
        return answers[0]

    def shown(self, *args):
        return json.loads(self.a.ip("-j", *args).stdout)

    def test_the_default_routes_are_those_of_ip(self):
        self.add_defaults()
        lines = self.ask()
        for line, family in ((lines[0], 4), (lines[1], 6)):
            best = min(self.shown("-%d" % family, "route", "show", "default"),
                       key=lambda r: r["metric"])
            self.assertTrue(line.startswith("default ipv%d " % family), line)
            told = words(line)
            self.assertEqual(told["via"], best["gateway"])
            self.assertEqual(told["dev"], best["dev"])
            self.assertEqual(told["metric"], str(best["metric"]))

    def test_routes_to_addresses_are_those_of_ip(self):
        self.add_defaults()
        self.a.ip("route", "add", "203.0.113.0/24", "via", "192.0.2.7", "mtu", "1280")
        addresses = ["192.0.2.9", "198.51.100.9", "203.0.113.5", "8.8.8.8", "2001:db8::9", "2001:db8:9::9"]
        lines = self.ask(*addresses)[2:]
        for address, line in zip(addresses, lines):
            with self.subTest(address=address):
                (route,) = self.shown("route", "get", address)
                told = words(line)
                self.assertEqual(told["to"], address)
                self.assertEqual(told.get("via"), route.get("gateway"))
                self.assertEqual(told["dev"], route["dev"])
                self.assertEqual(told["from"], route["prefsrc"])
        self.assertEqual(words(lines[1])["mtu"], "1400")
        self.assertEqual(words(lines[2])["mtu"], "1280")

    def test_what_is_not_there_and_what_is_blocked(self):
        lines = self.ask("8.8.8.8")
        for line in lines[:3]:
            self.assertRegex(line, r"^(default ipv[46]|to 8\.8\.8\.8): ")
        self.a.ip("route", "add", "unreachable", "8.8.8.0/24")
        self.assertTrue(self.ask("8.8.8.8")[2].startswith("to 8.8.8.8 blocked"), lines)

    def test_the_name_servers_are_those_of_resolv_conf(self):
        RESOLV.write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch one.example two.example\n")
        lines = [line for line in self.ask() if line.startswith("dns ")]
        self.assertEqual(lines, ["dns 192.0.2.53 port 53 for one.example,two.example",
                                 "dns 2001:db8::53 port 53 for one.example,two.example"])


if __name__ == "__main__":
    main()
