#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vpncore check` says about the manifests in a folder (manifests/), to the letter.

    run_check.py [FOLDER]

bad-NAME.json   is refused with exit status 2; standard error is bad-NAME.expected
good-NAME.json  is accepted with exit status 0; standard error is good-NAME.expected, or empty when
                there is no such file; standard output is one line that begins "good-NAME.json: ok"

The tests run on a copy of the folder, because modes matter: *.key is for its owner alone, and *.open.key
for everybody. "@PLUGINS@" in the files stands for the folder of the test plugins, "{any}" in an expected
line for any text.

Environment: VPNCORE, the program; VPNCORE_TEST_PLUGINS, the folder with good/ and bad/ in it;
VPNCORE_TREE_PLUGINS, the folder of this tree's own plugins, when they are to be found as well.
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent / (sys.argv[1] if len(sys.argv) > 1 else "manifests")
TREE = [os.environ["VPNCORE_TREE_PLUGINS"]] if "VPNCORE_TREE_PLUGINS" in os.environ else []
TIME_LIMIT = 60  # seconds, for a program that hangs


def copy_folder(target, plugins):
    for source in sorted(HERE.iterdir()):
        copy = target / source.name
        if source.suffix in (".json", ".expected"):
            copy.write_bytes(source.read_bytes().replace(b"@PLUGINS@", plugins.encode()))
            copy.chmod(0o644)
        else:
            shutil.copyfile(source, copy)
            copy.chmod(0o644 if source.name.endswith(".open.key") else 0o600)


def run_check(program, folder, plugins, name):
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "VPNCORE_PLUGIN_PATH": ":".join([plugins + "/good"] + TREE),
        "VPNCORE_TEST_KEY": "AQIDBA==",
    }
    for kept in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
        if kept in os.environ:
            environment[kept] = os.environ[kept]
    return subprocess.run(
        [program, "check", name], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT)


def line_fits(expected, line):
    pattern = ".*".join(re.escape(part) for part in expected.split("{any}"))
    return re.fullmatch(pattern, line) is not None


def compare(what, expected, found):
    """The differences, as lines; empty when there are none."""
    if len(expected) == len(found) and all(map(line_fits, expected, found)):
        return []
    return list(difflib.unified_diff(expected, found, what + " expected", what + " found", lineterm=""))


def expected_lines(folder, stem):
    file = folder / (stem + ".expected")
    return file.read_text().splitlines() if file.exists() else None


def check_bad(folder, stem, done):
    expected = expected_lines(folder, stem)
    if not expected:
        return [f"{stem}.expected is missing or empty"]
    wrong = compare("standard error", expected, done.stderr.splitlines())
    wrong += compare("standard output", [], done.stdout.splitlines())
    if done.returncode != 2:
        wrong.append(f"exit status {done.returncode}, not 2")
    return wrong


def check_good(folder, stem, done):
    wrong = compare("standard error", expected_lines(folder, stem) or [], done.stderr.splitlines())
    wrong += compare("standard output", [f"{stem}.json: ok{{any}}"], done.stdout.splitlines())
    if done.returncode != 0:
        wrong.append(f"exit status {done.returncode}, not 0")
    return wrong


def run_case(program, folder, plugins, stem):
    try:
        done = run_check(program, folder, plugins, stem + ".json")
    except subprocess.TimeoutExpired:
        return [f"still running after {TIME_LIMIT} s"]
    if stem.startswith("good-"):
        return check_good(folder, stem, done)
    return check_bad(folder, stem, done)


def main():
    program = os.environ.get("VPNCORE")
    plugins = os.environ.get("VPNCORE_TEST_PLUGINS")
    if not program or not plugins:
        sys.exit("set VPNCORE to the program and VPNCORE_TEST_PLUGINS to the folder of the test plugins")
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="vpncore-check-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        copy_folder(folder, plugins)
        for stem in sorted(f.stem for f in HERE.glob("*.json")):
            wrong = run_case(os.path.abspath(program), folder, plugins, stem)
            print(("FAILED " if wrong else "ok ") + stem)
            for line in wrong:
                print("    " + line)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
