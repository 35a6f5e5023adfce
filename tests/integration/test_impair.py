# SPDX-License-Identifier: BSD-2-Clause
"""tests/tools/impair, which other tests and the benchmark rely on: it does what it was told and nothing else.

    a eth0 192.0.2.1 --- 192.0.2.9 eth0 [r] eth1 198.51.100.9 --- eth0 198.51.100.2 b
           2001:db8:1::1   2001:db8:1::9      2001:db8:2::9         2001:db8:2::2

impair runs in r; clients in a send to 192.0.2.9:7000, and it sends to 198.51.100.2:7001.
"""
import itertools
import random
import signal
import socket
import struct
import time

import netns
from harness import SLOWNESS, Test, hostport, main, sanitizer, veth, wait_for
from impair import Impair, binary

SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
UDP_SEGMENT = 103
BLOCK = 2048  # of the memory for datagrams
MS = 1000000  # ns

LISTEN = {4: ("192.0.2.9", 7000), 6: ("2001:db8:1::9", 7000)}
TARGET = {4: ("198.51.100.2", 7001), 6: ("2001:db8:2::2", 7001)}
SOURCE = {4: "198.51.100.9", 6: "2001:db8:2::9"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Stream:
    """splitmix64, written once more: what the program's seed decides is known without it."""

    MASK, GAMMA = 2**64 - 1, 0x9e3779b97f4a7c15
    USES = 9

    def __init__(self, seed, direction, use):
        self.state = self.mix(self.mix(seed + self.GAMMA)
                              + (direction * self.USES + use + 1) * self.GAMMA)

    def mix(self, z):
        z &= self.MASK
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & self.MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & self.MASK
        return z ^ z >> 31

    def hits(self, share):
        self.state = self.state + self.GAMMA & self.MASK
        return (self.mix(self.state) >> 11) * 2**-53 < share


UP, DOWN = 0, 1


class Fates:
    """The decisions for datagrams 0, 1, 2, ... of a direction: sets of their numbers."""

    LOSS, BURST_LOSS, BURST_MOVE, DUPLICATE, CORRUPT, _, REORDER = range(7)

    def __init__(self, n, seed, direction, loss=0, p=0, r=0, duplicate=0, corrupt=0, reorder=0):
        s = [Stream(seed, direction, use) for use in range(7)]
        self.lost = {i for i in range(n) if s[self.LOSS].hits(loss)}
        self.in_burst, bad = set(), False
        for i in range(n):
            if not s[self.BURST_LOSS].hits(0 if bad else 1):
                self.in_burst.add(i)
            if s[self.BURST_MOVE].hits(r if bad else p):
                bad = not bad
        gone = self.lost | self.in_burst
        self.passed = set(range(n)) - gone
        self.duplicated = {i for i in range(n) if s[self.DUPLICATE].hits(duplicate)} - gone
        self.corrupted = {i for i in range(n) if s[self.CORRUPT].hits(corrupt)} - gone
        self.reordered = {i for i in range(n) if s[self.REORDER].hits(reorder)} - gone


def number_of(datagram):
    return struct.unpack("!I", datagram[:4])[0]


def datagrams(n, size=200):
    noise = random.Random(n).randbytes(size + 256)
    return [struct.pack("!I", i) + noise[i & 255:(i & 255) + size - 4] for i in range(n)]


class Line(Test):
    def setUp(self):
        super().setUp()
        self.a, self.r, self.b = (self.namespace(label) for label in "arb")
        veth(self.a, "eth0", self.r, "eth0")
        veth(self.b, "eth0", self.r, "eth1")
        netns.address(self.a, "eth0", "192.0.2.1/24", "2001:db8:1::1/64")
        netns.address(self.r, "eth0", "192.0.2.9/24", "2001:db8:1::9/64")
        netns.address(self.r, "eth1", "198.51.100.9/24", "2001:db8:2::9/64")
        netns.address(self.b, "eth0", "198.51.100.2/24", "2001:db8:2::2/64")

    def line(self, *options, family=4):
        line = Impair(self.r, hostport(*LISTEN[family]), hostport(*TARGET[family]), self.directory,
                      *options)
        self.addCleanup(line.close)
        return line

    def socket(self, ns, family=4, bind=None, connect=None):
        s = ns.socket(FAMILY[family])
        self.addCleanup(s.close)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.settimeout(10 * SLOWNESS)
        if bind:
            s.bind(bind)
        if connect:
            s.connect(connect)
        return s

    def ends(self, family=4):
        """A client's socket and the other side's."""
        return (self.socket(self.a, family, connect=LISTEN[family]),
                self.socket(self.b, family, bind=TARGET[family]))

    def send(self, s, payloads, at_a_time=64):
        """Not faster than the relay reads: every datagram is to come to it."""
        for i in range(0, len(payloads), at_a_time):
            for p in payloads[i:i + at_a_time]:
                s.send(p)
            time.sleep(0.002)

    def collect(self, s, n):
        """[(datagram, when it came by the system's clock in ns)], of exactly n: no more may come."""
        found = []
        for _ in range(n):
            data, beside, _, _ = s.recvmsg(70000, 256)
            (stamp,) = [struct.unpack("qq", v[:16]) for _, kind, v in beside if kind == SO_TIMESTAMPNS]
            found.append((data, stamp[0] * 10**9 + stamp[1]))
        s.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            s.recv(1)
        s.settimeout(10 * SLOWNESS)
        return found

    def wait_all(self, line, way, n):
        """Until n have come to the relay and none is under way; returns the statistics."""
        def settled():
            s = line.statistics()[way]
            return s if s["in"] >= n and s["pending"] == 0 else None
        s = wait_for(settled, "%d datagrams %s" % (n, way), 30)
        self.assertEqual((s["in"], s["missed"]), (n, 0))
        return s


class Seeds(Line):
    """What was decided for each datagram is what the seed says."""

    OPTIONS = ("--seed", 7, "--loss", "5%", "--burst", "p=1%,r=25%", "--duplicate", "2%")
    N = 2000

    def check_way(self, line, source, sink, way):
        fates = Fates(self.N, 7, (UP, DOWN)[way == "down"], loss=.05, p=.01, r=.25, duplicate=.02)
        sent = datagrams(self.N)
        self.send(source, sent)
        found = [d for d, _ in self.collect(sink, len(fates.passed) + len(fates.duplicated))]
        counts = self.wait_all(line, way, self.N)
        numbers = [number_of(d) for d in found]
        self.assertEqual(set(numbers), fates.passed)
        self.assertEqual({i for i in fates.passed if numbers.count(i) == 2}, fates.duplicated)
        self.assertEqual(set(found) - set(sent), set())
        self.assertEqual(counts["lost"]["random"], len(fates.lost))
        self.assertEqual(counts["lost"]["burst"], len(fates.in_burst - fates.lost))
        self.assertEqual(counts["duplicated"], len(fates.duplicated))
        self.assertEqual(counts["delivered"], len(found))
        self.assertEqual(counts["delivered_bytes"], sum(map(len, found)))

    def test_the_very_datagrams_are_lost_and_doubled_that_the_seed_says(self):
        for family in (4, 6):
            with self.subTest(family=family):
                a, b = self.ends(family)
                source = hostport(SOURCE[family], 6000)
                line = self.line(*self.OPTIONS, "--client", hostport(*a.getsockname()[:2]),
                                 "--source", source, family=family)
                self.check_way(line, a, b, "up")
                b.connect((SOURCE[family], 6000))
                self.check_way(line, b, a, "down")

    def test_another_seed_decides_otherwise(self):
        lost = []
        for seed in (1, 2, 1):
            line = self.line("--seed", seed, "--loss", "10%")
            a, b = self.ends()
            self.send(a, datagrams(500))
            self.wait_all(line, "up", 500)
            b.settimeout(0.5)
            found = set()
            with self.assertRaises(TimeoutError):
                while True:
                    found.add(number_of(b.recv(1000)))
            lost.append(set(range(500)) - found)
            line.stop()
            b.close()
        self.assertEqual(lost[0], lost[2])
        self.assertNotEqual(lost[0], lost[1])

    def test_corrupted_datagrams_have_exactly_so_many_wrong_bits(self):
        n = 1000
        fates = Fates(n, 3, UP, corrupt=.1)
        line = self.line("--seed", 3, "--corrupt", "10%,bits=2")
        a, b = self.ends()
        sent = datagrams(n)
        self.send(a, sent)
        found = [d for d, _ in self.collect(b, n)]
        wrong = {i: bin(int.from_bytes(d, "big") ^ int.from_bytes(s, "big")).count("1")
                 for i, (s, d) in enumerate(zip(sent, found)) if s != d}
        self.assertEqual(wrong, {i: 2 for i in fates.corrupted})
        self.assertEqual(line.stop()["up"]["corrupted"], len(fates.corrupted))


class Times(Line):
    def send_stamped(self, s, n, gap=0.0, size=200):
        """Returns the time by the system's clock before each was sent, in ns."""
        sent = []
        for payload in datagrams(n, size):
            sent.append(time.time_ns())
            s.send(payload)
            if gap:
                time.sleep(gap)
        return sent

    def test_nothing_comes_earlier_than_the_delay(self):
        line = self.line("--delay", "30ms", "--jitter", "5ms")
        a, b = self.ends()
        sent = self.send_stamped(a, 300, 0.001)
        found = self.collect(b, 300)
        delays = sorted(at - sent[number_of(d)] for d, at in found)
        self.assertGreaterEqual(delays[0], 30 * MS)
        counts = line.stop()["up"]
        print("    30 ms and up to 5: %.3f to %.3f, median %.3f ms; by impair %s, late %s"
              % (delays[0] / MS, delays[-1] / MS, delays[150] / MS, counts["delay_us"],
                 counts["late_us"]))
        self.assertGreaterEqual(counts["delay_us"]["min"], 30000)
        # the seed's jitter is there: without it the mean would be that of lateness alone
        self.assertGreater(counts["delay_us"]["mean"] - counts["late_us"]["mean"], 31000)
        self.assertLessEqual(counts["delay_us"]["mean"] - counts["late_us"]["mean"], 35000)

    def test_the_order_is_kept_although_delays_differ(self):
        self.line("--delay", "2ms", "--jitter", "20ms")
        a, b = self.ends()
        self.send_stamped(a, 500, 0.0002)
        numbers = [number_of(d) for d, _ in self.collect(b, 500)]
        self.assertEqual(numbers, sorted(numbers))

    def test_free_jitter_changes_the_order(self):
        self.line("--delay", "2ms", "--jitter", "20ms,free")
        a, b = self.ends()
        self.send_stamped(a, 500, 0.0002)
        numbers = [number_of(d) for d, _ in self.collect(b, 500)]
        self.assertEqual(sorted(numbers), list(range(500)))
        self.assertNotEqual(numbers, sorted(numbers))

    def test_those_that_the_seed_says_are_held_back_and_no_others(self):
        n = 500
        fates = Fates(n, 5, UP, reorder=.05)
        line = self.line("--seed", 5, "--delay", "2ms", "--reorder", "5%,by=50ms")
        a, b = self.ends()
        sent = self.send_stamped(a, n, 0.001)
        found = self.collect(b, n)
        numbers = [number_of(d) for d, _ in found]
        ordered = [i for i in numbers if i not in fates.reordered]
        self.assertEqual(ordered, sorted(ordered))
        self.assertNotEqual(numbers, sorted(numbers))
        for d, at in found:
            held = number_of(d) in fates.reordered
            self.assertGreaterEqual(at - sent[number_of(d)], (52 if held else 2) * MS)
        self.assertEqual(line.stop()["up"]["reordered"], len(fates.reordered))

    def test_a_link_lets_no_more_through_than_its_rate(self):
        # 972 bytes and 28 of headers at 8 Mbit/s: 1 ms each
        n = 200
        self.line("--rate", "8mbit", "--queue", "10s")
        a, b = self.ends()
        begin = time.time_ns()
        self.send_stamped(a, n, size=972)
        for i, (d, at) in enumerate(self.collect(b, n)):
            self.assertEqual(number_of(d), i)
            self.assertGreaterEqual(at - begin, (i + 1) * MS)

    def test_a_full_queue_loses_what_comes_last(self):
        n = 300
        line = self.line("--rate", "8mbit", "--queue", "50ms")
        a, b = self.ends()
        begin = time.monotonic()
        sent = self.send_stamped(a, n, size=972)
        took_ms = (time.monotonic() - begin) * 1000
        self.assertEqual(len(sent), n)
        counts = self.wait_all(line, "up", n)
        found = [number_of(d) for d, _ in self.collect(b, counts["delivered"])]
        # one on the link, 50 behind it, and one for each millisecond that sending has taken
        self.assertGreaterEqual(len(found), 51)
        self.assertLessEqual(len(found), 51 + took_ms + 1)
        self.assertEqual(found[:51], list(range(51)))
        self.assertEqual(counts["lost"]["queue"], n - len(found))


class Flows(Line):
    def test_every_client_gets_its_own_answers(self):
        for family in (4, 6):
            with self.subTest(family=family):
                self.line("--delay", "1ms", family=family)
                b = self.socket(self.b, family, bind=TARGET[family])
                clients = [self.socket(self.a, family, connect=LISTEN[family]) for _ in range(50)]
                for i, c in enumerate(clients):
                    c.send(b"from %d" % i)
                ports = set()
                for _ in clients:
                    data, source = b.recvfrom(100)
                    ports.add(source[1])
                    b.sendto(b"answer to " + data, source)
                for i, c in enumerate(clients):
                    self.assertEqual(c.recv(100), b"answer to from %d" % i)
                self.assertEqual(len(ports), 50)
                b.close()

    def test_a_client_too_many_is_counted_and_harms_nobody(self):
        line = self.line("--flows", 2)
        b = self.socket(self.b, bind=TARGET[4])
        clients = [self.socket(self.a, connect=LISTEN[4]) for _ in range(3)]
        for i in (0, 1, 2, 0, 1):
            clients[i].send(b"%d" % i)
        self.assertEqual([d for d, _ in self.collect(b, 4)], [b"0", b"1", b"0", b"1"])
        self.assertEqual(line.stop()["up"]["lost"]["flows"], 1)

    def test_a_client_may_be_known_before_it_has_sent(self):
        a = self.socket(self.a, bind=("192.0.2.1", 5000))
        b = self.socket(self.b, bind=TARGET[4])
        self.line("--source", "198.51.100.9:6000", "--client", "192.0.2.1:5000")
        b.sendto(b"first", ("198.51.100.9", 6000))
        data, source = a.recvfrom(100)
        self.assertEqual((data, source), (b"first", LISTEN[4]))

    def test_every_size_and_trains_of_one_size_pass_unchanged(self):
        sizes = [0, 1, 100, 1472, 1473, 2048, 2049, 9000, 40000, 65507]
        for family in (4, 6):
            with self.subTest(family=family):
                self.line("--delay", "2ms", family=family)
                a, b = self.ends(family)
                noise = random.Random(4).randbytes(65507)
                b.settimeout(10 * SLOWNESS)
                for size in sizes:
                    for _ in range(3):
                        a.send(noise[:size])
                    for _ in range(3):
                        data, source = b.recvfrom(70000)
                        self.assertEqual(data, noise[:size])
                        b.sendto(data, source)
                    for _ in range(3):
                        self.assertEqual(a.recv(70000), noise[:size])
                b.close()

    def test_trains_of_segments_are_datagrams_on_both_sides(self):
        n, size = 40, 1200
        line = self.line("--delay", "2ms", "--loss", "10%", "--seed", 9)
        a, b = self.ends()
        a.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        sent = datagrams(n, size)
        a.send(b"".join(sent) + b"tail")
        fates = Fates(n + 1, 9, UP, loss=.1)
        whole = sent + [b"tail"]
        self.assertEqual([d for d, _ in self.collect(b, len(fates.passed))],
                         [whole[i] for i in sorted(fates.passed)])
        self.assertEqual(line.stop()["up"]["in"], n + 1)


class Robustness(Line):
    def test_nobody_at_the_other_end_is_survived(self):
        line = self.line()
        a = self.socket(self.a, connect=LISTEN[4])
        for _ in range(20):
            a.send(b"nobody")
            time.sleep(0.002)
        self.wait_all(line, "up", 20)
        b = self.socket(self.b, bind=TARGET[4])
        a.send(b"somebody")
        self.assertEqual(b.recv(100), b"somebody")
        self.assertTrue(line.running())

    def test_no_route_is_counted_as_refused(self):
        line = self.line("--loss", "0%")
        a = self.socket(self.a, connect=LISTEN[4])
        b = self.socket(self.b, bind=TARGET[4])
        a.send(b"first")
        self.assertEqual(b.recv(100), b"first")
        self.r.ip("link", "set", "eth1", "down")
        for _ in range(10):
            a.send(b"lost")
        counts = self.wait_all(line, "up", 11)
        self.assertEqual(counts["lost"]["refused"], 10)

    def test_memory_is_bounded_by_what_was_granted(self):
        line = self.line("--memory", "1MiB", "--delay", "1000s")
        a = self.socket(self.a, connect=LISTEN[4])
        self.send(a, datagrams(3000, 1400))
        wait_for(lambda: line.statistics()["up"]["in"] == 3000, "3000 datagrams")
        counts = line.stop()["up"]
        self.assertEqual(counts["pending"], (1 << 20) // BLOCK)
        self.assertEqual(counts["lost"]["memory"], 3000 - (1 << 20) // BLOCK)

    def test_stops_with_statistics_on_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            line = self.line("--seed", 12)
            found = line.stop(number)
            self.assertEqual((found["seed"], found["flows"]), (12, 0))

    def test_tells_what_is_wrong_and_with_which_status(self):
        ends = ["--listen", "192.0.2.9:7000", "--to", "198.51.100.2:7001"]
        taken = self.socket(self.r, bind=("192.0.2.9", 7000))
        for argv, status, text in (
                (ends[:2], 2, "impair: --to is missing\n"),
                (ends + ["--loss", "5"], 2,
                 "impair: --loss: '5' is not a share from 0% to 100%, as in 2.5%\n"),
                (ends, 1, "impair: --listen: Address already in use\n"),
                (["--listen", "192.0.2.77:7000"] + ends[2:], 1,
                 "impair: --listen: Cannot assign requested address\n")):
            done = self.r.sh(binary(), *argv, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (status, "", text))
        taken.close()
        done = self.r.sh(binary(), "--help")
        self.assertIn("usage: impair", done.stdout)

    def test_a_flood_of_both_directions_is_carried_within_the_granted_memory(self):
        line = self.line("--delay", "10ms", "--memory", "64MiB")
        a, b = self.ends()
        a.send(b"hello")
        b.connect(b.recvfrom(100)[1])
        payload, total = bytes(1400), 1

        def through():
            s = line.statistics()
            came = sum(s[way]["in"] + s[way]["missed"] for way in ("up", "down"))
            return came == total and s["up"]["pending"] + s["down"]["pending"] == 0
        for _ in range(3):
            for s in itertools.islice(itertools.cycle((a, b)), 20000):
                s.send(payload)
            total += 20000
            wait_for(through, "%d datagrams" % total, 30)
            kib = self.resident(line)
            print("    %d KiB resident" % kib)
            if not sanitizer():
                self.assertLess(kib, (64 + 16) << 10)

    @staticmethod
    def resident(line):
        with open("/proc/%d/status" % line.process.pid, encoding="ascii") as status:
            (kib,) = [int(text.split()[1]) for text in status if text.startswith("VmRSS:")]
        return kib


if __name__ == "__main__":
    main()
