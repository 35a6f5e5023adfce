# SPDX-License-Identifier: BSD-2-Clause
"""resolvconf_cases: what holds of dns/resolvconf with the real openresolv and with Debian's resolvconf.

Both are unpacked by tests/tools/fetch_packages and laid over the folders where they belong, in the
mount namespace of the file that runs (run.py).

    namespace a                                   namespace b
    vpn0 10.78.0.1/24  . . . . tunnel . . . . .   vpn0 10.78.0.2/24: name server "inside"
    eth0 192.0.2.1/24  ------- veth ----------    eth0 192.0.2.2/24: name server "outside"

Each of the two gives another address for the same name, so that an answer tells who was asked. The
machine in a has "outside" from its network card, which is there before and behind each test.
"""
import json
import os
import pathlib
import re
import shutil
import time

from dns_responder import Responder
from harness import INNER4, OUTER4, TOP, Peers, environment, manifest, sh, wait_for
from program import BINARY, reapers

PACKAGES = pathlib.Path(os.environ.get("VPNCORE_PACKAGES_DIR", TOP / "build" / "packages"))
FILE = pathlib.Path("/etc/resolv.conf")
STATE = pathlib.Path("/run/resolvconf")
INSIDE, OUTSIDE = INNER4[1], OUTER4[1]
NAME = "host.corp.example"
AT_INSIDE, AT_OUTSIDE = "10.9.9.1", "198.51.100.1"
CARD = "search home.example\nnameserver %s\n" % OUTSIDE


def overlay(package, folder):
    """Lays a folder of an unpacked package over the machine's."""
    target = os.path.realpath(folder)
    sh("mount", "-t", "overlay", "-o", "lowerdir=%s%s:%s" % (PACKAGES / package, folder, target),
       "none", target)
    return target


def hide(folder, name):
    """Has no program of this name in a folder, whatever the machine has there."""
    layer = pathlib.Path("/run/nothing" + folder)
    layer.mkdir(parents=True, exist_ok=True)
    sh("mknod", layer / name, "c", "0", "0", check=False)  # a whiteout of overlayfs
    target = os.path.realpath(folder)
    sh("mount", "-t", "overlay", "-o", "lowerdir=%s:%s" % (layer, target), "none", target)
    return target


def give(key, text, *words):
    """What a DHCP client or another VPN does."""
    sh("sh", "-c", 'printf "%s" "$0" | exec resolvconf -a "$@"', text, key, *words)


class Resolvconf(Peers):
    """What holds for both."""

    package = None
    card = key = None      # of the network card, and of our device
    folder = None          # in which it keeps keys
    answer = None          # of probe()

    def setUp(self):
        super().setUp()
        for folder in ("/sbin", "/lib"):
            target = overlay(self.package, folder)
            self.addCleanup(sh, "umount", "-l", target)
        self.addCleanup(self.forget)
        self.install()
        give(self.card, CARD)
        self.before = self.state()
        self.assertIn("nameserver " + OUTSIDE, self.text())
        self.assertEqual(self.look_up(), "")

    def install(self):
        raise NotImplementedError

    @staticmethod
    def forget():
        shutil.rmtree(STATE, ignore_errors=True)
        shutil.rmtree("/etc/resolvconf", ignore_errors=True)
        pathlib.Path("/etc/resolvconf.conf").unlink(missing_ok=True)
        FILE.unlink(missing_ok=True)
        FILE.write_text("", encoding="ascii")

    # -- looking -----------------------------------------------------------------------------

    @staticmethod
    def text():
        return FILE.read_text(encoding="ascii")

    @staticmethod
    def state():
        """All of resolvconf's files, and resolv.conf; None while one goes as it is looked at."""
        found = {"link": os.readlink(FILE) if FILE.is_symlink() else ""}
        try:
            for folder, folders, files in os.walk(STATE):
                folders[:] = [f for f in folders if f != "lock"]
                for file in (pathlib.Path(folder, name) for name in files):
                    found[str(file)] = file.read_text(encoding="ascii")
            found[str(FILE)] = FILE.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        return found

    def wait_restored(self, timeout=15):
        try:
            wait_for(lambda: self.state() == self.before, "everything as before", timeout)
        except AssertionError:
            self.assertEqual(self.state(), self.before)
            raise

    def servers(self):
        return re.findall(r"^nameserver (\S+)$", self.text(), re.MULTILINE)

    def serve(self):
        """Starts both name servers."""
        self.inside = Responder(self.b, [INSIDE], {NAME: AT_INSIDE, "www.example": AT_INSIDE})
        self.addCleanup(self.inside.close)
        self.outside = Responder(self.b, [OUTSIDE], {NAME: AT_OUTSIDE, "www.example": AT_OUTSIDE})
        self.addCleanup(self.outside.close)

    def look_up(self, name=NAME):
        """The address that programs in a get for a name, "" for none."""
        done = self.a.sh("timeout", "20", "getent", "ahostsv4", name, check=False)
        return done.stdout.split()[0] if done.returncode == 0 else ""

    # -- running -----------------------------------------------------------------------------

    def spec(self, side=0, **dns):
        spec = manifest(side)
        if side == 0:
            spec["dns"] = {"backend": "resolvconf", "servers": [INSIDE], **dns}
        return spec

    def start(self, **dns):
        return self.vpncore(self.a, self.spec(**dns))

    def run_up(self, **dns):
        program = self.start(**dns).wait_up()
        self.assertEqual(self.servers()[0], INSIDE)
        return program

    def run_refused(self, pattern, status=1, **dns):
        """A start that has to fail, with everything as before; status 2: check knows it."""
        program = self.start(**dns)
        program.wait_end(status, 40)
        self.assertRegex(program.log(), pattern)
        self.assertEqual(self.state(), self.before)
        return program

    def kill_all(self, program):
        """The main process and its reaper, so that nobody is left to undo."""
        for pid in reapers(program.name):
            self.a.sh("kill", "-9", pid)
        program.kill()
        wait_for(lambda: not self.a.has("vpn0"), "the end of the device")

    def cleanup(self, status=0):
        done = self.a.sh(BINARY, "cleanup", env=environment(), check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def wrapper(self, text):
        """A program in front of resolvconf; `text` is of the shell, "$1" what it was asked for. The
        folder D is for files that it waits for and makes."""
        file = self.directory / "resolvconf"
        file.write_text("#!/bin/sh\nD=%s\n%s\nexec /sbin/resolvconf \"$@\"\n"
                        % (self.directory, text), encoding="ascii")
        file.chmod(0o755)
        return str(file)

    def wait_file(self, name):
        wait_for((self.directory / name).exists, name)


class Both(Resolvconf):
    """Tests of what both can."""

    def test_names_are_resolved_through_the_tunnel_until_it_stops(self):
        self.serve()
        self.assertEqual(self.look_up(), AT_OUTSIDE)
        self.vpncore(self.b, self.spec(1)).wait_up()
        self.outside.asked.clear()
        program = self.run_up(search=["corp.example"])
        self.assertEqual(self.look_up(), AT_INSIDE)
        self.assertEqual(self.look_up("host"), AT_INSIDE)
        self.assertEqual(self.look_up("www.example"), AT_INSIDE)
        self.assertEqual(self.outside.asked, [])
        self.assertIn(self.key, self.keys())
        program.stop()
        self.assertEqual(self.state(), self.before)
        self.assertEqual(self.look_up(), AT_OUTSIDE)

    def test_addresses_of_both_families_and_names_are_recognised_again(self):
        """Debian's rewrites what it is given."""
        program = self.run_up(servers=[INSIDE, "2001:db8:0:1:1:1:1:1", "fd78::53"],
                              search=["Corp.Example.", "xn--bcher-kva.example"])
        self.assertEqual(self.servers()[:1], [INSIDE])
        program.stop()
        self.assertEqual(self.state(), self.before)

    def keys(self):
        return sh("resolvconf", "-i", check=False).stdout.split()

    # -- crashes -----------------------------------------------------------------------------

    def test_the_reaper_alone_takes_the_servers_back(self):
        self.run_up().kill()
        self.wait_restored()

    def test_cleanup_alone_takes_the_servers_back(self):
        self.kill_all(self.run_up())
        self.assertEqual(self.servers()[0], INSIDE)
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    def test_the_next_start_alone_takes_the_servers_back(self):
        self.kill_all(self.run_up(search=["corp.example"]))
        again = self.run_up()
        again.stop()
        self.assertEqual(self.state(), self.before)

    def test_a_death_at_any_moment_leaves_nothing(self):
        """With each run the death comes a little later, until the start is through."""
        pause, seen = 0.0, set()
        while True:
            program = self.start()
            end = time.monotonic() + pause
            while time.monotonic() < end:
                time.sleep(0.001)
            up = "is up" in program.log()
            seen.add(tuple(self.servers()))
            program.kill()
            wait_for(lambda: not reapers(program.name), "the end of the reaper", 20)
            self.wait_restored()
            if up:
                break
            pause += 0.002
        self.assertGreater(len(seen), 1, "no death came late enough")

    def die_at(self, text, wait, go_on):
        """Kills the main process while its resolvconf is at a place, which `wait` names."""
        program = self.start(command=self.wrapper(text))
        self.wait_file(wait)
        program.kill()
        if go_on:
            self.assertEqual(reapers(program.name) != [], True)
            (self.directory / "go").touch()
        self.wait_restored()
        wait_for(lambda: not reapers(program.name), "the end of the reaper", 20)
        self.assertEqual(self.cleanup(), self.cleanup())
        self.assertEqual(self.state(), self.before)

    WAIT = 'while [ ! -e $D/go ]; do sleep 0.02; done'

    def test_a_death_before_resolvconf_has_begun_leaves_nothing(self):
        """It goes on without its master, and what it does is undone behind it."""
        self.die_at('if [ "$1" = -a ]; then touch $D/here; %s; fi' % self.WAIT, "here", True)

    def test_a_death_behind_a_resolvconf_that_hangs_leaves_nothing(self):
        self.die_at('if [ "$1" = -a ]; then touch $D/here; %s; fi' % self.WAIT, "here", False)

    def test_a_death_when_resolvconf_has_done_it_leaves_nothing(self):
        self.die_at('if [ "$1" = -a ]; then /sbin/resolvconf "$@"; touch $D/here; %s; exit; fi'
                    % self.WAIT, "here", True)

    def test_a_death_of_who_undoes_leaves_the_rest_to_the_next(self):
        program = self.run_up(command=self.wrapper(
            'case "$*" in *-d*) [ -e $D/go ] || { touch $D/here; %s; } ;; esac' % self.WAIT))
        program.kill()
        self.wait_file("here")
        for pid in reapers(program.name):
            self.a.sh("kill", "-9", pid)
        self.a.sh("pkill", "-9", "-f", str(self.directory / "resolvconf"))
        self.assertEqual(self.servers()[0], INSIDE)
        (self.directory / "go").touch()
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    # -- others ------------------------------------------------------------------------------

    def test_what_others_give_meanwhile_stays(self):
        program = self.run_up()
        give("eth1", "nameserver 203.0.113.53\n")
        give(self.card, "search office.example\nnameserver %s\n" % OUTSIDE)
        program.stop()
        self.assertNotIn(INSIDE, self.servers())
        self.assertEqual(set(self.servers()), {"203.0.113.53", OUTSIDE})
        self.assertIn("office.example", self.text())

    def test_a_key_that_others_delete_is_given_again(self):
        program = self.run_up()
        sh("resolvconf", "-d", self.key)
        self.assertNotIn(INSIDE, self.servers())
        program.wait_log("another program deleted our servers")
        wait_for(lambda: self.servers()[:1] == [INSIDE], "our servers")
        give(self.key, "nameserver 203.0.113.53\n")
        program.wait_log("another program changed our servers")
        wait_for(lambda: self.servers()[:1] == [INSIDE], "our servers")
        program.stop()
        self.assertEqual(self.state(), self.before)

    def test_everything_that_others_delete_is_given_again(self):
        program = self.run_up()
        shutil.rmtree(STATE / self.folder)
        wait_for(lambda: self.key in self.keys(), "our key")
        sh("resolvconf", "-d", self.key)
        wait_for(lambda: self.key in self.keys(), "our key, in the new folder")
        program.stop()
        self.assertNotIn(INSIDE, self.servers())

    def test_a_fight_is_not_fought(self):
        program = self.run_up()
        for _ in range(10):
            wait_for(lambda: self.key in self.keys(), "our key")
            sh("resolvconf", "-d", self.key)
        program.wait_log("again and again")
        sh("resolvconf", "-d", self.key, check=False)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            self.assertNotIn(self.key, self.keys())
        program.stop()
        self.assertEqual(self.state(), self.before)

    def test_a_key_of_another_program_is_refused_and_stays(self):
        give(self.key, "nameserver 203.0.113.53\n")
        self.before = self.state()
        self.run_refused("something of another program as \"%s\"" % self.key)

    def test_a_key_that_others_changed_after_a_crash_stays(self):
        program = self.run_up()
        self.kill_all(program)
        give(self.key, "nameserver 203.0.113.53\n")
        self.assertIn("it stays", self.cleanup())
        self.assertIn("203.0.113.53", self.servers())

    def test_two_pipelines_at_once(self):
        one = self.run_up()
        spec = self.spec(servers=["10.79.0.2"])
        spec["name"] = "second"
        spec["pipeline"][0].update(name="vpn1", addresses=["10.79.0.1/24"])
        spec["pipeline"][1].update(listen="%s:51999" % OUTER4[0])
        two = self.vpncore(self.a, spec).wait_up()
        self.assertIn("10.79.0.2", self.servers())
        two.stop()
        self.assertEqual(self.servers()[0], INSIDE)
        two = self.vpncore(self.a, spec).wait_up()
        one.stop()
        self.assertEqual(self.servers()[0], "10.79.0.2")
        two.kill()
        self.wait_restored()

    def test_auto_takes_it_and_check_says_why(self):
        spec = self.spec(backend="auto")
        file = self.directory / "auto.json"
        file.write_text(json.dumps(spec), encoding="ascii")
        said = self.a.sh(BINARY, "check", "-v", file, env=environment()).stdout
        self.assertRegex(said, r"resolvconf.*%s" % self.answer)
        program = self.vpncore(self.a, spec).wait_up()
        self.assertIn(self.key, self.keys())
        program.stop()
        self.assertEqual(self.state(), self.before)

    # -- a program that does not work -----------------------------------------------------------

    def test_a_program_that_fails_ends_the_start(self):
        self.run_refused("-a ended with status 3: no luck today", command=self.wrapper(
            'if [ "$1" = -a ]; then echo no luck today >&2; exit 3; fi'))

    def test_a_failure_beside_the_servers_is_a_warning(self):
        program = self.run_up(command=self.wrapper(
            'case "$*" in *-a*|*-d*) /sbin/resolvconf "$@"; echo some hook >&2; exit 4;; esac'))
        self.assertRegex(program.log(), "warn: .*ended with status 4: some hook")
        program.stop()
        self.assertEqual(self.state(), self.before)

    def test_a_program_that_is_gone_is_told_and_waited_for(self):
        command = self.wrapper("")
        program = self.run_up(command=command)
        os.rename(command, command + ".away")
        program.stop(status=1)
        self.assertRegex(program.log(), "our name servers cannot be taken from resolvconf: "
                         ".*No such file or directory. Install it again")
        self.assertEqual(self.servers()[0], INSIDE)
        self.cleanup(status=1)
        os.rename(command + ".away", command)
        self.cleanup()
        self.assertEqual(self.state(), self.before)

    def test_nothing_is_left_to_do_when_all_of_it_is_gone(self):
        command = self.wrapper("")
        program = self.run_up(command=command)
        self.kill_all(program)
        os.unlink(command)
        shutil.rmtree(STATE)
        FILE.unlink()
        FILE.write_text("nameserver 203.0.113.1\n", encoding="ascii")
        self.cleanup()
        self.assertEqual(self.text(), "nameserver 203.0.113.1\n")

    def test_a_file_that_cannot_be_written_ends_the_start(self):
        sh("mount", "--bind", self.unwritable(), self.unwritable())
        sh("mount", "-o", "remount,ro,bind", self.unwritable())
        try:
            self.run_refused("Read-only file system")
        finally:
            sh("umount", "-l", self.unwritable())

    def unwritable(self):
        """What has to be written."""
        raise NotImplementedError
