# SPDX-License-Identifier: BSD-2-Clause
"""loads: what goes through a contender while it is measured: iperf3, ping, handshakes."""
import contextlib
import json
import math
import re
import signal
import statistics
import subprocess

from cable import PORT, Failure, outer
from netns import sh
import program
from program import wait_for

IPERF_PORT = 5201
MOMENT = "4M"         # instead of seconds, when there are 0 of them
WINDOW = 64           # initiations under way: below the 128 from which responders are "under load"
PING_SECONDS = 0.005  # between two requests
GRACE_SECONDS = 30    # for a command to end after it should have


def amount(seconds):
    return ["-t", seconds] if seconds else ["-n", MOMENT]


@contextlib.contextmanager
def iperf_server(contender):
    """One that serves one client. It is killed if it is still there at the end."""
    where = contender.listen or contender.target
    server = contender.b.spawn("iperf3", "-s", "-1", "-B", where, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ":%d" % IPERF_PORT in contender.b.sh("ss", "-Hltn").stdout,
                 "the iperf3 server")
        yield server
    finally:
        server.kill()
        server.wait()


def iperf(contender, seconds, *args):
    """What iperf3's client says of a run in its "end"."""
    argv = ["iperf3", "-c", contender.target, "-J", *amount(seconds), *args]
    with iperf_server(contender) as server:
        try:
            done = sh(*contender.a.command(*argv), timeout=seconds + GRACE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Failure("iperf3 %s has not ended %d seconds after its time" % (
                " ".join(str(a) for a in args), GRACE_SECONDS)) from None
        found = json.loads(done.stdout or "{}")
        if done.returncode != 0 or "error" in found:
            raise Failure("iperf3: %s" % (found.get("error") or done.stderr.strip()))
        server.wait(GRACE_SECONDS)
    return found["end"]


def tcp(contender, seconds, streams, direction):
    """(bits per second, bytes), at the receivers. `direction`: "down" is a to b, "up" is b to a,
    "both" has as many streams in each, and their sum."""
    option = {"down": [], "up": ["-R"], "both": ["--bidir"]}[direction]
    end = iperf(contender, seconds, "-P", streams, *option)
    sums = [end["sum_received"]]
    if direction == "both":
        sums.append(end["sum_received_bidir_reverse"])
    return sum(s["bits_per_second"] for s in sums), sum(s["bytes"] for s in sums)


def udp(contender, seconds, size):
    """Datagrams a second that b got of what a sends as fast as it can."""
    got = iperf(contender, seconds, "-u", "-b", "0", "-l", size)["streams"][0]["udp"]
    return (got["packets"] - got["lost_packets"]) / got["seconds"]


class Pings:
    """Round trips in microseconds, of so many seconds; what got no answer within a second after
    the last request took for ever."""

    def __init__(self, contender, seconds):
        self.count = max(10, round(seconds / PING_SECONDS))
        done = contender.a.sh("ping", "-n", "-i", PING_SECONDS, "-W", 1, "-c", self.count,
                              contender.target, check=False,
                              timeout=2 * seconds + GRACE_SECONDS)
        self.times = sorted(float(t) * 1000 for t in re.findall(r"time=([\d.]+) ms", done.stdout))
        if not self.times:
            raise Failure("no ping was answered: %s" % (done.stderr or done.stdout).strip()[-200:])

    def median(self):
        return statistics.median(self.times)

    def lost(self):
        """Per cent."""
        return 100 * (self.count - len(self.times)) / self.count

    def percentile(self, percent):
        """The nearest rank of all that were sent. When that many were not answered, the longest
        that was, which is less than the truth: the loss is given beside it."""
        rank = math.ceil(self.count * percent / 100)
        return self.times[min(rank, len(self.times)) - 1]


@contextlib.contextmanager
def loaded(contender):
    """One TCP stream from a to b, under way."""
    argv = ["iperf3", "-c", contender.target, "-t", 3600]
    with iperf_server(contender):
        client = contender.a.spawn(*argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_for(lambda: client.poll() is not None or moving(contender), "a loaded tunnel")
            yield
            if client.poll() is not None:
                raise Failure("the load ended: %s" % client.stderr.read().decode().strip())
        finally:
            client.send_signal(signal.SIGKILL)
            client.wait()
            client.stderr.close()


def moving(contender):
    """Whether a megabyte has been acknowledged to one of a's connections to iperf3."""
    text = contender.a.sh("ss", "-Htin", "dport", "=", ":%d" % IPERF_PORT).stdout
    return any(int(n) > 1e6 for n in re.findall(r"bytes_acked:(\d+)", text))


def bench_handshakes():
    return program.BUILD / "bin" / "bench_handshakes"


def handshake_keys(count):
    return sh(bench_handshakes(), "keys", count).stdout.split()


def handshakes(contender, seconds):
    """What bench_handshakes says of a flood from all of b's other peers."""
    done = contender.a.sh(bench_handshakes(), "flood", len(contender.more), WINDOW,
                          max(1, seconds), outer(2), PORT, contender.keys[2].public, timeout=120)
    found = json.loads(done.stdout)
    if found["accepted"] == 0:
        raise Failure("no handshake was accepted: %s" % done.stdout)
    return found
