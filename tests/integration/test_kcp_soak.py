# SPDX-License-Identifier: BSD-2-Clause
"""TCP and UDP in both directions through every kind of pipeline with kcp, over a line that loses, all the
time: it goes on, and memory stays flat. Topology: kcp.py, once for each tunnel; all run at the same time.

VPNCORE_SOAK_SECONDS says how long; 600 is what the project promises, the default is for every day.
"""
import os
import time

from harness import INNER4, INNER6, main, sanitizer, traffic
from kcp import PIPELINES, RELIABILITIES, RELIABLE, KcpTest, Numbered

SECONDS = int(os.environ.get("VPNCORE_SOAK_SECONDS", "20"))
LINE = ("--seed", 9, "--delay", "20ms", "--jitter", "1ms", "--loss", "3%", "--burst", "p=0.3%,r=30%",
        "--reorder", "0.5%", "--duplicate", "0.2%", "--rate", "12mbit", "--queue", "60ms")
PER_SECOND = 100
WARM_SHARE = 0.25  # of the time: windows, pools and the allocator have their size then
GROWTH_BYTES = 3 << 20
LEAST_BYTES_PER_SECOND = 10000  # of TCP, in each direction: far below what the line carries


class Soaked(KcpTest):
    """One tunnel. The test below has many of them."""

    def runTest(self):
        raise NotImplementedError

    def begin(self, pipeline, reliability):
        self.setUp()
        self.name = "%s, %s" % (pipeline, reliability)
        self.reliability = reliability
        self.impair = self.line(*LINE)
        self.pair = self.tunnel(pipeline, reliability)
        self.streams = [traffic.TcpStream(self.a, self.b, INNER4[1]),
                        traffic.TcpStream(self.b, self.a, INNER6[0])]
        self.flows = [Numbered(self.a, self.b, INNER4[1], SECONDS * PER_SECOND, 200, PER_SECOND, 3),
                      Numbered(self.b, self.a, INNER4[0], SECONDS * PER_SECOND, 1000, PER_SECOND, 3)]
        self.resident = []
        return self

    def sample(self):
        self.resident.append([p.resident_bytes() for p in self.pair])

    def end(self):
        for stream in self.streams:
            stream.stop()
        came = [flow.result() for flow in self.flows]
        found = self.impair.statistics()
        missing = [SECONDS * PER_SECOND - len(set(numbers)) for numbers in came]
        print("    %s: %d and %d MiB of TCP, %s of %d datagrams missing, line lost %.1f %%" % (
            self.name, self.streams[0].moved >> 20, self.streams[1].moved >> 20, missing,
            SECONDS * PER_SECOND, 100 * sum(found["up"]["lost"].values()) / found["up"]["in"]))
        for stream in self.streams:
            self.assertGreater(stream.moved, SECONDS * LEAST_BYTES_PER_SECOND)
        for numbers in came:
            self.assertEqual(len(numbers), len(set(numbers)), "something came twice")
        if self.reliability == RELIABLE:
            # of what it has taken it loses nothing; what waited too long it has not taken
            for program, n in zip(self.pair, missing):
                self.assertLessEqual(n, self.count(program, "drop_queue_old", "drop_queue_full"))
        for n in missing:
            self.assertLess(n, SECONDS * PER_SECOND // 5)
        self.check_memory()

    def check_memory(self):
        warm = int(len(self.resident) * WARM_SHARE)
        for side in (0, 1):
            sizes = [r[side] for r in self.resident]
            print("    %s: side %s resident %d KiB when warm, %d at most after, %d at the end" % (
                self.name, "ab"[side], sizes[warm] >> 10, max(sizes[warm:]) >> 10, sizes[-1] >> 10))
            if not sanitizer():  # which keeps what is freed for a while
                self.assertLess(sizes[-1] - sizes[warm], GROWTH_BYTES)


class Soak(KcpTest):
    def test_every_pipeline_carries_on_and_keeps_its_size(self):
        tunnels = []
        for pipeline in PIPELINES:
            for reliability in RELIABILITIES:
                tunnel = Soaked()
                self.addCleanup(tunnel.doCleanups)
                tunnels.append(tunnel.begin(pipeline, reliability))
                self.programs += tunnel.programs
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for tunnel in tunnels:
                tunnel.sample()
            time.sleep(min(1.0, SECONDS / 20))
        for tunnel in tunnels:
            with self.subTest(tunnel.name):
                tunnel.end()


def load_tests(loader, tests, pattern):
    """Not Soaked, which is a part of the test."""
    del tests, pattern
    return loader.loadTestsFromTestCase(Soak)


if __name__ == "__main__":
    main()
