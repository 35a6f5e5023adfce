# SPDX-License-Identifier: BSD-2-Clause
"""Programs of others with libvpncore: docs/examples, built against an installed tree by pkg-config.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    docs/examples/embed.c                        vpncore run, or the same
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
"""
import json
import os
import signal
import subprocess
import tempfile

import installed
from harness import BUILD, Peers, Test, main, manifest, wait_for

MARKS = BUILD / "test-plugins" / "routes-test-marks.so"
ANSWERS = BUILD / "test-plugins" / "answers"


def setUpModule():
    installed.set_up("embed", "routes-of")


class Embed:
    """A run of docs/examples/embed.c with a manifest on its standard input."""

    def __init__(self, test, ns, spec):
        self.test = test
        self.files = [tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")]
        self.process = subprocess.Popen(
            ns.command(*installed.command("embed")), stdin=subprocess.PIPE, stdout=self.files[0],
            stderr=self.files[1], env=installed.environ(), text=True)
        test.addCleanup(self.close)
        self.process.stdin.write(spec if isinstance(spec, str) else json.dumps(spec))
        self.process.stdin.close()

    def read(self, i):
        return os.pread(self.files[i].fileno(), 1 << 20, 0).decode()

    def out(self):
        return self.read(0)

    def told(self):
        return self.read(0) + self.read(1)

    def wait_up(self):
        wait_for(lambda: "is up" in self.out() or self.process.poll() is not None, "it is up")
        self.test.assertIn("vpn0 is up, MTU", self.told())
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, status):
        self.process.wait(40)
        self.test.assertEqual(self.process.returncode, status, self.told())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for f in self.files:
            f.close()


class Pipelines(Peers):
    def test_carries_traffic_beside_a_vpncore(self):
        p = Embed(self, self.a, manifest(0)).wait_up()
        self.vpncore(self.b, manifest(1), binary=installed.prefix() / "bin" / "vpncore").wait_up()
        self.check_ping(3)
        self.check_tcp(1 << 20)
        p.signal(signal.SIGUSR1)
        wait_for(lambda: "lane 0 udp:" in p.out(), "counters")
        p.signal(signal.SIGTERM)
        p.wait_end(0)
        self.assertFalse(self.a.has("vpn0"))

    def test_carries_traffic_with_its_like(self):
        sides = [Embed(self, ns, manifest(i)) for i, ns in enumerate((self.a, self.b))]
        for p in sides:
            p.wait_up()
        self.check_ping(3)
        for p in sides:
            p.signal(signal.SIGINT)
            p.wait_end(0)

    def test_a_component_watches_the_system_from_its_loop(self):
        folder = self.directory / "marks"
        folder.mkdir()
        spec = manifest(0)
        spec["routes"] = {"backend": "test-marks", "plugin": str(MARKS), "folder": str(folder),
                          "changes": 1, "repair": True}
        p = Embed(self, self.a, spec).wait_up()
        file = folder / "routes.0"
        self.assertEqual(file.read_text(), "ours")
        file.unlink()
        wait_for(lambda: file.exists() and file.read_text() == "ours", "it is put back")
        p.signal(signal.SIGTERM)
        p.wait_end(0)
        self.assertEqual(list(folder.iterdir()), [])

    def test_says_what_is_wrong_with_a_manifest(self):
        p = Embed(self, self.a, '{ "vpncore": 1,\n "pipelin": [] }')
        p.wait_end(2)
        self.assertRegex(p.told(), r'standard input:2:\d+: .*pipelin.*"pipeline"')
        self.assertIn("embed: manifest: standard input has", p.told())

    def test_says_why_it_cannot_start(self):
        with self.a.socket() as s:
            s.bind(("192.0.2.1", 51820))
            p = Embed(self, self.a, manifest(0))
            p.wait_end(1)
        self.assertRegex(p.told(), "embed: start: .*in use")
        self.assertFalse(self.a.has("vpn0"))

    def test_says_why_it_has_failed(self):
        p = Embed(self, self.a, manifest(0)).wait_up()
        self.a.ip("link", "del", "vpn0")
        p.wait_end(1)
        self.assertIn("embed: failed: ", p.told())

    def test_its_log_comes_by_the_callback_at_the_level_of_the_manifest(self):
        spec = manifest(0)
        spec["log"] = {"level": "debug"}
        p = Embed(self, self.a, spec).wait_up()
        p.signal(signal.SIGTERM)
        p.wait_end(0)
        self.assertIn("embed: info: tuntap-linux: vpn0", p.told())
        self.assertNotRegex(p.told(), "(?m)^(info|debug|warn):")


class Questions(Test):
    def ask(self, ns, *addresses, plugins=None, status=0):
        done = ns.sh(*installed.command("routes-of", *addresses), check=False,
                     env=installed.environ(plugins))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_the_answers_of_a_component(self):
        a = self.namespace("a")
        lines = self.ask(a, "203.0.113.9", plugins=ANSWERS / "one")
        self.assertEqual(lines, [
            "default ipv4 via 192.0.2.1 dev only metric 100 mtu 1500",
            "default ipv6: there is no default route for IPv6",
            "to 203.0.113.9 blocked from 203.0.113.9",
            "dns 192.0.2.53 port 53 for only", "dns 192.0.2.53 port 53 for only"])

    def test_says_that_no_component_can_tell(self):
        a = self.namespace("a")
        lines = self.ask(a, plugins=ANSWERS / "none", status=1)
        self.assertEqual(lines[0], "default ipv4: no routes component that can tell the system's "
                                   "routes is installed for this platform")
        self.assertTrue(lines[-1].startswith("dns: no dns component that can tell"), lines)
        self.ask(a, "not-an-address", status=2)


class CPlusPlus(Test):
    def test_a_program_in_cpp_links(self):
        source = self.directory / "hello.cc"
        source.write_text("""
#include <cstdio>
#include <vpncore/vpncore.h>
int main()
{
	vpn_error err = {};
	err.size = sizeof(err);
	vpncore_system *s = nullptr;
	vpncore_pipeline *p = nullptr;
	if (vpncore_system_open(&s, nullptr, &err) != VPN_OK)
		return 1;
	vpncore_system_free(s);
	int status = vpncore_pipeline_load(&p, nullptr, "{}", 2, nullptr, &err);
	std::printf("%s %d %s\\n", vpncore_version(), status, err.text);
	return 0;
}
""")
        installed.build(source, "c++")
        a = self.namespace("a")
        out = a.sh(*installed.command("hello"), env=installed.environ()).stdout
        self.assertRegex(out, r"^\d+\.\d+\.\d+ -2 manifest has \d+ problem")


if __name__ == "__main__":
    main()
