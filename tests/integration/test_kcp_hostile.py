# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams that no peer has sent, at b's port, while traffic flows: from another address, and in the name
of the very peer. They are counted, and nothing else happens. Topology: kcp.py.

In plain KCP a datagram in the name of the peer that has the right conversation and numbers within the window
is taken: it has no authentication. Those here are absurd; wireguard above keeps out what is not.
"""
import random
import socket
import struct

import netns
from harness import INNER4, main, sanitizer, traffic, wait_for
from kcp import (ACCEPT, DATAGRAM, DEADLINE, EXIT, PIPELINES, PLAIN, RELIABLE, SERVER_AT, KcpTest,
                 conversation, each, spoofed)

DELAY = ("--delay", "2ms")
FOREIGN = "198.51.100.66"
PUSH, ACK, WASK, WINS = 81, 82, 83, 84
COMMANDS = (PUSH, ACK, WASK, WINS)
SEGMENT = struct.Struct("<IBBHIIII")
FAR = (1 << 31, (1 << 31) - 1, 0x7ff00000, 0xfff00000)  # beyond every window from any place near 0
GROWTH_BYTES = 16 << 20
FRAMES = (0x10, 0x20, 0x30, 0x40, 0x50, 0x80, 0x90, 0xa0, 0xb0, 0xc0)


def segment(conv, cmd, *, frg=0, wnd=128, ts=0, sn=0, una=0, length=None, data=b""):
    return SEGMENT.pack(conv, cmd, frg, wnd, ts, sn, una, len(data) if length is None else length) + data


def noise(chance, n=400):
    yield from (b"", b"\x00", b"\xff" * 23, bytes(24), bytes(1400))
    for _ in range(n):
        yield chance.randbytes(chance.randrange(1, 1450))


def bad_segments(conv, chance):
    """KCP's wire with nonsense in each field; none of them is what a peer could have sent."""
    for cmd in COMMANDS:
        yield segment(conv ^ 0x5a5a5a5a, cmd, data=b"x" * 40)
        yield from (segment(conv, cmd, length=n) for n in (1, 1400, 1 << 31, 0xffffffff))
        yield from (segment(conv, cmd, data=b"y" * 100)[:n] for n in range(24))
        yield from (segment(conv, cmd, una=una, sn=sn) for una in FAR for sn in FAR)
    yield from (segment(conv, cmd, data=b"z") for cmd in range(256) if cmd not in COMMANDS)
    yield from (segment(conv, PUSH, sn=sn, frg=frg, data=b"far" * 100)
                for sn in FAR for frg in (0, 1, 127, 255))
    yield from (segment(conv, ACK, sn=sn, ts=chance.getrandbits(32)) for sn in FAR)
    # many segments, of which the last is cut
    yield segment(conv, ACK, sn=FAR[0]) * 50 + b"\x01\x02"
    # kcp-go's FEC: parity and data of groups that there are not
    for kind in (0xf1, 0xf2, 0xf3, 0xf4):
        yield from (struct.pack("<IHH", seq, kind, size) + chance.randbytes(n)
                    for seq in (0, 7, 0x7fffffff, 0xffffffff) for size in (0, 1, 2, 65535)
                    for n in (0, 2, 100, 1400))


def bad_frames(first, chance):
    """Our own wire: every kind, cut and with absurd numbers; `first` is a true datagram's beginning,
    whose session the frames name."""
    number = first[4:8]
    for kind in FRAMES:
        for flags in (0, 1, 15):
            head = bytes([kind | flags])
            yield from (head + chance.randbytes(n) for n in range(0, 90))
            yield from (head + b"\xff\xff\xff" + number + struct.pack("<II", pn, pn) + chance.randbytes(n)
                        for pn in FAR for n in (0, 16, 64, 1300))
    for kind in range(0, 256, 16):
        if kind not in FRAMES:
            yield bytes([kind]) + chance.randbytes(63)


class Attacked(KcpTest):
    def begin(self, pipeline, reliability, **changes):
        self.line("--seed", 1, *DELAY)
        self.side_a, self.side_b = self.tunnel(pipeline, reliability, **changes)
        netns.address(self.r, "eth1", FOREIGN + "/24")
        self.raw = self.r.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.addCleanup(self.raw.close)
        self.stream = traffic.TcpStream(self.b, self.a, INNER4[0])
        self.stream.wait_moved(1 << 18)
        # of the way from a to b, so that it is b's own session that is meant
        self.first = conversation(self.r, "eth1", EXIT)
        self.chance = random.Random(11)

    def attack(self, payloads):
        """Each from a foreign address and in the name of the peer. Returns how many were sent."""
        n = 0
        with self.r.socket() as foreign:
            foreign.bind((FOREIGN, 0))
            for p in payloads:
                foreign.sendto(p, SERVER_AT)
                self.raw.sendto(spoofed(p, EXIT, SERVER_AT), (SERVER_AT[0], 0))
                n += 2
        return n

    def check(self, *attacks):
        before = self.side_b.resident_bytes()
        dropped = self.drops(self.side_b)
        n = sum(self.attack(list(payloads)) for payloads in attacks)
        self.stream.wait_moved(1 << 20)
        # not all end as a drop: of an acknowledgement, what is absurd is counted and the rest ignored
        wait_for(lambda: self.drops(self.side_b) - dropped > n // 4, "drops", 20)
        self.stream.stop()
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5), 5)
        traffic.tcp(self.a, self.b, INNER4[1], 1 << 20)
        traffic.tcp(self.b, self.a, INNER4[0], 1 << 20)
        self.assertEqual(self.count(self.side_a, "peer_restarts", "sessions_dead", "resets"), 0)
        self.assertEqual(self.count(self.side_b, "peer_restarts", "sessions_dead", "resets"), 0)
        if not sanitizer():  # which keeps what is freed for a while
            self.assertLess(self.side_b.resident_bytes() - before, GROWTH_BYTES)

    def secret(self):
        file = self.directory / "password"
        file.touch(0o600)
        file.write_text("it's a secrect\n", encoding="ascii")
        return str(file)


class Absurd(Attacked):
    @each(PIPELINES)
    def test_reliable_is_unharmed(self, pipeline):
        self.begin(pipeline, RELIABLE)
        conv = struct.unpack("<I", self.first[:4])[0]
        self.check(noise(self.chance), bad_segments(conv, self.chance))

    @each(PIPELINES, (DATAGRAM, DEADLINE))
    def test_our_own_wire_is_unharmed(self, pipeline, reliability):
        self.begin(pipeline, reliability)
        self.check(noise(self.chance), bad_frames(self.first, self.chance))

    @each((RELIABLE, DEADLINE))
    def test_a_cipher_keeps_everything_out(self, reliability):
        self.begin(PLAIN, reliability,
                   kcp={"crypt": "aes-128-gcm", "password": {"file": self.secret()}})
        conv = struct.unpack("<I", self.first[:4])[0]
        before = self.count(self.side_b, "drop_crypt", "drop_short")
        n = self.attack(p for p in [*noise(self.chance), *bad_segments(conv, self.chance)] if p)
        wait_for(lambda: self.count(self.side_b, "drop_crypt", "drop_short") - before >= n,
                 "%d counted by the cipher" % n, 20)
        self.stream.wait_moved(1 << 20)
        self.stream.stop()


class Floods(Attacked):
    @each((RELIABLE, DEADLINE))
    def test_new_conversations_find_no_more_room_than_there_is(self, reliability):
        """Each of many addresses begins a conversation, as anybody can."""
        self.begin(PLAIN, reliability)
        before = self.side_b.resident_bytes()
        for i in range(20000):
            source = ("198.51.100.%d" % (100 + i % 100), 1024 + i % 50000)
            p = segment(i + 1, PUSH, data=b"hello" * 20) if reliability == RELIABLE \
                else b"\x80\x01\x02\x00" + self.chance.randbytes(60)
            self.raw.sendto(spoofed(p, source, SERVER_AT), (SERVER_AT[0], 0))
        self.stream.wait_moved(1 << 20)
        self.stream.stop()
        self.assertEqual(traffic.ping(self.a, INNER4[1], 5), 5)
        begun = self.count(self.side_b, "sessions_begun")
        ended = self.count(self.side_b, "sessions_idle", "sessions_dead")
        self.assertLessEqual(begun - ended, ACCEPT)
        self.assertGreater(self.drops(self.side_b), 10000)
        if not sanitizer():
            self.assertLess(self.side_b.resident_bytes() - before, GROWTH_BYTES)


if __name__ == "__main__":
    main()
