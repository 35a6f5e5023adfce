#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vpncore check --platform macos` says on Linux, by the drivers' plugin files for other systems."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import program  # noqa: E402


class Auto(program.Test):
    def check(self, device, status=0, chosen=None):
        manifest = {"vpncore": 1, "allow_insecure": True,
                    "pipeline": [{"device": "auto", **device},
                                 {"transport": "udp", "listen": "*:7000", "remote": "192.0.2.1:7000"}]}
        self.write("a.json", json.dumps(manifest))
        done = self.vpncore("check", "--platform", "macos", "a.json", status=status)
        if chosen:
            self.assertIn(chosen, done.stdout)
        return done

    def test_takes_utun_for_ip_packets(self):
        for device in {}, {"layer": "ip"}, {"name": "utun7", "addresses": ["10.78.0.1/24"], "batch": "read"}:
            self.check(device, chosen="utun-darwin")

    def test_takes_the_extension_for_frames(self):
        self.check({"layer": "ethernet", "name": "tap3", "load": True}, chosen="tap-kext-darwin")

    def test_tells_what_is_wrong_with_the_one_for_the_layer(self):
        self.assertIn("utun%d", self.check({"name": "wg0"}, status=2).stderr)
        self.assertIn("tap%d", self.check({"name": "wg0", "layer": "ethernet"}, status=2).stderr)
        self.assertIn("/pipeline/0/peers/0/peer", self.check(
            {"peers": [{"address": "fd00::1", "peer": "fd00::/64"}]}, status=2).stderr)

    def test_refuses_to_run_them_here(self):
        self.check({})
        manifest = json.loads((self.folder / "a.json").read_text())
        for device in "utun-darwin", "tap-kext-darwin":
            manifest["pipeline"][0] = {"device": device}
            self.write("a.json", json.dumps(manifest))
            self.vpncore("run", "a.json", status=2)


program.main()
