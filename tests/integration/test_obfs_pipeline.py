# SPDX-License-Identifier: BSD-2-Clause
"""What goes through an obfs stage, in every mode: below wireguard over IPv4 and IPv6, with several lanes and
several peers, and below kcp over a bad line. What the two sides do when their passwords differ.
Topology: obfs.py; the line: kcp.py.
"""
import netns
import obfs
import wireguard
from harness import INNER4, INNER6, OUTER4, each, main, total, traffic, veth, wait_for
from kcp import DEADLINE, KcpTest, Numbered
from obfs import ALONE, MODES, MTU, NAMES, ObfsTest, Wire, looks_like_wireguard

TCP_BYTES = 1 << 20
SIZES = [*range(0, 200, 7), *range(200, MTU - 48, 61), MTU - 48]
C4, C_INNER4 = "192.0.2.3", "10.78.0.3"


def secrets(options):
    """What an obfs stage keeps to itself, at any depth; at least one."""
    found = [v for k, v in (*options.items(), *options.get("awg", {}).items())
             if k in ("password", "key", "header_protection_key")]
    if not found:
        raise AssertionError("no secret in %r" % options)
    return found


class BelowWireguard(ObfsTest):
    def check_traffic(self):
        self.check_ping()
        traffic.ping(self.a, INNER4[1], 5, MTU - 28, "-M", "do")
        self.check_tcp(TCP_BYTES)
        for address in (INNER4[1], INNER6[1]):
            traffic.udp_echo(self.a, self.b, address, SIZES)

    @each(NAMES, (4, 6))
    def test_carries_everything_and_looks_like_nothing(self, mode, family):
        wire = Wire(self.a)
        pair = self.secure_pair(mode, family=family)
        self.check_traffic()
        for program in pair:
            self.assertEqual(self.drops(program), {})
            self.assertNotIn("warning", program.log())
        seen = wire.stop()
        self.assertGreater(len(seen), 100)
        self.assertEqual([p[:16].hex() for p in seen if looks_like_wireguard(p)], [])

    def test_wireguard_alone_would_be_recognised(self):
        wire = Wire(self.a)
        for side in range(2):
            ns = (self.a, self.b)[side]
            spec = obfs.secure(self.directory, side, self.keys, {})
            del spec["pipeline"][2]
            self.vpncore(ns, spec, before=wireguard.private_run(ns)).wait_up()
        self.check_ping()
        seen = wire.stop()
        self.assertEqual({p[0] for p in seen if looks_like_wireguard(p)} & {1, 2, 4}, {1, 2, 4})

    @each(NAMES)
    def test_carries_over_several_lanes(self, mode):
        self.secure_pair(mode, lanes=2)
        self.check_ping()
        self.check_tcp(TCP_BYTES, streams=4)

    @each(NAMES)
    def test_a_restarted_side_goes_on(self, mode):
        a, b = self.secure_pair(mode)
        self.check_ping()
        a.stop()
        self.start(0, obfs.stage(mode))
        self.check_ping()
        self.assertEqual(self.drops(b), {})

    @each(NAMES)
    def test_another_secret_is_silence_and_is_told(self, mode):
        """Neither side gets anywhere, nothing comes back to who asks, and the log names no secret."""
        b = self.start(1, obfs.stage(mode), remote=False)
        wire = Wire(self.a)
        other = MODES[mode].other
        a = self.start(0, obfs.stage(mode, **other))
        with self.a.socket() as s:  # whatever it is, a begins a handshake for it
            s.sendto(b"?", (INNER4[1], 9))
        wait_for(lambda: self.drops(b), "what does not fit is counted")
        b.wait_log(r"did not fit mode \"%s\".*from 192\.0\.2\.1:51820"
                   % MODES[mode].stage.get("mode", mode))
        counts = b.counters()
        self.assertEqual(total(counts, "obfs", "down", "packets"), 0)
        self.assertEqual(total(counts, "wireguard", "up", "packets"), 0)
        wait_for(lambda: wire.payloads, "what a has sent, on the wire")
        wire.stop()
        for program in (a, b):
            for secret in (*secrets(other), *secrets(MODES[mode].stage)):
                self.assertNotIn(secret, program.log())


class Peers3(ObfsTest):
    """A third namespace, c, on the same wire as a:

        a  eth0 192.0.2.1/24 ---\\
                                 bridge in s --- b  eth0 192.0.2.2/24
        c  eth0 192.0.2.3/24 ---/
    """

    def setUp(self):
        super().setUp()
        self.c = self.namespace("c")
        self.s = self.namespace("s")
        self.b.ip("link", "del", "eth0")
        for name, ns in (("a", self.a), ("b", self.b), ("c", self.c)):
            veth(ns, "eth0", self.s, "to-" + name)
        self.s.ip("link", "add", "br0", "type", "bridge")
        for name in "abc":
            self.s.ip("link", "set", "to-" + name, "master", "br0")
        self.s.ip("link", "set", "br0", "up")
        for ns, address in ((self.a, OUTER4[0]), (self.b, OUTER4[1]), (self.c, C4)):
            netns.address(ns, "eth0", address + "/24")
        self.third = wireguard.Keys()

    @each(NAMES)
    def test_several_peers_share_a_socket(self, mode):
        hub = obfs.secure(self.directory, 1, self.keys, obfs.stage(mode), remote=False)
        peer = wireguard.Peer(self.third.public, [C_INNER4 + "/32"])
        hub["pipeline"][1]["peers"].append(peer.entry(None))
        spoke = obfs.secure(self.directory, 0, [self.third, self.keys[1]], obfs.stage(mode))
        spoke["pipeline"][0]["addresses"] = [C_INNER4 + "/24"]
        b = self.vpncore(self.b, hub, before=wireguard.private_run(self.b)).wait_up()
        self.start(0, obfs.stage(mode))
        self.vpncore(self.c, spoke, before=wireguard.private_run(self.c)).wait_up()
        for ns, address in ((self.a, INNER4[1]), (self.c, INNER4[1]), (self.b, INNER4[0]),
                            (self.b, C_INNER4)):
            self.assertEqual(traffic.ping(ns, address), 5)
        for ns in (self.a, self.c):
            traffic.tcp(ns, self.b, INNER4[1], TCP_BYTES)
        self.assertEqual(self.drops(b), {})


class BelowKcp(KcpTest):
    """[tuntap, kcp, obfs, udp] over a line that loses, delays, doubles and reorders."""

    BAD = ("--seed", 5, "--loss", "2%", "--delay", "5ms", "--jitter", "2ms,free", "--duplicate", "1%")
    mode = None

    def spec(self, *args, **kwargs):
        spec = super().spec(*args, **kwargs)
        spec["pipeline"].insert(-1, obfs.stage(self.mode, **MODES[self.mode].options))
        return spec

    @each(ALONE)
    def test_carries_over_a_bad_line(self, mode):
        self.mode = mode
        self.line(*self.BAD)
        pair = self.tunnel(reliability=DEADLINE)
        traffic.tcp(self.a, self.b, INNER4[1], TCP_BYTES)
        traffic.tcp(self.b, self.a, INNER6[0], TCP_BYTES)
        came = Numbered(self.a, self.b, INNER4[1], 400).result()
        self.assertEqual(len(came), len(set(came)), "something came twice")
        self.assertGreater(len(came), 380)
        for program in pair:
            self.assertEqual(self.count(program, "drop_frame", "drop_command", "drop_length"), 0)


if __name__ == "__main__":
    main()
