# SPDX-License-Identifier: BSD-2-Clause
"""program: runs `vpncore` for the tests of its commands. VPNCORE in the environment is the program."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TIME_LIMIT = 60  # seconds, for a program that hangs
VPNCORE = os.path.abspath(os.environ.get("VPNCORE", "vpncore"))
REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")


class Test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vpncore-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)

    def vpncore(self, *args, stdin="", status=0, env=None, program=VPNCORE, **more):
        """Runs one command in the test's folder and checks its exit status."""
        if "stdin_file" in more:
            source = {"stdin": more.pop("stdin_file")}
        else:
            source = {"input": stdin}
        done = subprocess.run(
            [program, *map(str, args)], cwd=self.folder, text=True, errors="replace", timeout=TIME_LIMIT,
            stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})}, **source, **more)
        for report in REPORTS:
            self.assertNotIn(report, done.stderr)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def write(self, name, text, mode=0o600):
        file = self.folder / name
        file.write_text(text)
        file.chmod(mode)
        return file

    def files(self):
        """{name: mode} of what is in the folder."""
        return {f.name: f.stat().st_mode & 0o7777 for f in self.folder.iterdir()}


def main():
    unittest.main(verbosity=2, argv=sys.argv)
