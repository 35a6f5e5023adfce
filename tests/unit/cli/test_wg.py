#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vpncore wg and vpncore-wg around a stub of the wireguard transport: command line, environment,
background. Runs as root, in a network namespace of its own."""
import ctypes
import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

from program import VPNCORE, Test, main

CLONE_NEWNET = 0x40000000
PR_SET_CHILD_SUBREAPER = 36
TOO_LONG = 60  # seconds
DROP_IN = VPNCORE + "-wg"
VARIABLES = ("LOG_LEVEL", "WG_TUN_FD", "WG_UAPI_FD", "WG_PROCESS_FOREGROUND", "WG_TUN_NAME_FILE",
             "NOTIFY_SOCKET", "VPNCORE_TEST_FAIL", "VPNCORE_TEST_DIE")


def enter_namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: this test needs root")
    # what goes into the background stays our child, and its exit status ours to read
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for(condition, what):
    end = time.monotonic() + TOO_LONG
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.01)


def link(name):
    done = subprocess.run(["ip", "-o", "link", "show", "dev", name], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def delete(name):
    subprocess.run(["ip", "link", "del", name], check=True)


def children():
    path = "/proc/self/task/%d/children" % os.getpid()
    return [int(pid) for pid in pathlib.Path(path).read_text().split()]


class CommandLine(Test):
    def refused(self, *args, **more):
        return self.vpncore("wg", *args, status=2, **more).stderr

    def test_names_that_the_kernel_would_refuse(self):
        for name, why in (("", "1 to 15"), ("a" * 16, "1 to 15"), ("a/b", "no slash"),
                          ("a b", "white space"), ("a\n", "white space"), (".", "folder"),
                          ("..", "folder"), ("wg%s", "single %d"), ("%d%d", "single %d"),
                          ("wg:0", "colon"), (b"\xff".decode(errors="surrogateescape"), "UTF-8")):
            self.assertIn(why, self.refused("-f", name))

    def test_one_interface_at_a_time(self):
        self.assertIn("one interface", self.refused())
        self.assertIn("one interface", self.refused("wg0", "wg1"))

    def test_path_mtu_is_a_number_in_range(self):
        for text in ("", "1359", "65536", "1500x", "-1", "99999999999999999999"):
            self.assertIn("from 1360 to 65535", self.refused("--path-mtu=" + text, "wg0"))

    def test_descriptors_are_open_ones(self):
        for text in ("x", "-1", "999", "1x"):
            self.assertIn("WG_TUN_FD=", self.refused("wg0", env={"WG_TUN_FD": text}))
            self.assertIn("WG_UAPI_FD=", self.refused("wg0", env={"WG_UAPI_FD": text}))

    def test_without_the_plugin_it_says_so_and_fails(self):
        path = pathlib.Path(os.environ["VPNCORE_PLUGIN_PATH"].split(":")[-1])
        only = self.folder / "plugins"
        only.mkdir()
        for name in ("driver-tuntap-linux.so", "transport-udp.so"):
            (only / name).write_bytes((path / name).read_bytes())
        for args in (("-f", "wg0"), ("wg0",)):
            done = self.vpncore("wg", *args, status=1, env={"VPNCORE_PLUGIN_PATH": str(only)})
            self.assertIn('vpncore wg: /pipeline/1/transport: no transport "wireguard" is installed',
                          done.stderr)

    def test_the_drop_in_shows_its_version(self):
        self.assertIn("vpncore ", self.vpncore("--version", program=DROP_IN).stdout)
        self.assertIn("Usage: vpncore wg", self.vpncore("--help", program=DROP_IN).stdout)


    def test_help(self):
        self.assertIn("WG_TUN_FD", self.vpncore("wg", "--help").stdout)


class Background(Test):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.no_child_is_left)

    def no_child_is_left(self):
        for pid in children():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def start(self, *args, program=DROP_IN, env=None, status=0, **more):
        return self.vpncore(*args, program=program, env=env, status=status, **more)

    def daemon(self):
        """The one process in the background."""
        pids = children()
        self.assertEqual(len(pids), 1)
        return pids[0]

    def wait_end(self, pid):
        end = time.monotonic() + TOO_LONG
        while time.monotonic() < end:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found == pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError("the program does not end")

    def test_returns_when_the_interface_is_there(self):
        done = self.start("wg0")
        self.assertIn(" mtu 1420 ", link("wg0"))
        self.assertNotIn("UP", link("wg0").split(">")[0])
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        pid = self.daemon()
        self.assertEqual(os.getsid(pid), pid)
        self.assertEqual(os.readlink("/proc/%d/cwd" % pid), "/")
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink("/proc/%d/fd/%d" % (pid, fd)), "/dev/null")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.wait_end(pid), 0)
        self.assertEqual(link("wg0"), "")

    def test_ends_well_when_the_interface_is_deleted(self):
        self.start("wg", "wg0", program=VPNCORE)
        pid = self.daemon()
        delete("wg0")
        self.assertEqual(self.wait_end(pid), 0)

    def test_ends_badly_when_a_component_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            word = os.path.join(folder, "die")
            self.start("wg0", env={"VPNCORE_TEST_DIE": word})
            pid = self.daemon()
            with open(word, "w", encoding="ascii"):
                pass
            self.assertEqual(self.wait_end(pid), 1)

    def test_a_component_that_fails_while_it_starts_is_a_failure(self):
        done = self.start("wg0", env={"VPNCORE_TEST_DIE": "now"}, status=1)
        self.assertIn("the test wants it to die", done.stderr)
        self.assertEqual(link("wg0"), "")
        self.assertEqual(children(), [])

    def test_says_why_it_could_not_start(self):
        for level in ("", "silent"):
            done = self.start("wg0", env={"VPNCORE_TEST_FAIL": "1", "LOG_LEVEL": level}, status=1)
            self.assertIn("the test wants it to fail", done.stderr)
            self.assertEqual(link("wg0"), "")
            self.assertEqual(children(), [])

    def test_keeps_its_output_when_a_log_is_asked_for(self):
        log = self.folder / "log"
        with open(log, "w") as out:
            subprocess.run([DROP_IN, "wg0"], stdout=out, stderr=out, check=True,
                           env={**os.environ, "LOG_LEVEL": "verbose"})
        pid = self.daemon()
        self.assertIn("uapi=1 uapi_fd=-1", log.read_text())
        self.assertEqual(os.readlink("/proc/%d/fd/0" % pid), "/dev/null")
        self.assertEqual(os.readlink("/proc/%d/fd/2" % pid), str(log))
        delete("wg0")
        self.assertEqual(self.wait_end(pid), 0)
        self.assertIn("was deleted", log.read_text())

    def test_is_silent_when_asked_to_be(self):
        log = self.folder / "log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, open(log, "w") as out:
            ready.bind(str(self.folder / "ready"))
            ready.settimeout(TOO_LONG)
            process = subprocess.Popen([DROP_IN, "-f", "wg0"], stdout=out, stderr=out,
                                       env={**os.environ, "LOG_LEVEL": "silent",
                                            "NOTIFY_SOCKET": str(self.folder / "ready")})
            self.assertIn(b"READY=1", ready.recv(4096))
        delete("wg0")
        self.assertEqual(process.wait(TOO_LONG), 0)
        self.assertEqual(log.read_text(), "")

    def test_the_kernel_may_choose_the_number(self):
        name = self.folder / "name"
        self.start("wg%d", env={"WG_TUN_NAME_FILE": str(name)})
        self.assertEqual(name.read_text(), "wg0\n")
        self.assertNotEqual(link("wg0"), "")

    def test_a_name_file_that_cannot_be_written_is_a_failure(self):
        done = self.start("wg0", env={"WG_TUN_NAME_FILE": "nowhere/name"}, status=1)
        self.assertIn("WG_TUN_NAME_FILE nowhere/name: No such file", done.stderr)
        self.assertEqual(link("wg0"), "")

    def test_path_mtu_makes_room_for_a_larger_mtu(self):
        self.start("--path-mtu", "9080", "wg0")
        self.assertIn(" mtu 9000 ", link("wg0"))

    def test_the_environment_keeps_it_in_the_foreground(self):
        process = subprocess.Popen([DROP_IN, "wg0"], stderr=subprocess.DEVNULL,
                                   env={**os.environ, "WG_PROCESS_FOREGROUND": "1"})
        wait_for(lambda: link("wg0"), "wg0")
        self.assertIsNone(process.poll())
        delete("wg0")
        self.assertEqual(process.wait(TOO_LONG), 0)

    def test_descriptors_reach_their_components(self):
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"given0", 0x1 | 0x1000 | 0x4000))
        log = self.folder / "log"
        with open(log, "w") as out:
            subprocess.run([DROP_IN, "other"], stdout=out, stderr=out, check=True,
                           pass_fds=[tun, 1],
                           env={**os.environ, "LOG_LEVEL": "debug", "WG_TUN_FD": str(tun),
                                "WG_UAPI_FD": "1"})
        os.close(tun)
        self.assertIn("uapi_fd=1", log.read_text())
        self.assertEqual(link("other"), "")
        self.assertNotEqual(link("given0"), "")


if __name__ == "__main__":
    for variable in VARIABLES:
        os.environ.pop(variable, None)
    enter_namespace()
    main()
