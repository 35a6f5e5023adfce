# SPDX-License-Identifier: BSD-2-Clause
"""Whoever has no key gets no answer: not one byte comes back for 100,000 datagrams in each mode, which are
random, or recorded from a session and sent again, cut, or changed in a bit; the traffic of the true
peer goes on, and memory stays what it is. Topology: obfs_wire.py; b is who is asked.
"""
import random
import socket

import netns
from harness import INNER4, OUTER4, main, sanitizer, traffic, wait_for
from obfs_wire import CLIENT_PORT, PLAIN, PORT, STRANGER, WAYS, Capture, ObfsTest, drops, udp4

PROBES = 100000
ROUNDS = 10
RECORDED = 400
BURST = 500     # at a time, so that b's socket holds them
LARGEST = 1400
GROWTH_BYTES = 8 << 20
TARGET = (OUTER4[1], PORT)
PEER = (OUTER4[0], CLIENT_PORT)


def noise(chance, count):
    """Of every length there is, small ones more often."""
    for _ in range(count):
        yield chance.randbytes(chance.randrange(1, chance.choice((64, 200, LARGEST))))


def again(chance, recorded, count):
    for _ in range(count):
        yield chance.choice(recorded)


def cut(chance, recorded, count):
    for _ in range(count):
        true = chance.choice(recorded)
        yield true[:chance.randrange(1, len(true))]


def flipped(chance, recorded, count):
    for _ in range(count):
        changed = bytearray(chance.choice(recorded))
        bit = chance.randrange(8 * min(len(changed), chance.choice((32, 200, LARGEST))))
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def joined(chance, recorded, count):
    """The beginning of one with the rest of another."""
    for _ in range(count):
        first, second = chance.choice(recorded), chance.choice(recorded)
        at = chance.randrange(1, 1 + min(len(first), len(second)))
        yield first[:at] + second[at:] + b"\x00" * (chance.random() < 0.1)


class Probing(ObfsTest):
    def setUp(self):
        super().setUp()
        netns.address(self.a, "eth0", STRANGER + "/24")
        self.chance = random.Random(5)

    def record(self):
        """What a sends in a session, from its first datagram on."""
        kept = [d.payload for d in self.session.datagrams() if d.outgoing]
        first, rest = kept[:40], kept[40:]
        return first + self.chance.sample(rest, min(RECORDED, len(rest)))

    def probe(self, payloads, send):
        """Sends all, no faster than b counts them."""
        sent, before = 0, drops(self.b_program)
        pending = list(payloads)
        for i in range(0, len(pending), BURST):
            for p in pending[i:i + BURST]:
                send(p)
            sent += len(pending[i:i + BURST])
            wait_for(lambda n=sent: drops(self.b_program) - before >= n, "%d drops" % sent)

    def kinds(self, recorded, count):
        """Every kind of datagram, `count` together; the last ones are those that b knows."""
        part = count // 5
        yield from noise(self.chance, part)
        yield from cut(self.chance, recorded, part)
        yield from flipped(self.chance, recorded, part)
        yield from joined(self.chance, recorded, part)
        yield from again(self.chance, recorded, count - 4 * part)

    def begin(self, way):
        """A session with all that belongs to one, recorded."""
        self.session = Capture(self.a)
        with self.session:
            self.a_program, self.b_program = self.tunnel(way)[0], self.programs[0]
            for size in (1, 56, 300, 1000):
                traffic.ping_once(self.a, INNER4[1], 5, size)
            traffic.tcp(self.a, self.b, INNER4[1], 1 << 20)
        return self.record()

    def answers(self, to):
        """A capture of what b sends to an address, of any protocol over IPv4."""
        wanted = socket.inet_aton(to)
        return Capture(self.b, wanted=lambda outgoing, f: outgoing and f[12:14] == b"\x08\x00"
                       and f[30:34] == wanted)

    def check_stranger(self, way):
        recorded = self.begin(way)
        before = self.b_program.resident_bytes()
        with self.answers(STRANGER) as capture, self.a.socket() as s:
            s.bind((STRANGER, 0))
            s.connect(TARGET)
            for _ in range(ROUNDS):
                true = traffic.Thread(traffic.tcp, self.a, self.b, INNER4[1], 1 << 20)
                self.probe(self.kinds(recorded, PROBES // ROUNDS), s.send)
                true.result()
        self.assertEqual(capture.frames, [])
        if not sanitizer():  # which keeps what is freed for a while
            self.assertLess(self.b_program.resident_bytes() - before, GROWTH_BYTES)
        self.check_ping(3)
        self.check_tcp(1 << 18)

    def check_namesake(self, way):
        """In the name of the very peer, which has gone: b itself has nothing to say to it, and says
        nothing."""
        recorded = self.begin(way)
        self.a_program.stop()
        with self.a.socket() as last:  # nothing unreachable is said of a's port
            last.bind(PEER)
            raw = self.a.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.addCleanup(raw.close)
            with self.answers(OUTER4[0]) as capture:
                self.probe(self.kinds(recorded, PROBES // ROUNDS),
                           lambda p: raw.sendto(udp4(p, PEER, TARGET), (TARGET[0], 0)))
        self.assertEqual(capture.frames, [])
        self.assertTrue(self.b_program.running())


def add_tests():
    for way in WAYS:
        if way == PLAIN:
            continue
        name = way.replace("-", "_")
        setattr(Probing, "test_a_stranger_gets_nothing_from_" + name,
                lambda self, w=way: self.check_stranger(w))
        setattr(Probing, "test_nor_does_who_takes_the_peer_s_name_from_" + name,
                lambda self, w=way: self.check_namesake(w))


add_tests()

if __name__ == "__main__":
    main()
