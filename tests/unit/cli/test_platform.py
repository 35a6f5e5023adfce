#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`vpncore check --platform`, with this tree's own plugins. AUTO says which driver "auto" is to take on which
platform, of those that are built: "freebsd=tuntap-bsd ..."."""
import json
import os

import program

AUTO = dict(word.split("=") for word in os.environ["AUTO"].split())


class Platform(program.Test):
    def check(self, platform, device, status=0):
        self.write("a.json", json.dumps({
            "vpncore": 1, "allow_insecure": True,
            "pipeline": [device, {"transport": "udp", "listen": "*:7000", "remote": "192.0.2.1:7000"}]}))
        return self.vpncore("check", "--platform", platform, "a.json", status=status)

    def test_auto_takes_the_driver_of_the_platform(self):
        for platform, driver in AUTO.items():
            with self.subTest(platform=platform):
                said = self.check(platform, {"device": "auto", "addresses": ["10.78.0.1/24"]}).stdout
                self.assertIn(f": a: {driver}, udp;", said)

    def test_options_are_those_of_the_platforms_driver(self):
        for platform in AUTO:
            with self.subTest(platform=platform):
                said = self.check(platform, {"device": "auto", "no_such_option": 1}, status=2).stderr
                self.assertIn("/pipeline/0/no_such_option: unknown key", said)

    def test_a_component_of_another_platform_is_refused(self):
        said = self.check("freebsd", {"device": "tuntap-linux"}, status=2).stderr
        self.assertIn('/pipeline/0/device: "tuntap-linux" is not for freebsd, but for linux', said)

    def test_this_platform_is_as_without_the_option(self):
        said = self.check("linux", {"device": "tuntap-linux"}).stdout
        self.assertEqual(said, self.vpncore("check", "a.json").stdout)
        self.assertIn("a.json: ok: a:", said)

    def test_an_unknown_platform_is_refused(self):
        said = self.check("openbsb", {"device": "auto"}, status=2).stderr
        self.assertIn('unknown platform "openbsb"; did you mean "openbsd"?', said)


if __name__ == "__main__":
    program.main()
