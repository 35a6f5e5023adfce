# SPDX-License-Identifier: BSD-2-Clause
"""Messages that no peer has sent, or has sent before; each is counted by its reason, nothing else
happens, and the true peer's traffic goes on.

    namespace a                                  namespace b
    wg0 10.78.0.1, fd78::1  . . . tunnel . . .   wg0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
                    < = = = = = = = = = = = = =       192.0.2.66 (the attacker)
"""
import random
import struct

import netns
from harness import (INNER4, OUTER4, PORT, hostport, main, sanitizer, total, traffic, wait_for)
from wireguard_cases import Tunnel
from wireguard_wire import (COOKIE, DATA, INITIATION, RESPONSE, SHORTEST, SIZES, Flood, data, head,
                            noise, plausible)

ATTACKER = "192.0.2.66"
IP_HEADER, UDP_HEADER, ETHERNET_HEADER = 20, 8, 14
LARGEST_DATAGRAM = 65507
GROWTH_BYTES = 8 << 20  # what floods may add to the resident memory: pools that were not full


class Attacked(Tunnel):
    def setUp(self):
        super().setUp()
        netns.address(self.b, "eth0", ATTACKER + "/24")
        self.target, self.peer = self.pair(dialler="b")
        traffic.wait_ping(self.b, INNER4[0])
        self.chance = random.Random(3)

    def counters(self):
        counters = self.target.program.counters()
        return lambda *reasons: sum(total(counters, "wireguard", r) for r in reasons)

    def send(self, payloads):
        """From the attacker's address; a few at a time, so that no buffer overflows."""
        with self.b.socket() as s:
            s.bind((ATTACKER, 0))
            for p in payloads:
                s.sendto(p, (OUTER4[0], PORT))

    def counted(self, payloads, *reasons):
        """Sends, and waits until every one is counted under one of the reasons."""
        payloads = list(payloads)
        before = self.counters()(*reasons)
        self.send(payloads)
        wait_for(lambda: self.counters()(*reasons) >= before + len(payloads),
                 "%d more of %s" % (len(payloads), ", ".join(reasons)))
        self.assertEqual(self.counters()(*reasons), before + len(payloads))

    def unharmed(self):
        """The session that stood before still stands, and its endpoint is where it was."""
        self.assertEqual(self.target.status().endpoint, hostport(OUTER4[1]))
        self.assertTrue(self.target.program.running())
        self.check_ping(3)
        self.check_tcp(1 << 18)

    def capture(self, work, kind, count=1):
        """What b sends a while work() runs: the last `count` messages of a kind."""
        with traffic.FrameSocket(self.a, "eth0") as wire:
            work()
            wire.socket.setblocking(False)
            found = []
            while True:
                try:
                    frame = wire.recv()
                except BlockingIOError:
                    break
                packet = frame[ETHERNET_HEADER:]
                if frame[12:14] == b"\x08\x00" and packet[9] == 17 \
                        and packet[12:16] == bytes([192, 0, 2, 2]):
                    length = struct.unpack("!H", packet[IP_HEADER + 4:IP_HEADER + 6])[0]
                    message = packet[IP_HEADER + UDP_HEADER:IP_HEADER + length]
                    if message[:4] == head(kind):
                        found.append(bytes(message))
        self.assertGreaterEqual(len(found), count, "captured messages of type %d" % kind)
        return found[-count:]

    def pings(self, count=20, size=56):
        self.assertEqual(traffic.ping(self.b, INNER4[0], count, size), count)

    def new_handshake(self):
        """b makes a new session."""
        before = self.target.handshake_time(self.peer)
        self.peer.wg("set", "wg0", "peer", self.target.keys.public, "remove")
        self.peer.wg("set", "wg0", "peer", self.target.keys.public, "endpoint", hostport(OUTER4[0]),
                     "allowed-ips", ",".join(self.target.hosts()))
        traffic.wait_ping(self.b, INNER4[0])
        self.target.wait_handshake(self.peer, after=before)


class BadMessages(Attacked):
    def test_wrong_sizes_of_every_type(self):
        sizes = list(range(1, 200)) + [255, 256, 512, 1000, 1280, 1400]
        for kind in (INITIATION, RESPONSE, COOKIE):
            self.counted([noise(kind, self.chance, n + 4)[:n] for n in sizes if n != SIZES[kind]],
                         "drop_short")
        self.counted([noise(DATA, self.chance, 40)[:n] for n in range(1, SHORTEST)], "drop_short")
        self.unharmed()

    def test_types_that_do_not_exist_and_reserved_bytes_that_are_not_zero(self):
        kinds = [0, 5, 6, 127, 255] + [kind | 1 << bit for kind in (1, 2, 3, 4)
                                       for bit in (8, 15, 16, 23, 24, 31)]
        self.counted([struct.pack("<I", kind) + self.chance.randbytes(n - 4)
                      for kind in kinds for n in (32, 64, 92, 128, 148, 1400)], "drop_bad_type")
        self.unharmed()

    def test_handshakes_without_the_right_mac1(self):
        self.counted([noise(kind, self.chance) for kind in (INITIATION, RESPONSE)
                      for _ in range(50)], "drop_bad_mac1")
        # one bit of what it covers, or of itself
        good = plausible(INITIATION, self.target.keys.public, self.chance)
        self.counted([good[:i] + bytes([good[i] ^ 1]) + good[i + 1:] for i in range(4, 132, 3)],
                     "drop_bad_mac1")
        self.unharmed()

    def test_initiations_that_nobody_can_open(self):
        self.counted([plausible(INITIATION, self.target.keys.public, self.chance)
                      for _ in range(30)], "drop_bad_handshake", "drop_no_cookie")
        self.unharmed()

    def test_responses_and_cookies_that_nobody_has_asked_for(self):
        self.counted([plausible(RESPONSE, self.target.keys.public, self.chance)
                      for _ in range(30)], "drop_unknown_index", "drop_unexpected")
        self.counted([noise(COOKIE, self.chance) for _ in range(30)],
                     "drop_unknown_index", "drop_unexpected")
        self.unharmed()

    def test_data_of_sessions_that_do_not_exist(self):
        self.counted([noise(DATA, self.chance, n) for n in range(SHORTEST, 200)],
                     "drop_unknown_index")
        self.unharmed()

    def test_data_that_was_not_sealed_with_the_key(self):
        (true,) = self.capture(self.pings, DATA)
        receiver, counter = struct.unpack("<IQ", true[4:16])
        self.counted([data(receiver, counter + 1 + n, self.chance.randbytes(16 + n))
                      for n in range(0, 1300, 7)], "drop_bad_tag")
        self.counted([true[:i] + bytes([true[i] ^ 0x80]) + true[i + 1:]
                      for i in range(16, len(true))], "drop_bad_tag")
        # another counter is another nonce
        self.counted([data(receiver, counter + 1000, true[16:])], "drop_bad_tag")
        self.unharmed()

    def test_counters_that_no_session_reaches(self):
        (true,) = self.capture(self.pings, DATA)
        receiver = struct.unpack("<I", true[4:8])[0]
        self.counted([data(receiver, 2**64 - 1 - n, true[16:]) for n in (0, 1, 8192)],
                     "drop_exhausted")
        self.unharmed()

    def test_datagrams_larger_than_any_buffer(self):
        for size in (1453, 1473, 1500, 1600, 2048, 4096, 9000, 40000, LARGEST_DATAGRAM):
            self.send(noise(kind, self.chance, size)
                      for kind in (INITIATION, RESPONSE, COOKIE, DATA) for _ in range(4))
        self.unharmed()


class Replays(Attacked):
    def test_data_is_taken_once(self):
        captured = self.capture(self.pings, DATA, 20)
        self.counted(captured * 5, "drop_replay")
        self.unharmed()

    def test_data_of_the_session_before_is_taken_once(self):
        captured = self.capture(self.pings, DATA, 20)
        self.new_handshake()
        self.counted(captured, "drop_replay", "drop_unknown_index")
        self.unharmed()

    def test_an_initiation_is_taken_once(self):
        (captured,) = self.capture(self.new_handshake, INITIATION)
        before = self.target.handshake_time(self.peer)
        sent = self.counters()("responses_sent")
        # when they come close together, the later ones are dropped for that alone
        self.counted([captured] * 10, "drop_old_timestamp", "drop_too_soon")
        self.assertEqual(self.counters()("responses_sent"), sent)
        self.assertEqual(self.target.handshake_time(self.peer), before)
        self.unharmed()

    def test_a_response_is_taken_once(self):
        def dialled_by_a():
            before = self.target.handshake_time(self.peer)
            self.target.wg("set", "wg0", "peer", self.peer.keys.public, "remove")
            self.target.wg("set", "wg0", "peer", self.peer.keys.public,
                           "endpoint", hostport(OUTER4[1]),
                           "allowed-ips", ",".join(self.peer.hosts()))
            traffic.wait_ping(self.a, INNER4[1])
            self.target.wait_handshake(self.peer, after=before)
        (captured,) = self.capture(dialled_by_a, RESPONSE)
        self.counted([captured] * 10, "drop_unexpected", "drop_unknown_index")
        self.unharmed()


class Floods(Attacked):
    """Each kind in turn at the same end, with TCP and pings in the tunnel."""

    RATE = 30000
    # what has to grow under which flood
    GROWS = {
        "random": ("drop_bad_type", "drop_short"),
        "data": ("drop_unknown_index",),
        "bad-mac1": ("drop_bad_mac1", "drop_handshake_full"),
        "initiation": ("drop_no_cookie", "drop_bad_handshake", "drop_handshake_full",
                       "drop_rate_limited"),
        "response": ("drop_unknown_index", "drop_unexpected", "drop_no_cookie",
                     "drop_handshake_full"),
        "cookie": ("drop_unknown_index", "drop_unexpected", "drop_handshake_full"),
    }

    def withstands(self, kind, reasons, count=20000):
        before = self.counters()(*reasons)
        endpoint = self.target.status().endpoint
        with Flood(self.b, kind, self.target.keys.public, OUTER4[0], per_second=self.RATE,
                   source=ATTACKER):
            wait_for(lambda: self.counters()(*reasons) - before > count, "a flood of " + kind, 30)
            self.stream.wait_moved(1 << 20)
            self.assertGreater(traffic.ping_once(self.b, INNER4[0], 20, 56), 0)
        self.assertTrue(self.target.program.running())
        self.assertEqual(self.target.status().endpoint, endpoint)

    def test_traffic_flows_through_every_flood_and_memory_stays_flat(self):
        replayed = self.directory / "replayed"
        captured = self.capture(lambda: self.pings(100), DATA, 64)
        same = [c.hex() for c in captured if len(c) == len(captured[-1])]
        replayed.write_text("\n".join(same) + "\n", encoding="ascii")
        self.stream = traffic.TcpStream(self.b, self.a, INNER4[0])
        self.addCleanup(self.stream.stop)
        self.stream.wait_moved(4 << 20)
        before = self.target.program.resident_bytes()
        for kind, reasons in self.GROWS.items():
            with self.subTest(kind):
                self.withstands(kind, reasons)
        with self.subTest("replays"):
            self.withstands(str(replayed), ("drop_replay",))
        self.stream.stop()
        after = self.target.program.resident_bytes()
        print("    resident: %d KiB before the floods, %d KiB after" % (before >> 10, after >> 10))
        if not sanitizer():  # which keeps what is freed for a while
            self.assertLess(after - before, GROWTH_BYTES)
        self.unharmed()


if __name__ == "__main__":
    main()
