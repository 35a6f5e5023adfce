#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vpncore keygen, psk, pubkey: what they print and the files that they leave."""
import base64
import os
import re

from program import Test, main

KEY = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="     # RFC 7748 section 6.1, Alice
PUBLIC = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


class Keygen(Test):
    def test_prints_one_clamped_key(self):
        seen = set()
        for _ in range(20):
            done = self.vpncore("keygen")
            self.assertRegex(done.stdout, r"\A[A-Za-z0-9+/]{43}=\n\Z")
            self.assertEqual(done.stderr, "")
            key = base64.b64decode(done.stdout)
            self.assertEqual((key[0] & 7, key[31] & 0xc0), (0, 0x40))
            seen.add(done.stdout)
        self.assertEqual(len(seen), 20)

    def test_a_preshared_key_is_not_clamped(self):
        low = 0
        for _ in range(40):
            done = self.vpncore("psk")
            self.assertRegex(done.stdout, r"\A[A-Za-z0-9+/]{43}=\n\Z")
            low |= base64.b64decode(done.stdout)[0]
        self.assertEqual(low & 7, 7)

    def test_writes_a_file_for_its_owner_alone(self):
        for command in ("keygen", "psk"):
            done = self.vpncore(command, "-o", command, umask=0)
            self.assertEqual((done.stdout, done.stderr), ("", ""))
            self.assertEqual(len((self.folder / command).read_text()), 45)
        self.assertEqual(self.files(), {"keygen": 0o600, "psk": 0o600})

    def test_never_overwrites_a_key(self):
        self.write("key", "old")
        done = self.vpncore("keygen", "--output=key", status=1)
        self.assertIn("key: exists already", done.stderr)
        self.assertEqual((self.folder / "key").read_text(), "old")

    def test_says_why_a_file_cannot_be_written(self):
        done = self.vpncore("psk", "-o", "nowhere/key", status=1)
        self.assertIn("vpncore psk: nowhere/key: No such file or directory", done.stderr)

    def test_warns_of_a_file_that_others_can_open(self):
        for mode, warned in ((0o644, True), (0o640, True), (0o600, False)):
            file = self.write("out", "", mode)
            with open(file, "w") as out:
                done = self.vpncore("keygen", stdout=out)
            self.assertEqual("warning: standard output" in done.stderr, warned)
            self.assertEqual(len(file.read_text()), 45)

    def test_fails_when_the_key_does_not_get_out(self):
        with open("/dev/full", "w") as out:
            self.vpncore("keygen", stdout=out, status=1)

    def test_takes_no_argument(self):
        done = self.vpncore("keygen", "file", status=2)
        self.assertIn("named with -o", done.stderr)


class Pubkey(Test):
    def test_reads_standard_input(self):
        for text in (KEY + "\n", KEY, KEY + "\r\n", " " + KEY + " \n\n"):
            self.assertEqual(self.vpncore("pubkey", stdin=text).stdout, PUBLIC + "\n")
        self.assertEqual(self.vpncore("pubkey", "-", stdin=KEY).stdout, PUBLIC + "\n")

    def test_reads_a_file_and_warns_when_it_is_open(self):
        self.write("key", KEY + "\n")
        done = self.vpncore("pubkey", "key")
        self.assertEqual((done.stdout, done.stderr), (PUBLIC + "\n", ""))
        (self.folder / "key").chmod(0o640)
        done = self.vpncore("pubkey", "key")
        self.assertEqual(done.stdout, PUBLIC + "\n")
        self.assertIn("open to others", done.stderr)

    def test_reads_what_keygen_wrote(self):
        self.vpncore("keygen", "-o", "key")
        self.assertRegex(self.vpncore("pubkey", "key").stdout, r"\A[A-Za-z0-9+/]{43}=\n\Z")

    def test_refuses_what_is_no_key_and_does_not_repeat_it(self):
        for text, why in (("", "it is empty"), ("\n", "it is empty"), (KEY[:-1], '"=" at its end'),
                          (KEY + KEY, "too long"), (KEY + "\n" + KEY, "too long"),
                          (KEY[:42] + "p=", "last letter"), ("A" * 4000, "too long"),
                          (KEY.replace("+", "-").replace("d", "*"), "base64 does not"),
                          (KEY[:-1] + "\0", "does not")):
            done = self.vpncore("pubkey", stdin=text, status=1)
            self.assertEqual(done.stdout, "")
            self.assertIn("standard input: that is no key: ", done.stderr)
            self.assertIn(why, done.stderr)
            self.assertNotIn(KEY[2:20], done.stderr)

    def test_refuses_a_key_on_the_command_line(self):
        done = self.vpncore("pubkey", KEY, status=2)
        self.assertIn("seen by everybody", done.stderr)
        self.assertNotIn(KEY, done.stderr)

    def test_says_why_a_file_cannot_be_read(self):
        self.assertIn("x: No such file", self.vpncore("pubkey", "x", status=1).stderr)
        self.assertIn("/: Is a directory", self.vpncore("pubkey", "/", status=1).stderr)
        self.assertIn("give one file", self.vpncore("pubkey", "x", "y", status=2).stderr)


class Help(Test):
    def test_every_new_command_has_help(self):
        for command in ("keygen", "psk", "pubkey", "import", "wg"):
            for words in ((command, "--help"), (command, "-h"), ("help", command)):
                done = self.vpncore(*words)
                self.assertTrue(done.stdout.startswith("Usage: vpncore %s" % command))
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 84)
            self.assertTrue(re.search(r"^  .*\b%s\b" % command, self.vpncore("--help").stdout, re.M))

    def test_the_nearest_option_is_named(self):
        done = self.vpncore("keygen", "--ouput", status=2)
        self.assertIn('did you mean "--output"?', done.stderr)


if __name__ == "__main__":
    os.umask(0o022)
    main()
