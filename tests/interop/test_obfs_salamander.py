# SPDX-License-Identifier: BSD-2-Clause
"""Mode salamander of our obfs stage and Hysteria's own package obfs: tests/interop/obfs.

    namespace a                          namespace b
    wireguard 10.78.0.1  . . tunnel . .  wireguard 10.78.0.2
    obfs                                 127.0.0.1:51820
    eth0 192.0.2.1:51820 --- veth ---    127.0.0.1:5000 salamander 192.0.2.2:4000

Ours hides and shows in a; in b that is the other program's work, between two sockets.
"""
import obfs
import wireguard
from harness import INNER4, INNER6, OUTER4, PORT, each, hostport, main, total, traffic, wait_for
from kcp_go import PEERS_DIR, Program
from obfs import MTU, ObfsTest

HIDDEN, PLAIN = (OUTER4[1], 4000), ("127.0.0.1", 5000)
A, B = (OUTER4[0], PORT), ("127.0.0.1", PORT)
PASSWORDS = {"short": "abcd", "usual": "correct horse battery staple", "long": "p" * 200,
             "a key": "0123456789abcdef0123456789abcdef"}
TCP_BYTES = 1 << 20
SIZES = [*range(0, 120), *range(120, MTU - 48, 13)]


class Salamander(ObfsTest):
    def relay(self, password):
        relay = Program(self.b, self.directory, "salamander", [
            PEERS_DIR / "bin" / "salamander", "-password", password,
            "-plain", hostport(*PLAIN), "-plain-peer", hostport(*B),
            "-hidden", hostport(*HIDDEN), "-hidden-peer", hostport(*A)])
        self.addCleanup(relay.stop)
        self.programs.append(relay)
        relay.wait_line("ready")
        return relay

    def start_ends(self, stage, first):
        """Both ends; `first` (0 or 1) knows where the other one is, and begins."""
        a = obfs.secure(self.directory, 0, self.keys, stage, remote=False)
        b = obfs.secure(self.directory, 1, self.keys, stage, remote=False)
        del b["pipeline"][2]
        where = hostport(*HIDDEN) if first == 0 else hostport(*PLAIN)
        (a, b)[first]["pipeline"][1]["peers"][0]["endpoint"] = where
        return [self.vpncore(ns, spec, before=wireguard.private_run(ns)).wait_up()
                for ns, spec in ((self.a, a), (self.b, b))]

    @each(PASSWORDS, (0, 1))
    def test_each_understands_the_other(self, which, first):
        password = PASSWORDS[which]
        stage = {"transport": "obfs", "mode": "salamander", "password": password}
        if which == "a key":
            stage["key"] = password.encode().hex()
            del stage["password"]
        relay = self.relay(password)
        a, _ = self.start_ends(stage, first)
        begins, other = ((self.a, INNER4[1]), (self.b, INNER4[0]))[first]
        self.assertEqual(traffic.ping(begins, other, 5), 5)
        traffic.tcp(self.a, self.b, INNER4[1], TCP_BYTES)
        traffic.tcp(self.b, self.a, INNER6[0], TCP_BYTES)
        traffic.udp_echo(self.a, self.b, INNER4[1], SIZES)
        self.assertEqual(self.drops(a), {})
        down = total(a.counters(), "obfs", "down", "packets")
        relay.stop()
        self.assertGreater(int(relay.lines("hidden")[0][0]), len(SIZES))
        self.assertGreaterEqual(int(relay.lines("plain")[0][0]), down)

    def test_another_password_is_silence(self):
        self.relay("battery staple")
        a, b = self.start_ends({"transport": "obfs", "mode": "salamander",
                                "password": "correct horse"}, 1)
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56), 0)
        wait_for(lambda: self.count(a, "drop_foreign"), "what the other one hides is counted")
        self.assertEqual(total(a.counters(), "obfs", "down", "packets"), 0)
        self.assertEqual(total(b.counters(), "wireguard", "up", "packets"), 0)


if __name__ == "__main__":
    main()
