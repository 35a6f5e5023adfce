#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run: runs the integration tests, each file in namespaces of its own.

    run.py [--build DIR] [--jobs N] [--match TEXT] [FILE...]

Each test_*.py gets a new mount, network and process namespace, a private /run, an empty /var/lib and a copy
of /etc:
whatever it does, the machine's own network, /etc and processes are out of its reach, and all of its
processes end with it. Needs root. Ends with `N passed, N failed`; the exit status is 0 when none
failed and some passed.
"""
import argparse
import concurrent.futures
import importlib
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
# Of one file; a hang becomes a failure. test_kcp_soak.py takes what it is told beside that.
LIMIT_SECONDS = 420 + int(os.environ.get("VPNCORE_SOAK_SECONDS", "0"))


class Result(unittest.TextTestResult):
    """Counts, and shows what the programs of a failed test have said."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = 0
        self.times = {}
        self._begin = 0.0

    def startTest(self, test):
        super().startTest(test)
        self._begin = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln("    %.1f s" % (time.monotonic() - self._begin))

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def _tell(self, test):
        if hasattr(test, "told"):
            self.stream.writeln(test.told())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._tell(test)

    def addError(self, test, err):
        super().addError(test, err)
        self._tell(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._tell(test)


def own_etc():
    """A private copy of /etc, in which names are looked up in /etc/hosts first on every machine."""
    subprocess.run(["cp", "-a", "/etc", "/run/etc"], check=True)
    files = {"hosts": "127.0.0.1 localhost\n::1 localhost\n", "resolv.conf": "",
             "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}
    for name, text in files.items():
        path = pathlib.Path("/run/etc", name)
        path.unlink(missing_ok=True)  # it may be a link to a place that is not here
        path.write_text(text, encoding="ascii")
    subprocess.run(["mount", "--bind", "/run/etc", "/etc"], check=True)


def share_tun():
    """A /dev/net/tun that everybody may open, as udev makes it; not every machine has udev."""
    os.mknod("/run/tun", stat.S_IFCHR | 0o666, os.makedev(10, 200))
    os.chmod("/run/tun", 0o666)
    subprocess.run(["mount", "--bind", "/run/tun", "/dev/net/tun"], check=True)


def run_inside(file, match, report):
    """The part that runs in the new namespaces: one file's tests. The outcome goes to `report`."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/var/lib"], check=True)
    own_etc()
    share_tun()
    os.makedirs("/run/tmp")
    tempfile.tempdir = "/run/tmp"
    os.umask(0o022)
    os.environ["TMPDIR"] = "/run/tmp"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sys.path[:0] = [str(pathlib.Path(file).parent), str(HERE)]
    loader = unittest.TestLoader()
    if match:
        loader.testNamePatterns = ["*%s*" % match]
    module = importlib.import_module(pathlib.Path(file).stem)
    suite = loader.loadTestsFromModule(module)
    runner = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result)
    result = runner.run(suite)
    # A skipped test has shown nothing: it counts as a failure, as does an unexpected success.
    failed = len(result.failures) + len(result.errors) + len(result.skipped) \
        + len(result.unexpectedSuccesses)
    pathlib.Path(report).write_text(json.dumps({"passed": result.passed, "failed": failed,
                                                "found": result.testsRun}), encoding="ascii")


def run_file(file, match, build):
    """Runs one file in a child; returns (output, passed, failed)."""
    env = dict(os.environ, VPNCORE_BUILD_DIR=str(build), PYTHONUNBUFFERED="1",
               PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
    with tempfile.NamedTemporaryFile(prefix="vpncore-report-") as report:
        argv = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                "--", sys.executable, str(HERE / "run.py"), "--inside", str(file),
                "--report", report.name]
        if match:
            argv += ["--match", match]
        begin = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, errors="replace", env=env)
        try:
            output, _ = child.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            output, _ = child.communicate()
            output += "\nNOT ENDED within %d s\n" % LIMIT_SECONDS
        text = pathlib.Path(report.name).read_text(encoding="ascii")
    output = "== %s, %.0f s\n%s" % (file.name, time.monotonic() - begin, output)
    if not text:
        return output + "the run of this file broke off: counted as one failure\n", 0, 1
    counts = json.loads(text)
    if counts["found"] == 0 and not match:
        return output + "no test in this file: counted as one failure\n", 0, 1
    return output, counts["passed"], counts["failed"]


def main():
    parser = argparse.ArgumentParser(description="Runs the integration tests.")
    parser.add_argument("--build", type=pathlib.Path,
                        default=os.environ.get("VPNCORE_BUILD_DIR"),
                        help="build directory (default: build/release)")
    parser.add_argument("--jobs", type=int, default=1,
                        help="files at a time (default 1); all share the kernel's receive queue of "
                        "each CPU, so that a flood in one costs another its pings")
    parser.add_argument("--match", help="only tests whose name contains this")
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="*", type=pathlib.Path)
    o = parser.parse_args()
    if o.inside:
        run_inside(o.inside, o.match, o.report)
        return 0
    if os.geteuid() != 0:
        print("run.py: these tests make network namespaces: run them as root", file=sys.stderr)
        return 1
    build = pathlib.Path(o.build or HERE.parents[1] / "build" / "release").resolve()
    if not (build / "bin" / "vpncore").exists():
        print("run.py: no program at %s/bin/vpncore: build first" % build, file=sys.stderr)
        return 1
    files = [f.resolve() for f in o.file] or sorted(HERE.glob("test_*.py"))
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for output, good, bad in pool.map(lambda f: run_file(f, o.match, build), files):
            print(output, flush=True)
            passed += good
            failed += bad
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
