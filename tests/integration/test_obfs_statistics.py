# SPDX-License-Identifier: BSD-2-Clause
"""What 10,000 datagrams of each mode look like to somebody who only counts. Topology: obfs_wire.py.

Every bound is such that a fair source stays within it practically always, and plain WireGuard has to
be outside: a test that it passes shows nothing. Bulk traffic (TCP) has its full packets of one length
in every mode that adds nothing to them, so lengths are looked at in small packets and handshakes.
"""
import collections
import struct

from harness import INNER4, main, traffic, wait_for
from obfs_wire import CLAIMS, LENGTHS_HIDDEN, PLAIN, WAYS, Capture, ObfsTest, header_bytes

PACKETS = 10000
POSITIONS = 64
BULK_BYTES = 18 << 20
DEGREES = 255
# One in 10^10 fair sources has a position above this: Wilson and Hilferty's approximation of the
# chi-square distribution's quantile, at 6.4 standard deviations.
BIASED = DEGREES * (1 - 2 / (9 * DEGREES) + 6.4 * (2 / (9 * DEGREES)) ** 0.5) ** 3
# of the mean over 640,000 bytes; its standard deviation is 0.0018 bits
POPCOUNT_ERROR = 0.02
SMALL_BYTES = 100        # inside the tunnel, all of one length
LARGEST_SHARE = 0.10
RENEWALS = 8
WIREGUARD_LENGTHS = {148: "an initiation", 92: "a response", 64: "a cookie"}
ONES = bytes(bin(i).count("1") for i in range(256))


def chi_squares(payloads, skip):
    """Of the bytes at each position behind the first `skip`: the statistic against a fair source."""
    whole = [p[skip:skip + POSITIONS] for p in payloads if len(p) >= skip + POSITIONS]
    expected = len(whole) / 256
    found = []
    for column in zip(*whole):
        counts = collections.Counter(column)
        found.append(sum((counts[b] - expected) ** 2 for b in range(256)) / expected)
    return len(whole), found


def popcount(payloads, skip):
    """Mean number of ones in a byte of the first positions."""
    text = b"".join(p[skip:skip + POSITIONS] for p in payloads)
    return sum(text.translate(ONES)) / len(text)


def commonest(lengths):
    """(length, share) of the one that is seen most."""
    length, count = collections.Counter(lengths).most_common(1)[0]
    return length, count / len(lengths)


class Counted(ObfsTest):
    def one_way(self, capture, work, least):
        """The payloads that a sends while work() runs."""
        with capture:
            work()
        found = [d.payload for d in capture.datagrams() if d.outgoing]
        self.assertGreaterEqual(len(found), least)
        return found

    def bulk(self, way):
        self.tunnel(way)
        return self.one_way(Capture(self.a),
                            lambda: traffic.tcp(self.a, self.b, INNER4[1], BULK_BYTES), PACKETS)

    def bytes_of(self, way):
        """(the largest statistic and its position, mean of ones)"""
        payloads = self.bulk(way)
        if way in CLAIMS:  # the headers of the claimed protocol are what they have to be
            payloads = [p for p in payloads if header_bytes(way, p) is not None]
        skip = CLAIMS.get(way, (0,))[0]
        n, statistics = chi_squares(payloads, skip)
        self.assertGreaterEqual(n, PACKETS * 9 // 10)
        worst = max(range(POSITIONS), key=statistics.__getitem__)
        ones = popcount(payloads, skip)
        print("    %s: %d packets, largest chi-square %.0f of at most %.0f at byte %d, "
              "%.4f ones in a byte" % (way, n, statistics[worst], BIASED, worst, ones))
        return statistics[worst], ones

    def small(self, way):
        """Lengths of packets that are all of one length in the tunnel, each sent on its own."""
        self.tunnel(way)
        with self.a.socket() as s, self.b.socket() as sink:
            sink.bind((INNER4[1], 0))
            s.connect(sink.getsockname())
            capture = Capture(self.a)

            def work():
                for i in range(PACKETS):
                    s.send(struct.pack("!I", i) + bytes(SMALL_BYTES - 4))
                    if i % 32 == 31:  # what is sent is as much as what arrives
                        wait_for(lambda n=i: capture.sent > n,
                                 "datagram %d on the wire" % i)
            found = self.one_way(capture, work, PACKETS)
        return [len(p) for p in found]

    def handshakes(self, way):
        """Lengths of all that passes, both ways, for some new sessions."""
        self.tunnel(way)
        lengths = []
        for _ in range(RENEWALS):
            with Capture(self.a) as capture:
                self.renew()
                wait_for(lambda: len(capture.datagrams()) >= 4, "a handshake and a ping on the wire")
            lengths += [len(d.payload) for d in capture.datagrams()]
        return lengths

    def check_bytes(self, way):
        statistic, ones = self.bytes_of(way)
        self.assertLess(statistic, BIASED)
        self.assertLess(abs(ones - 4), POPCOUNT_ERROR)

    def check_lengths(self, way):
        length, share = commonest(self.small(way))
        print("    %s: %.1f %% of small packets have %d bytes" % (way, 100 * share, length))
        self.assertLess(share, LARGEST_SHARE)

    def check_handshakes(self, way):
        """Nothing is of one length in every handshake, nor of WireGuard's."""
        found = collections.Counter(self.handshakes(way))
        print("    %s: %d lengths in %d packets" % (way, len(found), sum(found.values())))
        for length, what in WIREGUARD_LENGTHS.items():
            self.assertLess(found[length], RENEWALS // 2, what)
        self.assertLess(max(found.values()), RENEWALS)


class Bytes(Counted):
    def test_plain_wireguard_is_found_out(self):
        statistic, ones = self.bytes_of(PLAIN)
        self.assertGreater(statistic, BIASED)
        self.assertGreater(abs(ones - 4), POPCOUNT_ERROR)


class Lengths(Counted):
    def test_plain_wireguard_is_found_out(self):
        _, share = commonest(self.small(PLAIN))
        self.assertGreater(share, LARGEST_SHARE)

    def test_plain_wireguard_is_found_out_by_its_handshakes(self):
        found = collections.Counter(self.handshakes(PLAIN))
        for length in (148, 92):
            self.assertGreaterEqual(found[length], RENEWALS)


def add_tests():
    """One test for every way and what it promises."""
    for way in WAYS:
        if way == PLAIN:
            continue
        name = way.replace("-", "_")
        setattr(Bytes, "test_bytes_of_" + name, lambda self, w=way: self.check_bytes(w))
        if way in LENGTHS_HIDDEN:
            setattr(Lengths, "test_small_packets_of_" + name,
                    lambda self, w=way: self.check_lengths(w))
            setattr(Lengths, "test_handshakes_of_" + name,
                    lambda self, w=way: self.check_handshakes(w))


add_tests()

if __name__ == "__main__":
    main()
