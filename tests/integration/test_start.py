# SPDX-License-Identifier: BSD-2-Clause
"""Starts that must fail: with which status, which words, and nothing left behind.

    namespace a
    eth0 192.0.2.1 --- veth --- (b, where nothing runs)
"""
import json
import os
import socket

from harness import Peers, main, manifest, traffic, wait_for
from program import PLUGINS


class Refused(Peers):
    """Manifests that `run` refuses before it touches anything: status 2, no device."""

    def refuse(self, spec, *words):
        p = self.vpncore(self.a, spec)
        p.wait_end(2)
        self.assertNotIn("is up", p.log())
        for word in words:
            self.assertRegex(p.log(), word)
        self.assertFalse(self.a.has("vpn0"), "a device was made")
        return p.log()

    def test_refuses_a_truncated_manifest(self):
        text = json.dumps(manifest(0), indent=1)
        self.refuse(text[:len(text) // 2], r"\.json:\d+:\d+: ")

    def test_refuses_an_unknown_key_and_names_the_nearest(self):
        self.refuse(manifest(0, device={"adresses": ["10.0.0.1/24"]}),
                    r"\.json:\d+:\d+: /pipeline/0/adresses: .*addresses")

    def test_refuses_a_plain_stack_without_allow_insecure(self):
        spec = manifest(0)
        del spec["allow_insecure"]
        self.refuse(spec, "allow_insecure")

    def test_refuses_an_mtu_that_the_stack_cannot_carry(self):
        self.refuse(manifest(0, mtu=1473), "/pipeline/0/mtu.*1472")

    def test_refuses_an_unknown_transport(self):
        spec = manifest(0)
        spec["pipeline"][1] = {"transport": "upd"}
        self.refuse(spec, "/pipeline/1/transport.*upd.*udp")

    def test_refuses_a_name_of_sixteen_characters(self):
        self.refuse(manifest(0, device={"name": "a234567890123456"}), "/pipeline/0/name")

    def test_refuses_two_devices(self):
        spec = manifest(0)
        spec["pipeline"].insert(0, dict(spec["pipeline"][0]))
        self.refuse(spec, "device")

    def test_refuses_a_stack_without_a_bottom(self):
        spec = manifest(0)
        del spec["pipeline"][1]
        self.refuse(spec, "/pipeline")

    def test_refuses_a_stack_that_does_not_know_where_to_send(self):
        self.refuse(manifest(0, udp={"remote": None}), r"/pipeline/1.*remote")

    def test_tells_all_problems_in_one_pass(self):
        log = self.refuse(manifest(0, mtu="big", device={"colour": 1}, udp={"listen": 7}))
        for pointer in ("/pipeline/0/mtu", "/pipeline/0/colour", "/pipeline/1/listen"):
            self.assertIn(pointer, log)

    def test_refuses_a_plugin_that_others_can_write(self):
        loose = self.directory / "loose"
        loose.mkdir()
        file = loose / "transport-udp.so"
        file.write_bytes((PLUGINS / "transport-udp.so").read_bytes())
        os.chmod(file, 0o666)
        self.refuse(manifest(0, udp={"plugin": str(file)}), "chmod")

    def test_refuses_a_file_that_is_not_a_manifest_at_all(self):
        self.refuse("", r"\.json:\d+:\d+: ")
        self.refuse("\x7fELF\x02\x01", r"\.json:\d+:\d+: ")
        self.refuse("[" * 5000, r"\.json:\d+:\d+: ")


class Failed(Peers):
    """Manifests that are good, on a machine that is not: status 1, an error that says what to do."""

    def fail_to_start(self, spec, *words, **kwargs):
        p = self.vpncore(self.a, spec, **kwargs)
        p.wait_end(1)
        self.assertNotIn("is up", p.log())
        for word in words:
            self.assertRegex(p.log(), word)
        return p

    def test_a_port_in_use_is_named(self):
        holder = self.a.socket(socket.AF_INET)
        self.addCleanup(holder.close)
        holder.bind(("192.0.2.1", 51820))
        self.fail_to_start(manifest(0), r"(?m)^error: .*51820.*in use")
        self.assertFalse(self.a.has("vpn0"), "the device was left")

    def test_an_address_that_is_not_here_is_named(self):
        self.fail_to_start(manifest(0, udp={"listen": "198.51.100.77:51820"}),
                           r"(?m)^error: .*198\.51\.100\.77")

    def test_a_device_in_use_is_named(self):
        first = self.vpncore(self.a, manifest(0)).wait_up()
        spec = manifest(0, udp={"listen": "192.0.2.1:51821"})
        self.fail_to_start(spec, r"(?m)^error: .*vpn0.*in use")
        self.assertTrue(first.running())
        self.assertTrue(self.a.has("vpn0"))

    def test_a_name_of_another_kind_of_device_is_told(self):
        self.a.ip("link", "add", "vpn0", "type", "bridge")
        self.fail_to_start(manifest(0), r"(?m)^error: .*vpn0")
        self.assertTrue(self.a.has("vpn0"))

    def test_a_missing_device_node_is_told_with_its_remedy(self):
        self.fail_to_start(manifest(0), r"(?m)^error: .*/dev/net/tun",
                           before=["unshare", "--mount", "sh", "-c",
                                   'mount -t tmpfs none /dev/net && exec "$@"', "sh"])

    def test_missing_privilege_is_told_with_its_remedy(self):
        self.fail_to_start(manifest(0), r"(?m)^error: .*CAP_NET_ADMIN",
                           before=["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])
        self.assertFalse(self.a.has("vpn0"))

    def test_a_failed_start_leaves_the_port_free(self):
        self.a.ip("link", "add", "vpn0", "type", "bridge")
        self.fail_to_start(manifest(0))
        self.a.ip("link", "del", "vpn0")
        self.tunnel()
        self.check_ping(3)


class Occupied(Peers):
    def test_a_persistent_device_stays_and_is_used_again(self):
        self.a.ip("tuntap", "add", "mode", "tun", "name", "vpn0")
        for _ in range(2):
            a, b = self.tunnel()
            self.check_ping(3)
            a.stop()
            b.stop()
            self.assertTrue(self.a.has("vpn0"), "the persistent device has gone")
            self.assertFalse(self.b.has("vpn0"), "the device has stayed")

    def test_offload_is_taken_off_a_persistent_device(self):
        self.a.ip("tuntap", "add", "mode", "tun", "name", "vpn0")
        a, b = self.tunnel()
        self.check_tcp(1 << 20)
        a.stop()
        b.stop()
        # a second run without offload must not be handed super-packets
        self.tunnel(a={"device": {"offload": "off"}})
        self.check_tcp(1 << 20)

    def test_a_restart_takes_the_port_at_once(self):
        for _ in range(3):
            a, b = self.tunnel()
            self.check_ping(2)
            a.stop()
            b.stop()
        wait_for(lambda: not self.a.has("vpn0"), "the device to go")

    def test_mtu_of_a_foreign_device_is_set(self):
        self.a.ip("tuntap", "add", "mode", "tun", "name", "vpn0")
        self.a.ip("link", "set", "vpn0", "mtu", 1280)
        self.tunnel()
        self.assertEqual(self.a.link("vpn0")["mtu"], 1420)
        self.assertEqual(traffic.ping(self.a, "10.78.0.2", 3, 1392, "-M", "do"), 3)


if __name__ == "__main__":
    main()
