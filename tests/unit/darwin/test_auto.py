#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vpncore check` says with the drivers of macOS installed and no others. SHOWN is the folder of their
plugin files for this machine, PLUGINS that of the transports."""
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import program  # noqa: E402


class Auto(program.Test):
    def setUp(self):
        super().setUp()
        plugins = self.folder / "plugins"
        plugins.mkdir(mode=0o755)
        shutil.copy(os.path.join(os.environ["PLUGINS"], "transport-udp.so"), plugins)
        for file in pathlib.Path(os.environ["SHOWN"]).glob("driver-*-darwin.so"):
            shutil.copy(file, plugins)
        self.env = {"VPNCORE_PLUGIN_PATH": str(plugins)}

    def check(self, device, status=0):
        manifest = {"vpncore": 1, "allow_insecure": True,
                    "pipeline": [{"device": "auto", **device},
                                 {"transport": "udp", "listen": "*:7000", "remote": "192.0.2.1:7000"}]}
        self.write("a.json", json.dumps(manifest))
        return self.vpncore("check", "a.json", status=status, env=self.env)

    def graph(self, device):
        self.check(device)
        return self.vpncore("graph", "a.json", env=self.env).stdout

    def test_takes_utun_for_ip_packets(self):
        for device in {}, {"layer": "ip"}, {"name": "utun7", "addresses": ["10.78.0.1/24"], "batch": "read"}:
            self.assertIn("utun-darwin", self.graph(device))

    def test_takes_the_extension_for_frames(self):
        graph = self.graph({"layer": "ethernet", "name": "tap3", "load": True})
        self.assertIn("tap-kext-darwin", graph)

    def test_tells_what_is_wrong_with_the_one_for_the_layer(self):
        self.assertIn("utun%d", self.check({"name": "wg0"}, status=2).stderr)
        self.assertIn("tap%d", self.check({"name": "wg0", "layer": "ethernet"}, status=2).stderr)
        self.assertIn("/pipeline/0/peers/0/peer", self.check(
            {"peers": [{"address": "fd00::1", "peer": "fd00::/64"}]}, status=2).stderr)

    def test_runs_nowhere_but_on_macos(self):
        self.check({})
        self.assertIn("cannot open a control socket",
                      self.vpncore("run", "a.json", status=1, env=self.env).stderr)
        self.check({"layer": "ethernet"})
        self.assertIn("cannot open /dev/tap0", self.vpncore("run", "a.json", status=1, env=self.env).stderr)


program.main()
