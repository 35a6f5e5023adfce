# SPDX-License-Identifier: BSD-2-Clause
"""program: a `vpncore run` under test, with its log and its counters."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VPNCORE_BUILD_DIR", TOP / "build" / "release")).resolve()
BINARY = BUILD / "bin" / "vpncore"
PLUGINS = BUILD / "plugins"

_REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:",
            "UndefinedBehaviorSanitizer")
_STAGE = re.compile(r"counters: lane (\d+) (\S+): down (.*?) up (.*)$")


def sanitizer():
    """"asan", "tsan" or "" by what the program was built with."""
    cache = BUILD / "CMakeCache.txt"
    text = cache.read_text() if cache.exists() else ""
    if "-fsanitize=thread" in text:
        return "tsan"
    return "asan" if "-fsanitize=address" in text else ""


# A sanitised program is several times slower; only deadlines know.
SLOWNESS = 4 if sanitizer() else 1


def wait_for(condition, what, timeout=10.0):
    """Returns the first true value of condition(); fails the test when none comes in time."""
    end = time.monotonic() + timeout * SLOWNESS
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (timeout * SLOWNESS, what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _wrapper():
    """gcc 12's ThreadSanitizer cannot place its shadow with much address randomisation."""
    return ["setarch", os.uname().machine, "-R"] if sanitizer() == "tsan" else []


def environment(**more):
    env = dict(os.environ)
    env.pop("NOTIFY_SOCKET", None)
    env["VPNCORE_PLUGIN_PATH"] = str(PLUGINS)
    env["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
    env["TSAN_OPTIONS"] = "halt_on_error=0:exitcode=99:second_deadlock_stack=1"
    env.update({k: str(v) for k, v in more.items()})
    return env


def parse_fields(text):
    return {k: int(v) for k, v in (field.split("=") for field in text.split())}


def parse_counters(lines):
    """{(lane, stage): {"down": {...}, "up": {...}, reason: n, ...}} of `counters:` lines."""
    found = {}
    for line in lines:
        m = _STAGE.search(line)
        if not m:
            continue
        up = parse_fields(m[4])
        link = ("packets", "bytes", "batches", "refused")
        stage = {k: v for k, v in up.items() if k not in link}
        stage["down"] = parse_fields(m[3])
        stage["up"] = {k: v for k, v in up.items() if k in link}
        found[int(m[1]), m[2]] = stage
    return found


def total(counters, stage, *path):
    """A counter of a stage summed over the lanes: total(c, "udp", "down", "packets")."""
    result = 0
    for (_, name), values in counters.items():
        if name == stage:
            for key in path:
                values = values.get(key, 0) if isinstance(values, dict) else 0
            result += values
    return result


def reapers(name):
    """Processes that wait for the pipeline `name` to die, to undo what it has changed."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"vpncore", b"reap"] and words[2].split(b"@")[0] == name.encode():
            found.append(int(entry.name))
    return found


class Vpncore:
    """One process. Used through harness.Test.vpncore(), which stops it at the end."""

    def __init__(self, ns, manifest, directory, *, args=(), env=None, before=(), binary=None,
                 pass_fds=()):
        self.ns = ns
        self.manifest = manifest
        self.name = manifest["name"] if isinstance(manifest, dict) else "text"
        serial = sum(1 for _ in directory.glob("*.json"))
        self.file = directory / ("%s-%d.json" % (self.name, serial))
        text = manifest if isinstance(manifest, str) else json.dumps(manifest, indent=1)
        self.file.write_text(text)
        self.log_file = self.file.with_suffix(".log")
        argv = _wrapper() + [str(b) for b in before]
        argv += [str(binary or BINARY), "run", "--log-level", "debug", *args, str(self.file)]
        with open(self.log_file, "wb") as log:
            self.process = ns.spawn(*argv, stdout=log, stderr=log, pass_fds=pass_fds,
                                    env=environment(**(env or {})))
        self.killed = False

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace")

    def running(self):
        return self.process.poll() is None

    def wait_up(self):
        up = "pipeline %s is up" % self.name
        wait_for(lambda: up in self.log() or not self.running(), "log line '%s'" % up, 20)
        if up not in self.log():
            raise AssertionError("%s ended with status %s before it was up"
                                 % (self.name, self.process.returncode))
        return self

    def wait_log(self, text, timeout=10.0, start=0):
        """Waits for a log line that matches the regular expression; returns the match."""
        pattern = re.compile(text, re.MULTILINE)
        return wait_for(lambda: pattern.search(self.log()[start:]), "log line /%s/" % text, timeout)

    def counters(self):
        """Asks by SIGUSR1 and returns parse_counters() of the answer."""
        if not isinstance(self.manifest, dict):
            raise RuntimeError("the number of stages is not known")
        n = len(self.manifest["pipeline"]) * self.manifest.get("lanes", 1)
        start = len(self.log())
        self.process.send_signal(signal.SIGUSR1)

        def answer():
            text = self.log()[start:]
            whole = text[:text.rfind("\n") + 1].splitlines()
            lines = [line for line in whole if "counters:" in line]
            return lines if len(lines) >= n else None
        return parse_counters(wait_for(answer, "counters of %s" % self.name))

    def wait_end(self, status, timeout=10.0):
        """Waits until the process has ended and checks how."""
        try:
            self.process.wait(timeout * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s has not ended within %g s" % (self.name, timeout * SLOWNESS)) \
                from None
        self.check_log()
        if self.process.returncode != status:
            raise AssertionError("%s ended with status %d, not %d"
                                 % (self.name, self.process.returncode, status))

    def stop(self, number=signal.SIGTERM, status=0, timeout=10.0):
        self.process.send_signal(number)
        self.wait_end(status, timeout)

    def kill(self):
        self.killed = True
        self.process.kill()
        self.process.wait(30)

    def check_log(self):
        """No sanitizer has spoken, and no packet was lost from a pool."""
        text = self.log()
        for report in _REPORTS:
            if report in text:
                raise AssertionError("%s: %s" % (self.name, report))
        if "packets were not released" in text:
            raise AssertionError("%s: packets were not released" % self.name)

    def close(self):
        """The end of a test: a process that still runs is stopped and has to end well."""
        if self.killed:
            return
        if not self.running():
            self.check_log()
            return
        try:
            self.process.send_signal(signal.SIGCONT)
            self.stop()
        finally:
            if self.running():
                self.kill()

    def resident_bytes(self):
        for line in open("/proc/%d/status" % self.pid):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def text(self, lines=80):
        """The tail of the log, with the counters if it still runs; for a failed test."""
        if self.running():
            with contextlib.suppress(AssertionError, RuntimeError):
                self.counters()
        tail = self.log().splitlines()[-lines:]
        return "--- %s (%s)\n%s\n" % (self.file.name, self.process.returncode, "\n".join(tail))
