# SPDX-License-Identifier: BSD-2-Clause
"""measures: what is measured, in scenes. A scene has its contenders all running, and each of its rounds takes
one measure of all of them by turns, then the next.
"""
import json
import re
import statistics
import subprocess
import sys

from contenders import PORT, outer, some_keys
from netns import sh
import program
from program import wait_for

WINDOW = 64  # initiations under way: below the 128 from which responders are "under load"


class Measure:
    """One column. work(contender, seconds) returns the figure."""

    def __init__(self, title, unit, work, more_is_better=True):
        self.title, self.unit, self.work, self.more_is_better = title, unit, work, more_is_better


def iperf(contender, *args):
    server = contender.b.spawn("iperf3", "-s", "-1", "-B", contender.target,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: ":5201" in contender.b.sh("ss", "-Hltn").stdout, "the iperf3 server")
        done = sh(*contender.a.command("iperf3", "-c", contender.target, "-J", *args), timeout=120)
        server.wait(20)
    finally:
        server.kill()
        server.wait()
    return json.loads(done.stdout)["end"]


def tcp(contender, seconds):
    return iperf(contender, "-t", seconds)["sum_received"]["bits_per_second"] / 1e9


def udp(contender, seconds):
    got = iperf(contender, "-t", seconds, "-u", "-b", "0", "-l", "1300")["streams"][0]["udp"]
    return (got["packets"] - got["lost_packets"]) / got["seconds"] / 1e3


def pings(contender, count):
    """Round trips in microseconds."""
    done = contender.a.sh("ping", "-n", "-i", "0.01", "-c", count, contender.target, check=False)
    return [float(t) * 1000 for t in re.findall(r"time=([\d.]+) ms", done.stdout)]


def ping(contender, seconds):
    return statistics.median(pings(contender, max(10, int(seconds * 60))))


def memory(kind):
    def work(contender, seconds):
        """When one session is there and nothing has gone through it but a ping."""
        del seconds
        wait_for(lambda: pings(contender, 1), "an answer through " + contender.name, 60)
        return contender.memory(kind)
    return work


def bench_handshakes():
    return program.BUILD / "bin" / "bench_handshakes"


def handshakes(contender, seconds):
    done = contender.a.sh(bench_handshakes(), "flood", len(contender.more), WINDOW, seconds, outer(2),
                          PORT, contender.keys[2].public, timeout=120)
    found = json.loads(done.stdout)
    if found["accepted"] == 0:
        raise RuntimeError("%s accepted no handshake: %s" % (contender.name, done.stdout))
    if found["cookies"] or found["lost"] or found["wrong"]:
        print("%s: %s" % (contender.name, done.stdout.strip()), file=sys.stderr)
    return found["accepted_per_second"]


class Scene:
    """`secure_only`: for those that speak WireGuard. `fresh`: contenders are started again for each
    round. more(options) gives the public keys of further peers of b."""

    def __init__(self, measures, *, more=None, secure_only=True, fresh=False, cable=False):
        self.measures, self.more = measures, more or (lambda options: ())
        self.secure_only, self.fresh, self.cable = secure_only, fresh, cable

    def takes(self, contender):
        if contender.name == "veth":
            return self.cable
        return contender.secure or not self.secure_only


def initiators(options):
    done = sh(bench_handshakes(), "keys", options.initiators)
    return done.stdout.split()


def crowd(options):
    return some_keys(options.crowd)


SCENES = {
    "idle": Scene({
        "rss": Measure("memory, idle, one peer", "MiB", memory("VmRSS"), False),
        "anon": Measure("of that not of files", "MiB", memory("RssAnon"), False),
    }, secure_only=False, fresh=True),
    "pair": Scene({
        "tcp": Measure("TCP, one stream", "Gb/s", tcp),
        "udp": Measure("UDP 1300 delivered", "kpps", udp),
        "ping": Measure("ping, idle", "us", ping, False),
    }, secure_only=False, cable=True),
    "handshakes": Scene({
        "handshakes": Measure("handshakes accepted", "1/s", handshakes),
    }, more=initiators),
    "idle-crowd": Scene({
        "rss-crowd": Measure("memory, many peers", "MiB", memory("VmRSS"), False),
    }, more=crowd, fresh=True),
    "crowd": Scene({
        "tcp-crowd": Measure("TCP, many peers", "Gb/s", tcp),
        "ping-crowd": Measure("ping, many peers", "us", ping, False),
    }, more=crowd),
}
MEASURES = {name: m for scene in SCENES.values() for name, m in scene.measures.items()}
