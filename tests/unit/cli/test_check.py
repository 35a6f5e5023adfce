#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vpncore check: what it says of good files, and with --verbose of what "auto" takes. The plugins are those
of tests/unit/core."""
import json

from program import Test, main

SPEC = {"vpncore": 1, "name": "a", "allow_insecure": True,
        "pipeline": [{"device": "auto"}, {"transport": "test-bottom", "remote": "192.0.2.1:5"}]}
DEVICE = "    /pipeline/0: takes test-device: 50 of 100: does not say how well it fits this machine\n"
OK = "a.json: ok: a: test-device, test-bottom; MTU 1500; 1 lane\n"


class Check(Test):
    def check(self, *args, dns=None, status=0, **fit):
        spec = dict(SPEC, dns=dns) if dns is not None else SPEC
        self.write("a.json", json.dumps(spec))
        env = {"TEST_FIT_" + name.upper(): str(value) for name, value in fit.items()}
        return self.vpncore("check", *args, "a.json", status=status, env=env)

    def test_says_one_line_of_a_good_file(self):
        self.assertEqual(self.check().stdout, OK)
        self.assertEqual(self.check("--quiet").stdout, "")
        self.assertEqual(self.check(dns={}, a=60, b=70).stdout, OK)

    def test_verbose_says_what_auto_takes_and_why(self):
        for option in ("-v", "--verbose"):
            self.assertEqual(self.check(option).stdout, OK + DEVICE)
        done = self.check("-v", dns={"backend": "auto"}, a=60, b=0)
        self.assertRegex(done.stdout, r"\A" + OK + DEVICE
                         + r"    /dns: takes test-a: 60 of 100: of a\n"
                         r"    /dns: not test-b: 0 of 100: of bx+\n"
                         r"    /dns: not test-c: 50 of 100: does not say .*\n\Z")

    def test_verbose_says_nothing_of_what_is_named(self):
        done = self.check("-v", dns={"backend": "test-a"})
        self.assertEqual(done.stdout, OK + DEVICE)

    def test_the_last_of_quiet_and_verbose_counts(self):
        self.assertEqual(self.check("-vq").stdout, "")
        self.assertEqual(self.check("-qv").stdout, OK + DEVICE)

    def test_lists_each_backend_when_none_can_be_taken(self):
        done = self.check(dns={"word": "w"}, a=0, b=0, status=2)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"a.json:1:\d+: /dns/backend: no dns can do its work on this "
                         r"machine; test-a: 0 of 100: of a; test-b: 0 of 100: of bx+; test-c: "
                         r"refuses the options: ")


if __name__ == "__main__":
    main()
