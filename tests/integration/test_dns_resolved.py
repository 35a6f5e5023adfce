# SPDX-License-Identifier: BSD-2-Clause
"""dns/resolved with the real systemd-resolved: who is asked for which names, what a restart does, and what
is left behind. Topology: routed.py; a name server stands at the tunnel's other end, one at the gate."""
import os
import pathlib
import signal

from harness import BUILD, each, main, wait_for
from program import BINARY, environment, reapers
from resolved import NAME, NameServer, Resolved, ask
from routed import ALL, GATE4, INNER4, INNER6, Routed
from wireguard import private_run

INSIDE, OUTSIDE = "10.99.0.1", "192.0.2.99"  # what the two name servers answer
EVERYTHING = (INNER4[0], "~.", "yes")
NOTHING = ("", "", "no")
FROZEN = ("the bus", "systemd-resolved")


class DnsResolved(Routed):
    def setUp(self):
        super().setUp()
        self.resolved = Resolved(self.client, self.directory)
        self.addCleanup(self.resolved.close)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=%s" % self.resolved.socket
        self.addCleanup(os.environ.pop, "DBUS_SYSTEM_BUS_ADDRESS")

    def told(self):
        return super().told() + self.resolved.text()

    def begin(self):
        """The bus, systemd-resolved with a name server on eth0, and the tunnel's other end."""
        self.resolved.start_bus()
        self.resolved.start()
        self.set_outside()
        self.run_server()
        self.inside = self.name_server(self.server, INNER4[0], INSIDE)
        self.outside = self.name_server(self.gate, GATE4, OUTSIDE)

    def set_outside(self):
        self.resolved.ctl("dns", "eth0", GATE4)

    def name_server(self, ns, address, answer):
        s = NameServer(ns, address, answer)
        self.addCleanup(s.close)
        return s

    def spec(self, device=None, name="client", **dns):
        spec = self.client_manifest(None, name=name, allowed=[INNER4[0] + "/32", INNER6[0] + "/128"],
                                    device=device)
        spec["dns"] = dict({"backend": "resolved", "servers": [INNER4[0]]}, **dns)
        return spec

    def run_dns(self, **kwargs):
        return self.start_dns(**kwargs).wait_up()

    def start_dns(self, **kwargs):
        return self.vpncore(self.client, self.spec(**kwargs), before=private_run(self.client))

    def wait_link(self, wanted):
        wait_for(lambda: self.resolved.link() == wanted, "wg0 has %s" % (wanted,), 20)

    def asks(self, name, answer):
        """A program asks for a name until this is the answer."""
        wait_for(lambda: ask(self.client, name) == answer, "%s is %s" % (name, answer), 20)


class Names(DnsResolved):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_all_names_are_asked_in_the_tunnel_and_outside_again_after(self):
        before = self.resolved.state()
        self.asks("first.example", OUTSIDE)
        client = self.run_dns()
        self.assertEqual(self.resolved.link(), EVERYTHING)
        del self.outside.asked[:]
        self.asks("second.example", INSIDE)
        answer = self.resolved.ctl("query", "-4", "third.example").stdout
        self.assertIn(INSIDE, answer)
        self.assertIn("wg0", answer)
        self.assertEqual(self.outside.asked, [])
        self.assertIn("third.example", self.inside.asked)
        client.stop()
        self.assertEqual(self.resolved.state(), before)
        del self.inside.asked[:]
        self.asks("second.example", OUTSIDE)  # not from a cache
        self.assertEqual(self.inside.asked, [])

    def test_with_split_dns_each_name_goes_where_it_belongs(self):
        self.run_dns(domains=["corp.example", "~lab.example"])
        self.assertEqual(self.resolved.link(), (INNER4[0], "~corp.example ~lab.example", "no"))
        self.asks("www.corp.example", INSIDE)
        self.asks("lab.example", INSIDE)
        self.asks("www.example", OUTSIDE)
        self.asks("notcorp.example", OUTSIDE)
        self.assertEqual(set(self.inside.asked), {"www.corp.example", "lab.example"})
        self.assertEqual(set(self.outside.asked), {"www.example", "notcorp.example"})

    def test_a_short_name_is_searched_in_the_tunnels_domains(self):
        self.run_dns(search=["corp.example"], domains=["corp.example"])
        self.assertEqual(self.resolved.link(), (INNER4[0], "corp.example", "no"))
        self.assertIn("intranet.corp.example", self.resolved.ctl("query", "-4", "intranet").stdout)
        self.assertIn("intranet.corp.example", self.inside.asked)

    def test_another_interface_with_all_names_is_told_of(self):
        self.resolved.ctl("domain", "eth0", "~.")
        client = self.run_dns()
        client.wait_log("also asked at the servers of eth0.*block_outside")

    def test_a_full_tunnel_lets_no_query_out(self):
        spec = self.spec()
        spec["pipeline"][1]["peers"][0]["allowed_ips"] = ALL
        spec["routes"] = {"backend": "linux", "default": True}
        wire = self.capture(self.gate, "lan")
        self.vpncore(self.client, spec, before=private_run(self.client)).wait_up()
        wire.packets()
        self.asks("full.example", INSIDE)
        self.assertTrue(self.answers(INNER4[0]))
        self.check_only_the_tunnel(wire.packets())

    def test_an_ipv6_server_and_several_are_set(self):
        self.run_dns(servers=[INNER6[0], INNER4[0]])
        self.assertEqual(self.resolved.link(), (INNER6[0] + " " + INNER4[0], "~.", "yes"))


class Restarts(DnsResolved):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_a_resolved_that_is_started_again_is_told_again(self):
        client = self.run_dns()
        self.resolved.kill()
        client.wait_log("systemd-resolved has ended")
        self.resolved.restart()
        self.wait_link(EVERYTHING)
        client.wait_log("has the name servers of wg0 again")
        self.asks("again.example", INSIDE)

    def test_a_bus_that_is_started_again_is_found_again(self):
        client = self.run_dns()
        self.resolved.bus.kill()
        self.resolved.kill()
        client.wait_log("the connection to the system bus has broken")
        client.wait_log("there is no system bus")
        self.resolved.start_bus()
        self.resolved.restart()
        self.wait_link(EVERYTHING)
        self.asks("again.example", INSIDE)

    def test_the_tunnel_works_on_while_resolved_is_frozen(self):
        client = self.run_dns()
        self.resolved.daemon.signal(signal.SIGSTOP)
        self.addCleanup(self.resolved.daemon.signal, signal.SIGCONT)
        self.assertTrue(self.answers(INNER4[0]))
        self.assertTrue(client.counters())

    def test_a_stop_beside_a_frozen_resolved_ends_and_the_record_is_kept(self):
        client = self.run_dns()
        self.resolved.daemon.signal(signal.SIGSTOP)
        self.addCleanup(self.resolved.daemon.signal, signal.SIGCONT)
        client.stop(status=1, timeout=20)
        self.assertIn("systemd-resolved does not answer", client.log())
        self.resolved.daemon.signal(signal.SIGCONT)
        self.run_dns().stop()  # there is nothing to undo any more, the device is gone

    def test_a_stop_without_resolved_is_a_good_one(self):
        client = self.run_dns()
        self.resolved.kill()
        client.wait_log("systemd-resolved has ended")
        client.stop()


class Leftovers(DnsResolved):
    PERSISTENT = {"persist": "on"}

    def setUp(self):
        super().setUp()
        self.begin()

    def kill_all(self, client):
        """The program and its reaper, so that nobody is left to undo."""
        pids = reapers("client")
        self.assertTrue(pids)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        client.kill()

    def test_kill_9_leaves_nothing(self):
        before = self.resolved.state()
        client = self.run_dns()
        client.kill()
        wait_for(lambda: self.resolved.state() == before, "resolved as before")
        self.asks("after.example", OUTSIDE)
        wait_for(lambda: not os.path.exists("/run/vpncore/client"), "an empty journal")

    def test_kill_9_leaves_nothing_of_a_device_that_stays(self):
        client = self.run_dns(device=self.PERSISTENT)
        client.kill()
        wait_for(lambda: not reapers("client"), "the end of the reaper")
        self.assertTrue(self.client.has("wg0"))
        self.assertEqual(self.resolved.link(), NOTHING)

    def test_the_next_start_takes_back_what_was_left(self):
        self.kill_all(self.run_dns(device=self.PERSISTENT))
        self.assertEqual(self.resolved.link(), EVERYTHING)
        spec = self.spec(device=self.PERSISTENT)
        del spec["dns"]
        self.vpncore(self.client, spec, before=private_run(self.client)).wait_up()
        self.assertEqual(self.resolved.link(), NOTHING)

    def test_cleanup_takes_back_what_was_left(self):
        self.kill_all(self.run_dns(device=self.PERSISTENT))
        self.assertEqual(self.resolved.link(), EVERYTHING)
        self.client.sh(BINARY, "cleanup", env=environment())
        self.assertEqual(self.resolved.link(), NOTHING)

    def test_what_another_has_set_meanwhile_stays(self):
        client = self.run_dns(device=self.PERSISTENT)
        self.resolved.ctl("dns", "wg0", "10.1.1.1")
        client.stop()
        self.assertIn("not of our making any more", client.log())
        self.assertEqual(self.resolved.link()[0], "10.1.1.1")


class Looking(DnsResolved):
    """What is said without a pipeline."""

    def show(self):
        done = self.client.sh(BUILD / "bin" / "show_dns_resolved", check=False, env=environment())
        return done.stdout.splitlines()

    def files(self, hosts, nameserver):
        for name, text in (("nsswitch.conf", "passwd: files\ngroup: files\nhosts: %s\n" % hosts),
                           ("resolv.conf", "nameserver %s\n" % nameserver)):
            path = pathlib.Path("/etc", name)
            self.addCleanup(path.write_text, path.read_text(encoding="ascii"), encoding="ascii")
            path.write_text(text, encoding="ascii")

    def index(self, device):
        return self.client.link(device)["ifindex"]

    def test_every_set_of_servers_is_told(self):
        self.resolved.start_bus()
        self.resolved.start()
        eth0 = self.index("eth0")
        self.assertEqual(self.show()[1:], [])
        self.resolved.ctl("dns", "eth0", GATE4, "fe80::1", "192.0.2.7:5353")
        self.resolved.ctl("domain", "eth0", "lan", "~corp.example")
        self.assertEqual(self.show()[1:], [
            "%d: %s#53 fe80::1#53%%%d 192.0.2.7#5353 lan ~corp.example" % (eth0, GATE4, eth0)])
        self.resolved.ctl("default-route", "eth0", "yes")
        self.assertTrue(self.show()[1].startswith("%d default: " % eth0))

    def test_the_tunnel_takes_the_default_from_the_others(self):
        self.begin()
        self.assertEqual(self.show()[1:], ["%d default: %s#53" % (self.index("eth0"), GATE4)])
        self.run_dns()
        self.assertEqual(set(self.show()[1:]),
                         {"%d: %s#53" % (self.index("eth0"), GATE4),
                          "%d default: %s#53 ~." % (self.index("wg0"), INNER4[0])})

    def test_it_is_in_charge_where_programs_ask_it(self):
        self.assertRegex(self.show()[0], "^0 there is no system bus")
        self.resolved.start_bus()
        self.assertRegex(self.show()[0], "^0 systemd-resolved does not run")
        self.assertRegex(self.show()[1], "^error systemd-resolved does not run")
        self.resolved.start()
        self.files("files dns", GATE4)
        self.assertRegex(self.show()[0], "^10 .*nobody asks it")
        self.files("files resolve [!UNAVAIL=return] dns", GATE4)
        self.assertRegex(self.show()[0], "^90 .*nsswitch.conf")
        self.files("files dns", "127.0.0.53")
        self.assertRegex(self.show()[0], "^90 .*resolv.conf")

    def test_auto_takes_it_where_it_is_in_charge(self):
        self.begin()
        self.files("files dns", "127.0.0.53")
        self.run_dns(backend="auto")
        self.assertEqual(self.resolved.link(), EVERYTHING)


class Refusals(DnsResolved):
    def fails(self, text):
        client = self.start_dns()
        client.wait_end(1, 20)
        self.assertRegex(client.log(), text)
        self.assertFalse(self.client.has("wg0"))

    def test_no_bus_is_said(self):
        self.fails("there is no system bus at unix:path=.*\"backend\": \"file\"")

    def test_no_resolved_is_said(self):
        self.resolved.start_bus()
        self.fails("systemd-resolved does not run.*systemctl enable --now systemd-resolved")

    def test_a_denied_call_is_said_and_all_is_undone(self):
        self.resolved.start_bus(
            '<policy user="root"><deny send_destination="%s" send_interface='
            '"%s.Manager" send_member="SetLinkDNS"/></policy>' % (NAME, NAME))
        self.resolved.start()
        before = self.resolved.state()
        self.fails("systemd-resolved does not let us.*run as root.*polkit")
        wait_for(lambda: self.resolved.state() == before, "resolved as before")

    @each(FROZEN)
    def test_no_answer_is_an_error_in_time(self, frozen):
        self.resolved.start_bus()
        self.resolved.start()
        daemon = self.resolved.bus if frozen == FROZEN[0] else self.resolved.daemon
        daemon.signal(signal.SIGSTOP)
        self.addCleanup(daemon.signal, signal.SIGCONT)
        self.fails("systemd-resolved does not answer")

    def test_a_resolved_of_another_namespace_is_left_alone(self):
        self.resolved.ns = self.gate  # where the number of wg0 is that of another interface
        self.resolved.start_bus()
        self.resolved.start()
        before = self.resolved.state()
        self.fails("runs in another network namespace")
        self.assertEqual(self.resolved.state(), before)

    def test_check_refuses_what_cannot_be(self):
        for dns, where in (({"servers": ["127.0.0.53"]}, "/dns/servers/0"),
                           ({"servers": []}, "/dns/servers"),
                           ({"domains": ["a..b"]}, "/dns/domains/0"),
                           ({"search": ["~a.example"]}, "/dns/search/0")):
            self.assertIn(where, self.check(self.spec(**dns)))


if __name__ == "__main__":
    main()
