# SPDX-License-Identifier: BSD-2-Clause
"""An ordinary user on a device that root made, and a device that is handed in as a descriptor.

    namespace a (uid 65534)                      namespace b (root)
    vpn0, persistent, made by root  . tunnel .   vpn0
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
"""
import fcntl
import os
import shutil
import struct

from harness import INNER4, INNER6, Peers, main, manifest, traffic, wait_for
from program import BINARY, PLUGINS

NOBODY = 65534
AS_NOBODY = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups",
             "--inh-caps=-all", "--bounding-set=-all"]

TUNSETIFF = 0x400454ca
IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x1, 0x2, 0x1000, 0x4000


class OrdinaryUser(Peers):
    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        os.chmod("/run/tmp", 0o755)
        # the build may stand where an ordinary user cannot look
        self.binary = shutil.copy(BINARY, self.directory)
        self.plugins = self.directory / "plugins"
        self.plugins.mkdir()
        for file in PLUGINS.glob("*.so"):
            shutil.copy(file, self.plugins)

    def as_nobody(self, spec):
        return self.vpncore(self.a, spec, before=AS_NOBODY, binary=self.binary,
                            env={"VPNCORE_PLUGIN_PATH": self.plugins})

    def made_by_root(self, *owner):
        self.a.ip("tuntap", "add", "mode", "tun", "name", "vpn0", *owner)
        self.a.ip("addr", "add", INNER4[0] + "/24", "dev", "vpn0")
        self.a.ip("addr", "add", INNER6[0] + "/64", "dev", "vpn0", "nodad")
        self.a.ip("link", "set", "vpn0", "mtu", 1420, "up")

    def carries(self, spec):
        program = self.as_nobody(spec).wait_up()
        status = open("/proc/%d/status" % program.pid, encoding="ascii").read()
        self.assertIn("CapEff:\t0000000000000000", status)
        self.vpncore(self.b, manifest(1)).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(5)
        self.check_tcp(4 << 20)
        program.stop()
        self.assertTrue(self.a.has("vpn0"), "the persistent device has gone")

    def test_attaches_to_a_device_of_this_user(self):
        self.made_by_root("user", NOBODY)
        self.carries(manifest(0))

    def test_attaches_to_a_device_of_this_group(self):
        self.made_by_root("group", NOBODY)
        self.carries(manifest(0))

    def test_attaches_without_naming_addresses(self):
        self.made_by_root("user", NOBODY)
        self.carries(manifest(0, device={"addresses": None}))

    def test_is_refused_a_device_of_somebody_else(self):
        self.made_by_root("user", 12345)
        program = self.as_nobody(manifest(0))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?m)^error: .*vpn0.*12345")

    def test_is_refused_a_new_device_with_a_remedy(self):
        program = self.as_nobody(manifest(0))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?m)^error: .*CAP_NET_ADMIN")

    def test_is_told_which_change_lacks_privilege(self):
        self.made_by_root("user", NOBODY)
        self.a.ip("link", "set", "vpn0", "mtu", 1300)
        program = self.as_nobody(manifest(0))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?mi)^error: .*mtu")
        self.assertEqual(self.a.link("vpn0")["mtu"], 1300)

    def test_root_makes_a_device_for_an_ordinary_user(self):
        first = self.vpncore(self.a, manifest(0, device={"owner": str(NOBODY), "persist": "on"}))
        first.wait_up()
        first.stop()
        self.assertTrue(self.a.has("vpn0"))
        # the first run took its addresses away again
        self.a.ip("addr", "replace", INNER4[0] + "/24", "dev", "vpn0")
        self.a.ip("addr", "replace", INNER6[0] + "/64", "dev", "vpn0", "nodad")
        self.a.ip("link", "set", "vpn0", "up")
        self.carries(manifest(0))


class HandedIn(Peers):
    """A device that another program opened, as systemd or a container's supervisor would."""

    def opened(self, flags):
        with self.a.entered():
            fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"given", flags | IFF_NO_PI))
        self.addCleanup(os.close, fd)
        return fd

    def carries(self, flags, layer="ip"):
        fd = self.opened(flags)
        spec = manifest(0, layer=layer, mtu=1400, device={"name": None, "fd": fd})
        self.vpncore(self.a, spec, pass_fds=(fd,)).wait_up()
        self.vpncore(self.b, manifest(1, layer=layer, mtu=1400)).wait_up()
        wait_for(lambda: INNER4[0] + "/24" in self.a.addresses("given"), "the address")
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(5)
        self.check_tcp(4 << 20)

    def test_a_tun_with_vnet_header(self):
        self.carries(IFF_TUN | IFF_VNET_HDR)

    def test_a_tun_without_vnet_header(self):
        self.carries(IFF_TUN)

    def test_a_tap_with_vnet_header(self):
        self.carries(IFF_TAP | IFF_VNET_HDR, "ethernet")

    def test_a_device_of_the_other_layer_is_refused(self):
        fd = self.opened(IFF_TAP | IFF_VNET_HDR)
        program = self.vpncore(self.a, manifest(0, device={"name": None, "fd": fd}), pass_fds=(fd,))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?m)^error: .*layer")

    def test_a_descriptor_that_is_not_there_is_refused(self):
        program = self.vpncore(self.a, manifest(0, device={"name": None, "fd": 777}))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?m)^error: .*777")

    def test_a_descriptor_that_is_no_device_is_refused(self):
        fd = os.open("/dev/null", os.O_RDWR)
        self.addCleanup(os.close, fd)
        program = self.vpncore(self.a, manifest(0, device={"name": None, "fd": fd}), pass_fds=(fd,))
        program.wait_end(1)
        self.assertRegex(program.log(), r"(?m)^error: .*descriptor %d" % fd)


if __name__ == "__main__":
    main()
