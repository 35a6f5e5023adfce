# SPDX-License-Identifier: BSD-2-Clause
"""The commands "on_up" and "on_down": when they are run, with what, and what their failure means.

    namespace a
    eth0 192.0.2.1 --- veth --- (b, where nothing runs)
"""
import json
import os
import pathlib
import signal

from harness import INNER4, INNER6, Peers, main, manifest, wait_for
from netns import sh
from program import BINARY, environment, reapers

RUN = pathlib.Path("/run/vpncore")


class Hooks(Peers):
    def setUp(self):
        super().setUp()
        sh("rm", "-rf", RUN)
        self.trace = self.directory / "trace"

    def script(self, name, body):
        """A program that appends to the trace."""
        path = self.directory / name
        path.write_text("#!/bin/sh\nexec 3>>%s\n%s\n" % (self.trace, body))
        path.chmod(0o755)
        return str(path)

    def spec(self, **keys):
        return {**manifest(0), **keys}

    def lines(self):
        return self.trace.read_text().splitlines() if self.trace.exists() else []

    def start(self, **keys):
        return self.vpncore(self.a, self.spec(**keys))


class Runs(Hooks):
    def test_with_their_arguments_as_they_are_written(self):
        say = self.script("say", 'echo "$VPNCORE_EVENT:$*" >&3')
        p = self.start(on_up=[[say, "one", "$HOME; `id`", ""], [say, "two"]],
                       on_down=[say, "bye"]).wait_up()
        self.assertEqual(self.lines(), ["on_up:one $HOME; `id` ", "on_up:two"])
        p.stop()
        self.assertEqual(self.lines()[2:], ["on_down:bye"])
        self.assertFalse(RUN.exists() and list(RUN.iterdir()))

    def test_with_an_environment_of_their_own(self):
        env = self.script("env", "env >&3; pwd >&3")
        p = self.vpncore(self.a, self.spec(on_up=[env]), env={"SECRET": "x"}).wait_up()
        found = dict(line.split("=", 1) for line in self.lines() if "=" in line)
        self.assertEqual(found["VPNCORE_EVENT"], "on_up")
        self.assertEqual(found["VPNCORE_NAME"], "a")
        self.assertEqual(found["VPNCORE_DEVICE"], "vpn0")
        self.assertEqual(found["VPNCORE_LAYER"], "ip")
        self.assertEqual(found["VPNCORE_MTU"], "1420")
        link = json.loads(self.a.ip("-j", "link", "show", "vpn0").stdout)
        self.assertEqual(found["VPNCORE_IFINDEX"], str(link[0]["ifindex"]))
        self.assertEqual(sorted(found["VPNCORE_ADDRESSES"].split()),
                         sorted([INNER4[0] + "/24", INNER6[0] + "/64"]))
        self.assertNotIn("SECRET", found)
        self.assertIn("/", self.lines())
        p.stop()

    def test_and_what_they_say_is_logged(self):
        say = self.script("say", "echo to stdout; echo to stderr >&2; printf 'no newline'")
        p = self.start(on_up=[say]).wait_up()
        for text in ("to stdout", "to stderr", "no newline"):
            self.assertIn("on_up: " + text, p.log())
        p.stop()

    def test_and_a_lot_that_they_say_at_once_is_waited_for(self):
        say = self.script("say", "seq 1 40000 || { echo failed >&3; exit 1; }")
        p = self.start(on_up=[say]).wait_up()
        self.assertEqual(self.lines(), [])
        p.stop()

    def test_with_no_descriptor_of_ours(self):
        look = self.script("look", "exec 3>&-; ls /proc/self/fd | xargs")
        p = self.start(on_up=[look], routes={"kill_switch": "on"}).wait_up()
        self.assertRegex(p.log(), r"on_up: 0 1 2 3\n")  # 3 is what `ls` reads
        p.stop()

    def test_on_down_before_the_device_is_gone(self):
        look = self.script("look", "ip link show vpn0 >&3 2>&1 && echo there >&3")
        self.start(on_down=[look]).wait_up().stop()
        self.assertEqual(self.lines()[-1], "there")

    def test_on_down_once_when_the_process_was_killed(self):
        say = self.script("say", 'echo "$VPNCORE_EVENT $VPNCORE_DEVICE" >&3')
        p = self.start(on_up=[say], on_down=[say]).wait_up()
        p.kill()
        wait_for(lambda: len(self.lines()) == 2 and not list(RUN.iterdir()), "on_down was run")
        self.assertEqual(self.lines(), ["on_up vpn0", "on_down vpn0"])
        self.a.sh(BINARY, "cleanup", env=environment())
        self.assertEqual(len(self.lines()), 2)

    def test_on_down_by_cleanup_when_nobody_else_has(self):
        say = self.script("say", 'echo "$VPNCORE_EVENT" >&3; exit 1')
        p = self.start(on_down=[say]).wait_up()
        for pid in reapers("a"):
            os.kill(pid, signal.SIGKILL)
        p.kill()
        listed = self.a.sh(BINARY, "cleanup", "--list", env=environment()).stdout
        self.assertRegex(listed, r"^a(@\d+)?: on_down is to be run\n$")
        done = self.a.sh(BINARY, "cleanup", env=environment())  # run once, whatever comes of it
        self.assertRegex(done.stderr, "on_down: .*/say ended with status 1")
        self.assertEqual(self.lines(), ["on_down"])
        self.assertEqual(list(RUN.iterdir()), [])


class Failures(Hooks):
    def test_of_on_up_stops_the_start_and_everything_is_undone(self):
        say = self.script("say", 'echo "$VPNCORE_EVENT" >&3')
        bad = self.script("bad", "exit 3")
        p = self.start(on_up=[[say], [bad], [say]], on_down=[say])
        p.wait_end(1)
        self.assertRegex(p.log(), "on_up: .*/bad ended with status 3")
        self.assertNotIn("is up", p.log())
        self.assertEqual(self.lines(), ["on_up", "on_down"])
        self.assertFalse(self.a.has("vpn0"))

    def test_of_on_down_is_told_and_the_others_run(self):
        say = self.script("say", 'echo "$VPNCORE_EVENT" >&3')
        bad = self.script("bad", "kill -9 $$")
        p = self.start(on_down=[[bad], [say]]).wait_up()
        p.stop(status=1)
        self.assertRegex(p.log(), "on_down: .*/bad was ended by signal 9")
        self.assertEqual(self.lines(), ["on_down"])

    def test_one_that_does_not_end_is_killed_with_its_children(self):
        slow = self.script("slow", "sleep 4321 & echo $! >&3; wait")
        p = self.start(on_up=[slow], hook_timeout="300ms")
        p.wait_end(1)
        self.assertRegex(p.log(), "did not end within 0.3 seconds")
        child = pathlib.Path("/proc", self.lines()[0], "cmdline")
        wait_for(lambda: not child.exists() or b"4321" not in child.read_bytes(),
                 "the child is gone")

    def test_one_that_leaves_a_child_behind_does_not_hold_up_the_start(self):
        self.start(on_up=[self.script("daemon", "sleep 30 & exit 0")]).wait_up().stop()
        loud = self.script("loud", "yes & exit 0")
        self.start(on_up=[loud]).wait_up().stop()

    def refuse(self, pointer, text, **keys):
        p = self.start(**keys)
        p.wait_end(2)
        self.assertRegex(p.log(), r"\.json:\d+:\d+: %s: .*%s" % (pointer, text))

    def test_wrong_ones_are_refused_before_anything_is_touched(self):
        loose = self.script("loose", "")
        pathlib.Path(loose).chmod(0o777)
        plain = self.directory / "plain"
        plain.write_text("")
        self.refuse("/on_up", "must be a command", on_up="logger up")
        self.refuse("/on_up/0", "absolute path.*no shell", on_up=["logger", "up"])
        self.refuse("/on_up/1", "must be an array", on_up=[["/bin/true"], "x"])
        self.refuse("/on_up/1", "must be a string", on_up=["/bin/true", 1])
        self.refuse("/on_down/0/0", "No such file", on_down=[["/none/such"]])
        self.refuse("/on_down/0", "not a program", on_down=[str(plain)])
        self.refuse("/on_down/0", "changed by others.*chmod go-w", on_down=[loose])
        yard = self.directory / "yard"
        yard.mkdir()
        (yard / "inner").mkdir()
        for place in ("yard", "yard/inner"):
            self.script(place + "/say", "")
        (yard / "link").symlink_to("/bin/true")
        yard.chmod(0o777)
        for name, text in (("say", "others can write its folder"),
                           ("inner/say", "anybody can write the folder"),
                           ("link", "others can write its folder")):
            self.refuse("/on_down/0", "exchanged by others.*" + text, on_down=[str(yard / name)])
        self.refuse("/on_up", "longer than", on_up=["/bin/true", "x" * 20000])
        self.refuse("/hook_timeout", "10m", hook_timeout="2h")
        self.assertFalse(self.a.has("vpn0"))


if __name__ == "__main__":
    main()
