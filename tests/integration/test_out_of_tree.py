# SPDX-License-Identifier: BSD-2-Clause
"""A third party's plugin: the template, built outside of this tree against an installed vpncore.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    org.example.xor                              org.example.xor
    udp                                          udp
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
"""
import os
import pathlib
import shutil
import tempfile

from harness import (BUILD, INNER4, Peers, main, manifest, not_under_sanitizers, sanitizer, sh, total,
                     traffic, wait_for)

NAME = "transport-org.example.xor.so"
PREFIX = None
TEMPLATE = None


def setUpModule():
    """Installs the build as it is into a prefix of its own: what a distribution's package holds."""
    global PREFIX, TEMPLATE
    PREFIX = pathlib.Path(tempfile.mkdtemp()) / "prefix"
    PREFIX.parent.chmod(0o755)
    sh("cmake", "--install", BUILD, "--prefix", PREFIX)
    TEMPLATE = PREFIX / "share" / "vpncore" / "template"


def the_only(pattern):
    found = sorted(PREFIX.rglob(pattern))
    if len(found) != 1:
        raise AssertionError("%s: %d found in the installed tree" % (pattern, len(found)))
    return found[0]


def environment():
    return dict(os.environ, PKG_CONFIG_PATH=str(the_only("vpncore-plugin.pc").parent))


class OutOfTree(Peers):
    def setUp(self):
        super().setUp()
        self.binary = PREFIX / "bin" / "vpncore"
        self.plugins = the_only("transport-udp.so").parent
        self.source = self.directory / "source"
        shutil.copytree(TEMPLATE, self.source)

    def build_with_cmake(self):
        out = self.directory / "out"
        # the installed test host is sanitised as the build is: its users would have to be too
        tests = "-DBUILD_TESTING=%s" % ("OFF" if sanitizer() else "ON")
        sh("cmake", "-S", self.source, "-B", out, "-G", "Ninja", tests,
           "-DCMAKE_PREFIX_PATH=%s" % PREFIX, env=environment())
        sh("cmake", "--build", out)
        return out / "plugins" / NAME

    def build_with_make(self):
        sh("make", "-C", self.source, env=environment())
        return self.source / NAME

    def stacked(self, side, file, key="a1b2c3d4e5f6"):
        spec = manifest(side)
        stage = {"transport": "org.example.xor", "key": key}
        if file:
            stage["plugin"] = str(file)
        spec["pipeline"].insert(1, stage)
        return spec

    def start(self, ns, spec, plugins=None):
        return self.vpncore(ns, spec, binary=self.binary,
                            env={"VPNCORE_PLUGIN_PATH": plugins or self.plugins}).wait_up()

    def carries(self, file, plugins=None):
        programs = [self.start(ns, self.stacked(side, file), plugins)
                    for side, ns in enumerate((self.a, self.b))]
        self.check_ping(5)
        self.check_tcp(4 << 20)
        traffic.udp_echo(self.a, self.b, INNER4[1], range(1, 1393, 13))
        for p in programs:
            counters = p.counters()
            self.assertGreater(total(counters, "org.example.xor", "down", "packets"), 0)
            self.assertGreater(total(counters, "org.example.xor", "up", "packets"), 0)

    def test_a_plugin_built_with_cmake_carries_traffic(self):
        self.carries(self.build_with_cmake())

    def test_a_plugin_built_with_make_carries_traffic(self):
        self.carries(self.build_with_make())

    def test_a_plugin_is_found_by_its_id_in_the_search_path(self):
        file = self.build_with_make()
        folder = self.directory / "more"
        folder.mkdir()
        shutil.copy(file, folder)
        self.carries(None, "%s:%s" % (folder, self.plugins))

    def test_a_plugin_installed_by_make_is_found_beside_the_others(self):
        sh("make", "-C", self.source, "install", env=environment())
        installed = self.plugins / NAME
        self.addCleanup(installed.unlink)
        self.carries(None)

    def test_the_stage_is_on_the_path_of_every_packet(self):
        file = self.build_with_make()
        self.start(self.a, self.stacked(0, file))
        b = self.start(self.b, self.stacked(1, file, "00ff00ff00ff"))
        # another key: what comes up is no IP packet any more
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3), 0)
        wait_for(lambda: total(b.counters(), "org.example.xor", "down", "packets") == 0
                 and total(b.counters(), "udp", "up", "packets") > 0, "arrivals without answers")

    @not_under_sanitizers
    def test_the_unit_test_of_the_template_passes(self):
        self.build_with_cmake()
        sh("ctest", "--test-dir", self.directory / "out", "--no-tests=error")


if __name__ == "__main__":
    main()
