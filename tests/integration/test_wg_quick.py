# SPDX-License-Identifier: BSD-2-Clause
"""The drop-in program as other programs start it, and wg-quick(8) with it. The topology is that of Peers, with
wg0 at both ends of the cable.
"""
import os
import pathlib
import shutil
import socket

from dropin import PROGRAM, Interface, start_environment
from harness import INNER4, INNER6, OUTER4, Peers, hostport, main, traffic, wait_for
import netns
from wireguard import Keys, Node, private_run, secret_file, show, wg


class DropIn(Peers):
    """The program itself, as wg-quick(8) and others start it."""

    def start(self, *argv, **kwargs):
        return self.a.sh(*private_run(self.a), PROGRAM, *argv, check=False,
                         env=start_environment(**kwargs), timeout=60)

    def remove(self):
        self.a.ip("link", "del", "wg0")
        path = "/run/wireguard-%s/wg0.sock" % self.a.name
        wait_for(lambda: not os.path.exists(path), "the end of the socket")

    def test_goes_to_the_background_when_the_interface_is_there(self):
        done = self.start("wg0")  # returns: the program has let go of its output
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(self.a.has("wg0"))
        self.assertNotIn("UP", self.a.flags("wg0"))
        shown = show(self.a)  # at once: nobody waits
        self.assertIsNone(shown.private)
        self.assertEqual(shown.peers, {})
        self.remove()

    def test_ends_when_its_socket_is_deleted(self):
        self.assertEqual(self.start("wg0").returncode, 0)
        os.unlink("/run/wireguard-%s/wg0.sock" % self.a.name)
        wait_for(lambda: not self.a.has("wg0"), "the end of the interface")

    def test_fails_when_another_program_has_the_socket(self):
        path = "/run/wireguard-%s/wg0.sock" % self.a.name
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            done = self.start("wg0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("another program answers at /var/run/wireguard/wg0.sock", done.stderr)
        self.assertFalse(self.a.has("wg0"))
        self.assertTrue(os.path.exists(path), "the other program's socket was taken away")

    def test_refuses_what_cannot_be_a_name(self):
        for argv in ((), ("wg0", "wg1"), ("a-name-that-is-too-long",), ("a/b",), ("",), ("..",)):
            done = self.start("-f", *argv)
            self.assertNotEqual(done.returncode, 0, argv)
        self.assertEqual(self.a.devices(), ["lo", "eth0"])


class Quick(Peers):
    """wg-quick(8), in a, with files in a directory that is only this test's /etc/wireguard."""

    def setUp(self):
        super().setUp()
        os.makedirs("/etc/wireguard", mode=0o700, exist_ok=True)
        self.two = Interface(self, self.b, [INNER4[1] + "/24", INNER6[1] + "/64"])
        self.keys = Keys()

    def begin(self, allowed, **interface):
        """two runs, and knows us; our file says what `interface` adds."""
        self.two.peers.clear()
        own = Node(self, self.a, "wg-quick", [INNER4[0] + "/24", INNER6[0] + "/64"], keys=self.keys)
        self.two.add(own).start()
        text = "[Interface]\nPrivateKey = %s\nAddress = %s/24, %s/64\n" \
            % (self.keys.private, INNER4[0], INNER6[0])
        text += "".join("%s = %s\n" % item for item in interface.items())
        text += "[Peer]\nPublicKey = %s\nAllowedIPs = %s\nEndpoint = %s\n" \
            % (self.two.keys.public, allowed, hostport(OUTER4[1]))
        shutil.move(secret_file(self.directory, text), "/etc/wireguard/wg0.conf")
        self.before = self.look()

    def look(self):
        """Everything of the namespace that wg-quick may change."""
        commands = (["ip", "-o", "link"], ["ip", "rule"], ["ip", "-6", "rule"],
                    ["ip", "route", "show", "table", "all"], ["nft", "list", "ruleset"],
                    ["ls", "/run/wireguard-" + self.a.name])
        return [self.a.sh(*c, check=False).stdout for c in commands]

    def quick(self, verb, check=True):
        env = start_environment(WG_QUICK_USERSPACE_IMPLEMENTATION=str(PROGRAM))
        return self.a.sh(*private_run(self.a), "wg-quick", verb, "wg0", check=check, env=env)

    def down(self):
        self.quick("down")
        wait_for(lambda: self.look() == self.before, "nothing is left of wg0")

    def test_up_and_down(self):
        self.begin("%s/32, %s/128" % (INNER4[1], INNER6[1]))
        self.quick("up")
        self.check_ping(3)
        self.check_tcp(1 << 20)
        self.assertEqual(int(self.a.link("wg0")["mtu"]), 1420)
        self.assertNotEqual(self.quick("up", check=False).returncode, 0)
        self.check_ping(1)
        self.down()
        self.quick("up")
        traffic.wait_ping(self.a, INNER4[1])
        self.down()

    def test_a_default_route_and_its_firewall_rules(self):
        self.begin("0.0.0.0/0, ::/0", Table="auto", MTU=1380)
        netns.address(self.b, "wg0", "203.0.113.5/32", "2001:db8:77::5/128")
        self.quick("up")
        shown = show(self.a)
        self.assertNotEqual(shown.fwmark, 0)
        for address in ("203.0.113.5", "2001:db8:77::5"):
            self.assertEqual(traffic.ping(self.a, address, 3), 3)
            traffic.tcp(self.a, self.b, address, 1 << 20)
        self.assertEqual(shown.peers[self.two.keys.public].endpoint, hostport(OUTER4[1]))
        self.assertEqual(int(self.a.link("wg0")["mtu"]), 1380)
        self.down()

    def test_hooks_and_save(self):
        mark = self.directory / "hook"
        self.begin(INNER4[1] + "/32", PostUp="touch %s" % mark, PreDown="rm %s" % mark,
                   SaveConfig="true")
        self.quick("up")
        self.assertTrue(mark.exists())
        traffic.wait_ping(self.a, INNER4[1])
        other = Keys().public
        wg(self.a, "set", "wg0", "peer", other, "allowed-ips", "10.200.0.0/16")
        self.down()
        self.assertFalse(mark.exists())
        text = pathlib.Path("/etc/wireguard/wg0.conf").read_text(encoding="ascii")
        self.assertIn(other, text)
        self.assertIn(self.keys.private, text)


if __name__ == "__main__":
    main()
