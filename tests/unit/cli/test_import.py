#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vpncore import: the files in wgquick/, to the letter, and the files that are left or not.

good-NAME.conf  gives good-NAME.json on standard output; warnings are good-NAME.warnings, or none
bad-NAME.conf   is refused with exit status 2 and with bad-NAME.errors on standard error
"""
import difflib
import json
import os
import pathlib
import resource
import stat

from program import Test, main

HERE = pathlib.Path(__file__).resolve().parent / "wgquick"
FILE = """[Interface]
PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
[Peer]
PublicKey = GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU=
PresharedKey = /UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=
[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
[Peer]
PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
PresharedKey = oK56DE9Ue9zK76rAc8pBl6opph+1v36lm7cXXsQKrQM=
"""
KEYS = {"PrivateKey": "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="}
WRITTEN = {"out.json": 0o600, "out.key": 0o600, "out.peer1.psk": 0o600, "out.peer3.psk": 0o600}


class Samples(Test):
    def same(self, expected, found, what):
        lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), what, "found",
                                     lineterm="")
        self.assertEqual(expected, found, "\n" + "\n".join(lines))

    def beside(self, file, ending):
        other = file.with_suffix(ending)
        return other.read_text() if other.exists() else ""

    def copy(self, file):
        (self.folder / file.name).write_bytes(file.read_bytes())

    def test_good_files_give_their_manifest(self):
        files = sorted(HERE.glob("good-*.conf"))
        self.assertGreater(len(files), 5)
        for file in files:
            with self.subTest(file.name):
                self.copy(file)
                done = self.vpncore("import", file.name)
                self.same(self.beside(file, ".json"), done.stdout, file.stem + ".json")
                self.same(self.beside(file, ".warnings"), done.stderr, file.stem + ".warnings")
                json.loads(done.stdout)

    def test_bad_files_are_refused_and_leave_nothing(self):
        files = sorted(HERE.glob("bad-*.conf"))
        self.assertGreater(len(files), 5)
        for file in files:
            with self.subTest(file.name):
                self.copy(file)
                before = self.files()
                done = self.vpncore("import", "-o", "out.json", file.name, status=2)
                self.same(self.beside(file, ".errors"), done.stderr, file.stem + ".errors")
                self.assertEqual(done.stdout, "")
                self.assertEqual(self.files(), before)


class Files(Test):
    def setUp(self):
        super().setUp()
        self.write("wg0.conf", FILE)

    def outputs(self):
        return {n: m for n, m in self.files().items() if n.startswith("out")}

    def test_writes_the_manifest_and_its_keys(self):
        done = self.vpncore("import", "-o", "out.json", "wg0.conf", umask=0)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertEqual(self.outputs(), WRITTEN)
        stages = json.loads((self.folder / "out.json").read_text())["pipeline"]
        self.assertEqual(stages[0]["name"], "wg0")
        self.assertEqual(stages[1]["private_key"], {"file": "out.key"})
        self.assertEqual([p.get("preshared_key") for p in stages[1]["peers"]],
                         [{"file": "out.peer1.psk"}, None, {"file": "out.peer3.psk"}])
        self.assertEqual((self.folder / "out.key").read_text(), KEYS["PrivateKey"] + "\n")
        self.assertEqual((self.folder / "out.peer3.psk").read_text(),
                         "oK56DE9Ue9zK76rAc8pBl6opph+1v36lm7cXXsQKrQM=\n")

    def test_writes_into_another_folder(self):
        (self.folder / "etc").mkdir()
        self.vpncore("import", "-o", "etc/a.conf.json", "wg0.conf")
        self.assertEqual({f.name for f in (self.folder / "etc").iterdir()},
                         {"a.conf.json", "a.conf.key", "a.conf.peer1.psk", "a.conf.peer3.psk"})

    def test_writes_the_key_of_header_protection(self):
        key = "oK56DE9Ue9zK76rAc8pBl6opph+1v36lm7cXXsQKrQM="
        self.write("wg0.conf", FILE.replace("[Peer]", "S1=12\nHeaderProtectionKey=%s\n[Peer]" % key, 1))
        done = self.vpncore("import", "-o", "out.json", "wg0.conf", umask=0)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertEqual(self.outputs(), {**WRITTEN, "out.awg.key": 0o600})
        stages = json.loads((self.folder / "out.json").read_text())["pipeline"]
        self.assertEqual(stages[2], {"transport": "obfs", "mode": "awg", "awg": {
            "s1": 12, "header_protection_key": {"file": "out.awg.key"}}})
        self.assertEqual((self.folder / "out.awg.key").read_text(), key + "\n")
        self.assertNotIn(key, (self.folder / "out.json").read_text())

    def test_nothing_is_left_when_any_file_exists(self):
        for name in WRITTEN:
            with self.subTest(name):
                file = self.write(name, "old")
                done = self.vpncore("import", "-o", "out.json", "wg0.conf", status=1)
                self.assertIn("%s: exists already" % name, done.stderr)
                self.assertEqual(self.outputs(), {name: 0o600})
                self.assertEqual(file.read_text(), "old")
                file.unlink()

    def test_force_replaces_files_and_their_mode(self):
        for name in WRITTEN:
            self.write(name, "old", 0o644)
        self.vpncore("import", "--force", "-o", "out.json", "wg0.conf")
        self.assertEqual(self.outputs(), WRITTEN)
        for name in WRITTEN:
            self.assertNotEqual((self.folder / name).read_text(), "old")

    def test_force_replaces_nothing_when_one_cannot_be(self):
        self.write("out.json", "old")
        self.write("out.key", "old")
        (self.folder / "out.peer3.psk").mkdir()
        done = self.vpncore("import", "-f", "-o", "out.json", "wg0.conf", status=1)
        self.assertIn("out.peer3.psk: Is a directory", done.stderr)
        self.assertEqual(sorted(self.outputs()), ["out.json", "out.key", "out.peer3.psk"])
        self.assertEqual((self.folder / "out.key").read_text(), "old")

    def test_force_does_not_write_through_a_link(self):
        target = self.write("target", "old")
        os.symlink("target", self.folder / "out.key")
        self.vpncore("import", "-f", "-o", "out.json", "wg0.conf", status=1)
        self.assertEqual(target.read_text(), "old")

    def test_nothing_is_left_when_the_disk_is_full(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        # keys fit into 100 bytes, the manifest does not
        done = self.vpncore("import", "-o", "out.json", "wg0.conf", status=1, preexec_fn=limit,
                            restore_signals=False)
        self.assertIn("out.json: File too large", done.stderr)
        self.assertEqual(self.outputs(), {})

    def test_a_name_that_is_no_text_is_refused(self):
        done = self.vpncore("import", "-o", b"\xff.json".decode(errors="surrogateescape"), "wg0.conf",
                            status=2)
        self.assertIn("UTF-8", done.stderr)
        self.vpncore("import", "-o", "etc/", "wg0.conf", status=2)

    def test_reads_standard_input(self):
        done = self.vpncore("import", "-", stdin=FILE)
        self.assertEqual(json.loads(done.stdout)["pipeline"][0]["name"], "wg0")
        done = self.vpncore("import", "-", stdin="x", status=2)
        self.assertIn("standard input:1:1: ", done.stderr)

    def test_warns_when_the_output_is_open_to_others(self):
        file = self.write("out", "", 0o644)
        with open(file, "w") as out:
            done = self.vpncore("import", "wg0.conf", stdout=out)
        self.assertIn("warning: standard output is a file that others can open", done.stderr)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o644)

    def test_fails_when_the_manifest_does_not_get_out(self):
        with open("/dev/full", "w") as out:
            self.vpncore("import", "wg0.conf", stdout=out, status=1)

    def test_renames_the_device_when_the_file_has_another_kind_of_name(self):
        self.write("my office network.conf", FILE)
        done = self.vpncore("import", "my office network.conf")
        self.assertIn("the device will be called my-office-netwo", done.stderr)
        self.assertEqual(json.loads(done.stdout)["pipeline"][0]["name"], "my-office-netwo")

    def test_says_why_a_file_cannot_be_read(self):
        self.assertIn("x.conf: No such file", self.vpncore("import", "x.conf", status=1).stderr)
        self.assertIn("/: Is a directory", self.vpncore("import", "/", status=1).stderr)

    def test_a_file_that_never_ends_is_refused(self):
        with open("/dev/zero") as zero:
            done = self.vpncore("import", "-", status=2, stdin_file=zero)
        self.assertIn("is larger than 16777216 bytes", done.stderr)

    def test_a_large_file_loses_nothing(self):
        text = FILE + "AllowedIPs = " + ",".join("fd00:%x::" % i for i in range(60000))
        self.write("large.conf", text)
        done = self.vpncore("import", "large.conf")
        peers = json.loads(done.stdout)["pipeline"][1]["peers"]
        self.assertEqual(len(set(peers[2]["allowed_ips"])), 60000)
        self.assertIn("and 59999 more add", done.stderr)

    def test_refuses_a_wrong_command_line(self):
        self.assertIn("one wg-quick file", self.vpncore("import", status=2).stderr)
        self.assertIn("one wg-quick file", self.vpncore("import", "a", "b", status=2).stderr)
        self.assertIn("goes with --output", self.vpncore("import", "-f", "a", status=2).stderr)


if __name__ == "__main__":
    os.umask(0o022)
    main()
