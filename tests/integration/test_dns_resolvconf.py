# SPDX-License-Identifier: BSD-2-Clause
"""dns/resolvconf with openresolv, and without any. Topology: resolvconf_cases.py."""
import json
import os
import pathlib
import shutil

import resolvconf_cases
from harness import Peers, environment, main, manifest, sh
from program import BINARY
from resolvconf_cases import AT_INSIDE, AT_OUTSIDE, FILE, INSIDE, OUTSIDE, PACKAGES, STATE, give


class Openresolv(resolvconf_cases.Both):
    package, card, key, folder = "openresolv", "eth0.dhcp", "vpn0.vpncore", "interfaces"
    answer = "openresolv 3.12.0 writes /etc/resolv.conf"

    def install(self):
        shutil.copy(PACKAGES / "openresolv/etc/resolvconf.conf", "/etc/resolvconf.conf")
        FILE.unlink(missing_ok=True)

    def unwritable(self):
        return "/etc"

    @staticmethod
    def configure(text):
        with open("/etc/resolvconf.conf", "a", encoding="ascii") as f:
            f.write(text)

    def test_nobody_else_is_asked_meanwhile(self):
        self.run_up(servers=[INSIDE, "10.78.0.9"])
        give("eth1", "nameserver 203.0.113.53\n")
        self.assertEqual(self.servers(), [INSIDE, "10.78.0.9"])

    def test_a_file_that_was_there_before_openresolv_is_there_again(self):
        sh("resolvconf", "-d", self.card)
        FILE.write_text("# by hand\nnameserver %s\n" % OUTSIDE, encoding="ascii")
        self.before = self.state()
        program = self.run_up()
        program.stop()
        self.assertEqual(self.state(), self.before)

    def test_a_deletion_that_stopped_half_way_is_finished(self):
        """The key is gone, resolv.conf still has its servers."""
        self.kill_all(self.run_up())
        self.configure("libc=NO\n")
        sh("resolvconf", "-d", self.key)
        self.assertEqual(self.servers(), [INSIDE])
        shutil.copy(PACKAGES / "openresolv/etc/resolvconf.conf", "/etc/resolvconf.conf")
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    def test_an_addition_that_stopped_half_way_is_cleaned(self):
        """The marks of a key are made before the key."""
        self.kill_all(self.run_up())
        (STATE / "interfaces" / self.key).unlink()
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    def test_a_resolver_on_this_machine_is_told_of_the_servers(self):
        self.configure("name_servers=127.0.0.1\nunbound_conf=/run/unbound.conf\n")
        sh("resolvconf", "-u")
        self.before = self.state()
        program = self.start().wait_up()
        self.assertEqual(self.servers(), ["127.0.0.1"])
        zones = pathlib.Path("/run/unbound.conf")
        self.assertIn("forward-addr: " + INSIDE, zones.read_text(encoding="ascii"))
        program.stop()
        self.assertEqual(self.state(), self.before)
        self.assertNotIn(INSIDE, zones.read_text(encoding="ascii"))

    def test_a_newer_one_that_may_not_write_is_told_as_such(self):
        """Since 3.17 it leaves a resolv.conf alone that another program has written."""
        self.configure("libc=NO\n")
        self.run_refused("because another program did: `resolvconf -u`", command=self.wrapper(
            'if [ "$1" = -a ]; then /sbin/resolvconf "$@"\n'
            'echo "resolvconf: signature mismatch: /etc/resolv.conf" >&2; exit 1; fi'))

    def test_servers_of_the_administrator_in_front_are_told(self):
        self.configure("name_servers=203.0.113.53\n")
        sh("resolvconf", "-u")
        program = self.start().wait_up()
        self.assertEqual(self.servers(), ["203.0.113.53", INSIDE])
        self.assertRegex(program.log(), "warn: .*the system asks 203.0.113.53 before our servers")

    # -- split DNS -----------------------------------------------------------------------------

    def test_split_dns_without_a_local_resolver_is_refused(self):
        self.run_refused("/dns/domains: .*split DNS needs a local resolver", 2,
                         domains=["corp.example"])
        self.configure("unbound_conf=/run/unbound.conf\n")  # which libc does not ask
        self.run_refused("/dns/domains: .*split DNS needs a local resolver", 2,
                         domains=["corp.example"])

    def test_split_dns_through_dnsmasq(self):
        """The real one, started anew by resolvconf when its file changes."""
        self.serve()
        self.vpncore(self.b, self.spec(1)).wait_up()
        start = self.directory / "dnsmasq"
        libraries = ":".join(str(d) for d in sorted(PACKAGES.glob("lib*/usr/lib/*")))
        start.write_text(
            "#!/bin/sh\n[ ! -s /run/dnsmasq.pid ] || { kill $(cat /run/dnsmasq.pid); sleep 0.2; }\n"
            "LD_LIBRARY_PATH=%s exec ip netns exec %s %s/dnsmasq-base/usr/sbin/dnsmasq --user=root "
            "--pid-file=/run/dnsmasq.pid --conf-file=/run/dnsmasq.d/zones --no-hosts "
            "--resolv-file=/run/dnsmasq.d/resolv --listen-address=127.0.0.1 --bind-interfaces "
            "--cache-size=0\n" % (libraries, self.a.name, PACKAGES), encoding="ascii")
        start.chmod(0o755)
        self.configure("name_servers=127.0.0.1\ndnsmasq_conf=/run/dnsmasq.d/zones\n"
                       "dnsmasq_resolv=/run/dnsmasq.d/resolv\ndnsmasq_restart=%s\n" % start)
        self.addCleanup(sh, "sh", "-c", "kill $(cat /run/dnsmasq.pid)", check=False)
        sh("resolvconf", "-u")
        self.before = self.state()
        self.assertEqual(self.look_up(), AT_OUTSIDE)
        self.outside.asked.clear()
        program = self.start(domains=["~corp.example"]).wait_up()
        self.assertEqual(self.look_up(), AT_INSIDE)
        self.assertEqual(self.outside.asked, [])
        self.assertEqual(self.look_up("www.example"), AT_OUTSIDE)
        program.stop()
        self.assertEqual(self.state(), self.before)
        self.assertEqual(self.look_up(), AT_OUTSIDE)

    def test_split_dns_that_the_local_resolver_is_not_told_of_is_refused(self):
        self.configure("name_servers=127.0.0.1\nunbound_conf=/run/unbound.conf\nunbound=NO\n")
        sh("resolvconf", "-u")
        self.before = self.state()
        self.run_refused("did not tell the local resolver",
                         domains=["corp.example"])


class Other(Peers):
    """Machines with neither of the two."""

    def refused(self, pattern, **dns):
        spec = manifest(0)
        spec["dns"] = {"backend": "resolvconf", "servers": [INSIDE], **dns}
        program = self.vpncore(self.a, spec)
        program.wait_end(1, 40)
        self.assertRegex(program.log(), pattern)

    def check(self, **dns):
        spec = manifest(0)
        spec["dns"] = {"backend": "resolvconf", "servers": [INSIDE], **dns}
        file = self.directory / "wrong.json"
        file.write_text(json.dumps(spec), encoding="ascii")
        done = sh(BINARY, "check", file, check=False, env=environment())
        return done.returncode, done.stdout + done.stderr

    def test_a_machine_without_resolvconf_is_told(self):
        for folder in sorted({os.path.realpath(f) for f in ("/sbin", "/usr/sbin", "/usr/bin")}):
            self.addCleanup(sh, "umount", "-l", resolvconf_cases.hide(folder, "resolvconf"))
        self.refused("there is no resolvconf at /sbin, /usr/sbin or /usr/bin")

    def test_systemds_program_of_that_name_is_refused(self):
        real = self.directory / "resolvectl"
        real.write_text("#!/bin/sh\necho systemd 252\n", encoding="ascii")
        real.chmod(0o755)
        link = self.directory / "resolvconf"
        link.symlink_to(real)
        self.refused("systemd's resolvectl under another name.*\"resolved\"", command=str(link))

    def test_a_program_that_is_neither_is_refused(self):
        self.refused("neither openresolv nor Debian's resolvconf", command="/bin/true")

    def test_a_command_that_others_can_change_is_refused_by_check(self):
        file = self.directory / "resolvconf"
        file.write_text("#!/bin/sh\n", encoding="ascii")
        file.chmod(0o777)
        status, text = self.check(command=str(file))
        self.assertEqual(status, 2)
        self.assertRegex(text, "can be changed by others")
        status, text = self.check(command="resolvconf")
        self.assertEqual(status, 2)
        self.assertRegex(text, "must be the absolute path")
        file.chmod(0o755)
        self.assertEqual(self.check(command=str(file))[0], 0)


if __name__ == "__main__":
    main()
