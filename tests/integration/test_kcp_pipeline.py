# SPDX-License-Identifier: BSD-2-Clause
"""What goes through a kcp stage over a line that loses 0, 1, 5 and 10 %: pings, TCP, UDP, in the three
reliabilities, alone and below wireguard. Topology: kcp.py.

`reliable` delivers everything, in order; the other two deliver nothing twice, and less than the line has lost
is missing from what they deliver.
"""
from harness import INNER4, INNER6, main, total, traffic
from kcp import DATAGRAM, DEADLINE, MTU, PIPELINES, RELIABILITIES, RELIABLE, KcpTest, Numbered, each

LOSSES = (0, 1, 5, 10)
DELAY = ("--delay", "10ms")
DATAGRAMS = 600
TCP_BYTES = 1 << 20


class Pipeline(KcpTest):
    @each(PIPELINES, RELIABILITIES)
    def test_carries_over_lossy_lines(self, pipeline, reliability):
        for loss in LOSSES:
            with self.subTest(loss=loss):
                line = self.line("--seed", 40 + loss, "--loss", "%d%%" % loss, *DELAY)
                pair = self.tunnel(pipeline, reliability)
                try:
                    self.check_pings(reliability)
                    self.check_flows(reliability, loss)
                    self.check_tcp()
                    self.check_counters(pair, reliability, loss)
                finally:
                    for program in pair:
                        program.stop()
                    line.stop()

    def check_pings(self, reliability):
        for ns, address in ((self.a, INNER4[1]), (self.b, INNER4[0]), (self.a, INNER6[1])):
            answered = traffic.ping(ns, address, 20, 200)
            self.assertGreaterEqual(answered, 20 if reliability == RELIABLE else 15)
        self.assertGreater(traffic.ping(self.a, INNER4[1], 10, MTU - 28, "-M", "do"), 5)

    def check_flows(self, reliability, loss):
        """Both ways at once."""
        flows = [Numbered(self.a, self.b, INNER4[1], DATAGRAMS),
                 Numbered(self.b, self.a, INNER6[0], DATAGRAMS)]
        for flow in flows:
            came = flow.result()
            missing = DATAGRAMS - len(set(came))
            print("    loss %d %%: %d of %d missing" % (loss, missing, DATAGRAMS))
            self.assertEqual(len(came), len(set(came)), "something came twice")
            if reliability == RELIABLE or loss == 0:
                self.assertEqual(missing, 0)
            if reliability == RELIABLE:
                self.assertEqual(came, list(range(DATAGRAMS)))
            self.assertLessEqual(missing, DATAGRAMS * loss / 100 / 2)

    def check_tcp(self):
        traffic.tcp(self.a, self.b, INNER4[1], TCP_BYTES)
        traffic.tcp(self.b, self.a, INNER6[0], TCP_BYTES)

    def check_counters(self, pair, reliability, loss):
        """What each reliability has against loss has been at work, and no other."""
        counts = [p.counters() for p in pair]

        def both(name):
            return sum(total(c, "kcp", name) for c in counts)
        resent = "segments_resent" if reliability == RELIABLE else "data_resent"
        if loss >= 5:
            if reliability != DATAGRAM:
                self.assertGreater(both(resent), 0)
            if reliability != RELIABLE:
                self.assertGreater(both("parity_used"), 0)
        if reliability == DATAGRAM:
            self.assertEqual(both("data_resent"), 0)
        for name in ("drop_length", "drop_command", "drop_short", "drop_frame", "acks_forged"):
            self.assertEqual(both(name), 0, name)


class BadLines(KcpTest):
    """Worse than loss. Where bits are wrong, crypt \"none\" has a checksum."""

    WORST = ("--seed", 3, "--delay", "5ms", "--jitter", "3ms,free", "--burst", "p=1%,r=30%",
             "--duplicate", "3%", "--reorder", "3%,by=8ms", "--corrupt", "1%,bits=3")

    def check(self, reliability, *options):
        line = self.line(*options)
        a, b = self.tunnel(reliability=reliability, kcp={"crypt": "none"})
        traffic.tcp(self.a, self.b, INNER4[1], TCP_BYTES)
        traffic.tcp(self.b, self.a, INNER6[0], TCP_BYTES)
        came = Numbered(self.a, self.b, INNER4[1], DATAGRAMS).result()
        self.assertEqual(len(came), len(set(came)), "something came twice")
        if reliability == RELIABLE:
            self.assertEqual(came, list(range(DATAGRAMS)))
        else:
            self.assertGreater(len(came), DATAGRAMS * 0.9)
        found = line.statistics()
        corrupted = found["up"]["corrupted"] + found["down"]["corrupted"]
        refused = self.count(a, "drop_crypt") + self.count(b, "drop_crypt")
        if corrupted:
            self.assertGreater(refused, corrupted // 2)
        return found

    @each(RELIABILITIES)
    def test_everything_at_once(self, reliability):
        found = self.check(reliability, *self.WORST)
        for what in ("corrupted", "duplicated", "reordered"):
            self.assertGreater(found["up"][what], 0)

    @each((RELIABLE, DEADLINE))
    def test_a_slow_link_with_a_short_queue(self, reliability):
        found = self.check(reliability, "--rate", "10mbit", "--queue", "40ms", *DELAY)
        self.assertGreater(found["up"]["delivered"], TCP_BYTES // 1400)


if __name__ == "__main__":
    main()
