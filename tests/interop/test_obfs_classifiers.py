# SPDX-License-Identifier: BSD-2-Clause
"""What nDPI's ndpiReader and Wireshark's tshark take each mode for. Topology: obfs_wire.py.

A capture has a handshake, pings of many sizes, TCP both ways, a second handshake and keepalives. Plain
WireGuard has to be named by both, or nothing has been shown.

Random data have names by chance. nDPI 4.2 takes a flow for RTP by little more than one of its first
bytes: in one session of three that may happen. tshark looks at a flow with the heuristics that are on
by itself, and with all that it has for UDP at each datagram as if it were a flow of its own, since one
heuristic that is wrong once takes the rest of its flow; what it says of random datagrams of the same
sizes is chance, and the measure.
"""
import collections
import functools
import math
import os
import random
import re
import struct
import subprocess

from harness import INNER4, INNER6, main, sh, traffic, wait_for
from obfs_wire import CLAIMS, PLAIN, UDP, WAYS, Capture, Datagram, ObfsTest, write_pcap

PINGS = (0, 1, 56, 200, 511, 1000, 1200)
TCP_BYTES = 1 << 20
KEEPALIVES = 2
OUTER_PROTOCOLS = {"eth", "ethertype", "ip", "ipv6", "udp", "data"}
FAMILIES = (4, 6)
WARNING = 0x600000  # epan/proto.h: PI_WARN; below are remarks on what is in order
CHANCE = 0.02             # how much oftener than in random data a name may be seen


def tshark(*argv):
    """What it prints, line by line. It repeats bytes of what it dissects, which may be no text."""
    done = subprocess.run(["tshark", *map(str, argv)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError("tshark: exit %d\n%s" % (done.returncode, done.stderr.decode(errors="replace")))
    return done.stdout.decode("latin-1").rstrip("\n").split("\n")


@functools.lru_cache(maxsize=None)
def heuristics():
    """The options that turn on every heuristic for UDP. tshark 4.0 lists protocols, not the names of
    their heuristics: those are mostly alike, and it tells which it does not know."""
    lines = [line.split("\t") for line in tshark("-G", "heuristic-decodes")]
    names = [fields[1] + "_udp" for fields in lines if fields[0] == "udp"]
    told = sh("tshark", *enable(names), "-r", os.devnull, check=False).stderr
    known = set(names) - set(re.findall(r"No such protocol (\S+),", told))
    if not {"rtp_udp", "dtls_udp"} < known:
        raise AssertionError("tshark does not know the heuristics that matter:\n" + told)
    return enable(sorted(known))


def enable(names):
    return [word for name in names for word in ("--enable-heuristic", name)]


def ndpi(path):
    """What ndpiReader detects: {protocol: packets}."""
    # it sees the flows' ends in what it is given; -d: no guesses by port or address
    done = subprocess.run(["ndpiReader", "-d", "-i", str(path)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                          check=True, errors="replace")
    text = done.stdout.partition("Detected protocols:")[2].partition("\n\n")[0]
    found = {m[1]: int(m[2]) for m in re.finditer(r"^\s+(\S+)\s+packets: (\d+)", text, re.MULTILINE)}
    if not found:
        raise AssertionError("ndpiReader detects nothing, not even what is unknown:\n" + done.stdout)
    return found


class Seen:
    """What tshark says of the datagrams of a capture."""

    def __init__(self, path, *options):
        lines = tshark("-n", "-r", path, *options, "-T", "fields", "-e", "frame.protocols", "-e",
                       "_ws.expert.severity", "-e", "_ws.expert.message")
        self.packets = 0
        self.protocols = collections.Counter()
        self.remarks = collections.Counter()
        for line in lines:
            protocols, severity, message = (line.split("\t") + ["", ""])[:3]
            self.packets += 1
            self.protocols.update(set(protocols.split(":")) - OUTER_PROTOCOLS)
            # several to a datagram, with commas
            if severity and max(map(int, severity.split(","))) >= WARNING:
                self.remarks[message] += 1

    def share(self, protocol):
        return self.protocols[protocol] / self.packets


def spread(one, other, protocol):
    """Five standard deviations of the difference of two shares that are the same in truth."""
    packets = one.packets + other.packets
    share = (one.protocols[protocol] + other.protocols[protocol]) / packets
    return 5 * math.sqrt(share * (1 - share) * (1 / one.packets + 1 / other.packets))


class Classifiers(ObfsTest):
    def capture(self, way, family=4):
        """All that a session puts on the wire, from the first datagram on; written to a file."""
        with Capture(self.a) as capture:
            self.tunnel(way, family=family, keepalive=1)
            for size in PINGS:
                traffic.ping_once(self.a, INNER4[1], 5, size)
                traffic.ping_once(self.b, INNER6[0], 5, size)
            traffic.tcp(self.a, self.b, INNER4[1], TCP_BYTES)
            traffic.tcp(self.b, self.a, INNER6[0], TCP_BYTES)
            self.renew(family, keepalive=1)
            before = capture.sent
            wait_for(lambda: capture.sent >= before + KEEPALIVES, "keepalives", 30)
        self.datagrams = capture.datagrams()
        self.assertGreater(len(self.datagrams), 1000)
        path = self.directory / (way + ".pcap")
        write_pcap(path, self.datagrams)
        return path

    def scattered(self, name, payload_of):
        """A capture of what was captured last, each datagram from a port of its own."""
        path = self.directory / ("scattered-%s.pcap" % name)
        alone = []
        for i, d in enumerate(self.datagrams):
            at = len(d.frame) - len(d.payload) - UDP
            frame = d.frame[:at] + struct.pack("!H", 1024 + i % 60000) + d.frame[at + 2:at + UDP]
            alone.append(Datagram(d.time, d.outgoing, frame + payload_of(d), None, None, None))
        write_pcap(path, alone)
        return path

    def test_plain_wireguard_is_named_by_both(self):
        path = self.capture(PLAIN)
        self.assertEqual(set(ndpi(path)), {"WireGuard"})
        self.assertGreater(Seen(path).share("wg"), 0.9)
        self.assertGreater(Seen(path, *heuristics()).share("wg"), 0.9)

    def check_nameless(self, way, family):
        path = self.capture(way, family)
        self.check_flow(path)
        fair = random.Random(7)
        seen = Seen(self.scattered(way, lambda d: d.payload), *heuristics())
        chance = Seen(self.scattered("chance", lambda d: fair.randbytes(len(d.payload))),
                      *heuristics())
        print("    %s: %s; random data: %s" % (way, seen.protocols.most_common(4),
                                               chance.protocols.most_common(4)))
        for name in seen.protocols:
            self.assertLess(seen.share(name), chance.share(name) + CHANCE + spread(seen, chance, name),
                            name)
        if set(ndpi(path)) != {"Unknown"}:
            print("    %s: by nDPI: %s; twice more" % (way, ndpi(path)))
            for _ in range(2):
                self.close_tunnel()
                self.assertEqual(set(ndpi(self.capture(way, family))), {"Unknown"})

    def check_flow(self, path):
        seen = Seen(path)
        for name in seen.protocols:
            self.assertLess(seen.share(name), CHANCE, name)

    def check_not_wireguard(self, way, family):
        path = self.capture(way, family)
        self.assertNotIn("WireGuard", ndpi(path))
        self.assertLess(Seen(path).share("wg"), CHANCE)
        self.assertLess(Seen(self.scattered(way, lambda d: d.payload), *heuristics()).share("wg"),
                        CHANCE)

    def check_claim(self, way, family):
        _, ndpi_name, name, options = CLAIMS[way]
        path = self.capture(way, family)
        self.assertEqual(set(ndpi(path)), {ndpi_name})
        seen = Seen(path, *options)
        print("    %s: %s" % (way, seen.protocols.most_common(4)))
        self.assertEqual(seen.protocols[name], seen.packets)
        self.assertEqual(seen.remarks, {})


def add_tests():
    checks = {"awg": Classifiers.check_not_wireguard}
    for way in WAYS:
        if way == PLAIN:
            continue
        check = checks.get(way, Classifiers.check_claim if way in CLAIMS else
                           Classifiers.check_nameless)
        for family in FAMILIES:
            name = "test_%s_over_ipv%d" % (way.replace("-", "_"), family)
            setattr(Classifiers, name, lambda self, c=check, w=way, f=family: c(self, w, f))


add_tests()

if __name__ == "__main__":
    main()
