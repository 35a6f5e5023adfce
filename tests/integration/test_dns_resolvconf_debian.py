# SPDX-License-Identifier: BSD-2-Clause
"""dns/resolvconf with the resolvconf of Debian. Topology: resolvconf_cases.py."""
import pathlib
import shutil

import resolvconf_cases
from harness import main, sh
from resolvconf_cases import FILE, INSIDE, OUTSIDE, PACKAGES, STATE


def read_bytes(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""


class Debian(resolvconf_cases.Both):
    package, card, key, folder = "resolvconf", "eth0.inet", "tun.vpn0", "interface"
    answer = "Debian resolvconf 1.91.* writes /etc/resolv.conf"

    def install(self):
        shutil.copytree(PACKAGES / "resolvconf/etc/resolvconf", "/etc/resolvconf")
        (STATE / "interface").mkdir(parents=True)
        (STATE / "enable-updates").touch()
        (STATE / "resolv.conf").touch()
        FILE.unlink(missing_ok=True)
        FILE.symlink_to("../run/resolvconf/resolv.conf")

    def unwritable(self):
        return "/run/resolvconf/interface"

    def test_our_servers_are_first_and_that_others_follow_is_told(self):
        program = self.run_up()
        self.assertEqual(self.servers(), [INSIDE, OUTSIDE])
        self.assertRegex(program.log(), "warn: .*keeps the machine's other servers behind ours")

    def test_the_order_of_the_administrator_is_respected(self):
        pathlib.Path("/etc/resolvconf/interface-order").write_text(
            "# ours first\nlo.inet\n  vpn-*   # what an administrator wrote\neth*\ntun*\n*\n",
            encoding="ascii")
        program = self.run_up()
        self.assertIn("vpn-.vpn0", self.keys())
        program.stop()
        self.assertEqual(self.state(), self.before)

    def test_an_order_without_a_place_for_us_is_told(self):
        pathlib.Path("/etc/resolvconf/interface-order").write_text("eth*.inet\n*\n",
                                                                   encoding="ascii")
        program = self.start().wait_up()
        self.assertRegex(program.log(), "interface-order has no line such as")
        self.assertRegex(program.log(), "the system asks %s before our servers" % OUTSIDE)

    def test_updates_that_are_switched_off_are_refused(self):
        sh("resolvconf", "--disable-updates")
        self.before = self.state()
        program = self.start()
        program.wait_end(1, 40)
        self.assertIn("has its updates switched off", program.log())
        self.assertFalse((STATE / "interface" / self.key).exists())
        self.assertEqual(self.text(), self.before[str(FILE)])

    def test_a_file_that_is_not_its_own_is_refused(self):
        FILE.unlink()
        FILE.write_text("nameserver %s\n" % OUTSIDE, encoding="ascii")
        program = self.start()
        program.wait_end(1, 40)
        self.assertIn("is not what resolvconf writes", program.log())
        self.assertEqual(self.text(), "nameserver %s\n" % OUTSIDE)
        self.assertFalse((STATE / "interface" / self.key).exists())

    def test_a_program_that_hangs_is_ended_with_its_children(self):
        self.run_refused("-a did not end within 10.0 seconds and was killed: thinking",
                         command=self.wrapper(
                             'if [ "$1" = -a ]; then echo thinking; sleep 4711; fi'))
        left = [f for f in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                if b"4711" in read_bytes(f)]
        self.assertEqual(left, [])

    def test_a_program_that_hangs_at_the_end_is_ended_and_asked_again_later(self):
        program = self.run_up(command=self.wrapper(
            'if [ "$1" = -d ]; then while [ ! -e $D/go ]; do sleep 0.02; done; fi'))
        program.stop(status=1, timeout=30)
        self.assertRegex(program.log(), "-d did not end within 5.0 seconds and was killed")
        self.assertEqual(self.servers()[0], INSIDE)
        (self.directory / "go").touch()
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    def test_split_dns_is_refused(self):
        self.run_refused("/dns/domains: .*Debian's resolvconf has no split DNS", 2,
                         domains=["corp.example"])

    def test_a_deletion_that_stopped_half_way_is_finished(self):
        self.kill_all(self.run_up())
        (STATE / "interface" / self.key).unlink()
        self.assertEqual(self.servers()[0], INSIDE)
        self.cleanup()
        self.assertEqual(self.state(), self.before)


if __name__ == "__main__":
    main()
