# SPDX-License-Identifier: BSD-2-Clause
"""What is left of changes to the system when vpncore stops, fails or is killed: nothing.

The changes are files that the components "test-marks" (tests/unit/journal/plugins/marks.c) write into
a folder: routes.0, routes.1, dns.0, dns.1. They die at any step of their work that a test names.
"""
import contextlib
import os
import pathlib
import signal

from harness import BUILD, Test, environment, main, wait_for
from netns import sh
from program import BINARY, reapers

MARKS = BUILD / "test-plugins" / "routes-test-marks.so"
RUN = pathlib.Path("/run/vpncore")
LIB = pathlib.Path("/var/lib/vpncore")
OURS = {"routes.0": "ours", "routes.1": "ours", "dns.0": "ours", "dns.1": "ours"}
UP = 12    # steps of apply(): three for each of two changes of two components
DOWN = 8   # steps of revert(): two for each


def folders():
    """Folders of instances that are there."""
    return sorted(str(p) for top in (RUN, LIB) if top.exists() for p in top.iterdir())


class Marks(Test):
    """One namespace with nothing but `lo`, and a folder with one file that is not ours."""

    def setUp(self):
        super().setUp()
        sh("rm", "-rf", RUN, LIB)
        self.a = self.namespace("a")
        self.reset()

    def reset(self):
        self.folder = self.directory / "marks"
        self.folder.mkdir(exist_ok=True)
        for file in self.folder.iterdir():
            file.unlink()
        (self.folder / "routes.1").write_text("theirs")
        self.before = self.marks()

    def marks(self):
        found = {}
        for file in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # somebody undoes meanwhile
                found[file.name] = file.read_text()
        return found

    def manifest(self, name="marks", *, plugin=MARKS, folder=None, dns=None, port=5000, **routes):
        part = {"backend": "test-marks", "plugin": str(plugin), "changes": 2,
                "folder": str(folder or self.folder)}
        return {"vpncore": 1, "name": name, "allow_insecure": True,
                "pipeline": [
                    {"device": "auto", "name": "vpn%d" % port, "addresses": ["10.78.0.1/24"]},
                    {"transport": "udp", "listen": "127.0.0.1:%d" % port,
                     "remote": "127.0.0.1:9"}],
                "routes": {**part, **routes}, "dns": {**part, "files": True, **(dns or {})}}

    def start(self, *args, ns=None, **kwargs):
        return self.vpncore(ns or self.a, self.manifest(*args, **kwargs))

    def die(self, p):
        """Waits until the pipeline has killed itself."""
        p.process.wait(20)
        p.killed = True
        self.assertEqual(p.process.returncode, -signal.SIGKILL, p.log())

    def cleanup(self, *args, status=0, ns=None):
        done = (ns or self.a).sh(BINARY, "cleanup", *args, check=False, env=environment())
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def check_undone(self):
        self.assertEqual(self.marks(), self.before)
        self.assertEqual(folders(), [])

    def wait_undone(self):
        wait_for(lambda: self.marks() == self.before and not folders(),
                 "everything is undone; there are %s and %s" % (self.marks(), folders()))


class Stops(Marks):
    def test_a_normal_stop_undoes_everything_and_ends_the_reaper(self):
        p = self.start().wait_up()
        self.assertEqual(self.marks(), OURS)
        self.assertEqual(len(reapers("marks")), 1)
        p.stop()
        self.check_undone()
        wait_for(lambda: not reapers("marks"), "the reaper has ended")

    def test_the_host_undoes_what_a_component_leaves(self):
        p = self.start(leave=True, dns={"leave": True}).wait_up()
        self.assertEqual(self.marks(), OURS)
        p.stop()
        self.check_undone()

    def test_a_start_that_fails_undoes_what_it_had_done(self):
        for change in (1, 2):
            with self.subTest(change=change):
                p = self.start(dns={"fail_at": change})
                p.wait_end(1)
                self.assertIn("told to fail", p.log())
                self.check_undone()
                self.assertFalse(self.a.has("vpn5000"))

    def test_leaves_alone_what_somebody_else_has_changed(self):
        p = self.start().wait_up()
        (self.folder / "routes.1").write_text("another one's")
        (self.folder / "dns.0").unlink()
        p.stop()
        self.assertIn("left alone", p.log())
        self.assertEqual(self.marks(), {"routes.1": "another one's"})
        self.assertEqual(folders(), [])

    def test_a_change_that_cannot_be_undone_stays_in_the_journal(self):
        p = self.start().wait_up()
        (self.folder / "dns.1").write_text("refuse")
        p.stop(status=1)
        self.assertRegex(p.log(), "cannot be undone: .*dns.1 refuses")
        self.assertIn("vpncore cleanup tries again", p.log())
        self.assertEqual(self.marks(), {**self.before, "dns.1": "refuse"})
        self.assertIn("1 change by dns test-marks, of files", self.cleanup("--list"))
        self.assertIn("1 could not be undone", self.cleanup(status=1))
        (self.folder / "dns.1").write_text("ours")
        self.cleanup()
        self.check_undone()

    def test_what_cannot_be_undone_does_not_keep_the_next_from_starting(self):
        self.start().wait_up().stop()
        p = self.start().wait_up()
        (self.folder / "routes.0").write_text("refuse")
        p.stop(status=1)
        p = self.start(changes=0).wait_up()
        self.assertIn("cannot be undone", p.log())
        (self.folder / "routes.0").write_text("ours")
        p.stop()
        self.check_undone()


class Kills(Marks):
    """SIGKILL at every step, on the way up and on the way down."""

    def kill(self, at, **routes):
        self.reset()
        p = self.start(kill_at=at, dns={"kill_at": at, "no_reaper": routes.get("no_reaper", False)},
                       **routes)
        if at > UP:
            p.wait_up()
            p.process.send_signal(signal.SIGTERM)
        self.die(p)

    def test_undone_by_the_reaper_alone(self):
        for at in range(1, UP + DOWN + 1):
            with self.subTest(step=at):
                self.kill(at)
                if at == 1:  # nothing was written down: there is no reaper, and an empty folder
                    self.assertIn("0 changes undone", self.cleanup())
                self.wait_undone()

    def test_undone_by_the_next_start_alone(self):
        for at in range(1, UP + DOWN + 1):
            with self.subTest(step=at):
                self.kill(at, no_reaper=True)
                p = self.start(changes=0, dns={"changes": 0}).wait_up()
                self.assertEqual(self.marks(), self.before)
                p.stop()
                self.check_undone()

    def test_undone_by_cleanup_alone(self):
        for at in range(1, UP + DOWN + 1):
            with self.subTest(step=at):
                self.kill(at, no_reaper=True)
                self.cleanup()
                self.check_undone()

    def test_undone_by_the_start_of_another_pipeline(self):
        self.kill(8, no_reaper=True)
        other = self.directory / "other"
        other.mkdir()
        p = self.start("another", folder=other, dns={"folder": str(other)}).wait_up()
        self.assertEqual(self.marks(), self.before)
        self.assertIn("that an earlier run had left", p.log())
        p.stop()
        self.check_undone()

    def test_one_who_undoes_may_be_killed_at_every_step_too(self):
        for call in range(1, 5):
            with self.subTest(call=call):
                self.kill(UP, no_reaper=True)
                (self.folder / "die").write_text(str(call))
                self.cleanup(status=-signal.SIGKILL)
                self.assertNotEqual(self.marks(), self.before)
                self.cleanup()
                self.check_undone()

    def test_the_reaper_outlives_the_session_and_its_signals(self):
        p = self.start().wait_up()
        for pid in reapers("marks"):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)
            self.assertNotEqual(os.getsid(pid), os.getsid(p.pid))
        p.kill()
        self.wait_undone()


class Instances(Marks):
    def test_two_pipelines_do_not_disturb_each_other(self):
        other = self.directory / "other"
        other.mkdir()
        a = self.start().wait_up()
        b = self.start("other", folder=other, port=5001, dns={"folder": str(other)}).wait_up()
        a.kill()
        wait_for(lambda: self.marks() == self.before, "a is undone")
        self.assertIn("runs, and is left alone", self.cleanup())
        self.assertEqual({p.name: p.read_text() for p in other.iterdir()}, OURS)
        b.stop()
        self.assertEqual(list(other.iterdir()), [])
        self.assertEqual(folders(), [])

    def test_refuses_a_second_pipeline_of_the_same_name(self):
        self.start().wait_up()
        p = self.start(port=5001)
        p.wait_end(1)
        self.assertRegex(p.log(), r'"marks" runs already \(process \d+\)')
        self.assertEqual(self.marks(), OURS)
        self.assertIn("runs, and is left alone", self.cleanup("marks", status=1))

    def test_changes_of_another_network_namespace_are_undone_there_only(self):
        b = self.namespace("b")
        p = self.start(ns=b, kill_at=UP, no_reaper=True, dns={"kill_at": UP, "no_reaper": True})
        self.die(p)
        self.assertIn("another network namespace", self.cleanup(status=1))
        self.assertEqual(self.marks(), OURS)
        q = self.start("another", changes=0, dns={"changes": 0}).wait_up()
        self.assertEqual(self.marks(), OURS)
        q.stop()
        self.cleanup(ns=b)
        self.check_undone()

    def test_forgets_a_namespace_that_is_gone_when_told_to(self):
        b = self.namespace("b")
        p = self.start(ns=b, kill_at=UP, no_reaper=True, dns={"kill_at": UP, "no_reaper": True})
        self.die(p)
        b.close()
        self.assertIn("--forget", self.cleanup(status=1))
        self.assertIn("4 forgotten", self.cleanup("--forget", status=1))
        self.assertEqual(folders(), [])

    def test_what_is_to_be_kept_goes_by_cleanup_all_only(self):
        p = self.start(keep=True).wait_up()
        p.kill()
        kept = {**self.before, "routes.0": "ours", "routes.1": "ours"}
        wait_for(lambda: self.marks() == kept, "the other changes are undone")
        p = self.start(keep=True, changes=1).wait_up()
        self.assertIn("on vpn5000, 3 records", p.log())
        p.stop()
        self.assertEqual(self.marks(), kept)
        self.assertIn("to be kept", self.cleanup())
        self.assertEqual(self.marks(), kept)
        self.cleanup("--all", "marks")
        self.check_undone()

    def test_a_plugin_that_is_gone_is_named_and_can_be_forgotten(self):
        copy = self.directory / "routes-test-marks.so"
        copy.write_bytes(MARKS.read_bytes())
        copy.chmod(0o644)
        spec = self.manifest(plugin=copy, kill_at=UP, no_reaper=True,
                             dns={"kill_at": UP, "no_reaper": True})
        self.die(self.vpncore(self.a, spec))
        copy.unlink()
        text = self.cleanup(status=1)
        self.assertIn("no routes \"test-marks\" is installed", text)
        self.assertIn("4 could not be undone", text)
        self.cleanup("--forget", status=1)
        self.assertEqual(folders(), [])
        self.assertEqual(self.cleanup(), "")


class Containers(Marks):
    """A container that is started again has other namespaces of networks and of processes, and finds the
    folders of the one before. All that lives in it ends with its first process, the reaper too."""

    def container(self, name="marks", *, net=True, **kwargs):
        """`vpncore run` as the first process of a container."""
        spec = self.manifest(name, **kwargs)
        return self.vpncore(self.a, spec, before=[
            "unshare", *(["--net"] if net else []), "--pid", "--fork", "--kill-child", "--mount-proc",
            "sh", "-c", 'ip link set lo up && exec "$@"', "sh"])

    def inner(self, p):
        """Its first process, by our number."""
        children = pathlib.Path("/proc/%d/task/%d/children" % (p.pid, p.pid)).read_text().split()
        return int(children[0])

    def crash(self, p):
        first = self.inner(p)
        for pid in reapers("marks"):  # else it has a moment in which to undo, before it is killed as well
            os.kill(pid, signal.SIGKILL)
        os.kill(first, signal.SIGKILL)
        p.process.wait(20)
        p.killed = True

    def stop(self, p):
        os.kill(self.inner(p), signal.SIGTERM)
        p.process.wait(20)
        self.assertEqual(p.process.returncode, 0, p.log())

    def test_starts_again_after_a_crash(self):
        p = self.container().wait_up()
        self.assertEqual(self.marks(), OURS)
        self.crash(p)
        self.assertEqual(self.marks(), OURS)  # nobody was there to undo
        # what was in its network is not undone in another one; its files are undone
        q = self.container(changes=0, dns={"changes": 0}).wait_up()
        q.wait_log(r"are left to that, as marks@\d+")
        left = {**self.before, "routes.0": "ours", "routes.1": "ours"}
        self.assertEqual(self.marks(), left)
        self.stop(q)
        self.assertEqual(self.marks(), left)
        found = folders()
        self.assertEqual(len(found), 1, found)
        self.assertRegex(found[0], r"^/run/vpncore/marks@\d+$")
        self.assertIn("another network namespace", self.cleanup(status=1))
        self.cleanup("--forget", status=1)
        self.assertEqual(folders(), [])

    def test_starts_again_and_again(self):
        for _ in range(3):
            p = self.container(changes=1).wait_up()
            self.crash(p)
        self.assertEqual(len([f for f in folders() if f.startswith("/run")]), 3)

    def test_what_lives_is_not_touched_by_another_container(self):
        p = self.container().wait_up()
        q = self.container(port=5001)
        q.wait_end(1)
        self.assertRegex(q.log(), r'"marks" runs already \(process 1 of another container\)')
        other = self.directory / "other"
        other.mkdir()
        r = self.container("another", folder=other, dns={"folder": str(other)}).wait_up()
        self.assertEqual(self.marks(), OURS)
        self.stop(r)
        self.assertEqual(self.marks(), OURS)
        self.stop(p)
        self.check_undone()

    def test_a_network_that_lives_on_is_undone_there_whoever_came_between(self):
        # the network is that of a pod: it stays when the container ends
        p = self.container(net=False).wait_up()
        self.crash(p)
        q = self.container(changes=0, dns={"changes": 0}).wait_up()
        q.wait_log("are left to that")
        self.assertEqual(self.marks()["routes.0"], "ours")
        self.stop(q)
        p = self.container(net=False, changes=0, dns={"changes": 0}).wait_up()
        p.wait_log("undid 2 changes that an earlier run had left")
        self.assertEqual(self.marks(), self.before)
        self.stop(p)
        self.check_undone()


class Repairs(Marks):
    def test_what_others_undo_is_done_again_until_it_is_a_fight(self):
        p = self.start(repair=True).wait_up()
        for i in range(3):
            (self.folder / "routes.0").write_text("another one's")
            wait_for(lambda: self.marks() == OURS, "repair %d" % i)
        p.wait_log("somebody else undoes")
        (self.folder / "routes.0").unlink()
        p.stop()
        self.assertEqual(self.marks(), {"routes.1": "theirs"})


class Hostile(Marks):
    def refused(self, *words):
        p = self.start()
        p.wait_end(1)
        for word in words:
            self.assertRegex(p.log(), word)
        self.assertEqual(self.marks(), self.before)

    def test_refuses_folders_that_others_can_write(self):
        RUN.mkdir()
        RUN.chmod(0o777)
        self.refused(r"/run/vpncore is open to others \(mode 0777\); chmod go-w")

    def test_refuses_a_folder_of_another_user(self):
        RUN.mkdir(mode=0o755)
        os.chown(RUN, 1234, 1234)
        self.refused("/run/vpncore belongs to user 1234")

    def test_refuses_a_link_in_place_of_the_folder(self):
        LIB.symlink_to(self.directory)
        self.addCleanup(LIB.unlink)
        self.refused("/var/lib/vpncore cannot be opened")

    def test_a_full_disk_stops_the_start_before_the_change_is_made(self):
        LIB.mkdir(mode=0o755)
        sh("mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64,mode=755", "none", LIB)
        self.addCleanup(sh, "umount", LIB)
        sh("dd", "if=/dev/zero", "of=%s/filler" % LIB, "bs=4k", check=False)
        p = self.start()
        p.wait_end(1)
        self.assertRegex(p.log(), "undo.log cannot be written.*No space left")
        self.assertEqual(self.marks(), self.before)
        (LIB / "filler").unlink()
        self.check_undone()

    def test_needs_root(self):
        sh("chmod", "755", self.directory)
        os.chown(self.folder, 65534, 65534)
        p = self.vpncore(self.a, self.manifest(),
                         before=["setpriv", "--reuid", "65534", "--clear-groups",
                                 "--inh-caps", "-all"])
        p.wait_end(1)
        self.assertRegex(p.log(), "needs root")
        self.assertEqual(self.marks(), self.before)

    def test_the_command_line(self):
        for args in (["../etc"], ["--al=1"], ["-x"]):
            with self.subTest(args=args):
                self.cleanup(*args, status=2)
        self.assertEqual(self.cleanup("--list"), "")


if __name__ == "__main__":
    main()
