# SPDX-License-Identifier: BSD-2-Clause
"""kcp_measures: what gets through a line that loses, how late, and at what price: scenes "clean" and "line-N".

A line has a round trip of 60 ms and loses N % of the datagrams of each direction at random, the same ones for
everybody who sends the same number: impair's seed decides. Its rate is that of the machine.
"""
import contextlib
import math
import socket
import struct
import threading
import time

import loads
import process
from cable import Failure
from scenes import Measure, Probe, Standing

GIGA, MEGA = 1e9, 1e6
HEADERS = 28          # of IPv4 and UDP, on the wire around each datagram
LOSSES = (0, 1, 5, 10)
ONE_WAY = "30ms"
SEED = 5
ROUNDS = 3            # at most: each takes its time
STREAM_SECONDS = 10   # the beginning is part of it: windows have to open
FLOW_SECONDS = 20
PER_SECOND, SIZE = 100, 200  # of the flow
PATIENCE_SECONDS = 2  # for what has not come when the last was sent


def congestion_control():
    """TCP's, which decides much on lines that lose."""
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as f:
        return f.read().strip()


def less(title, unit):
    return Measure(title, unit, more_is_better=False)


def cpu_seconds(contender):
    return sum(process.cpu_seconds(p.pid) for p in contender.processes.values())


def wire_bytes(contender):
    """What both sides have given to the line so far, lost or not."""
    if contender.impair is None:
        return 0
    found = contender.impair.statistics()
    return sum(found[way]["in_bytes"] + HEADERS * found[way]["in"] for way in ("up", "down"))


def stream(suffix):
    """One TCP stream a to b: what arrived a second, what that cost on the wire and in time."""
    def work(contender, seconds):
        cpu, wire = cpu_seconds(contender), wire_bytes(contender)
        rate, carried = loads.tcp(contender, max(seconds, STREAM_SECONDS) if seconds else 0, 1, "down")
        found = {"goodput" + suffix: rate / MEGA,
                 "price" + suffix: (cpu_seconds(contender) - cpu) / (carried / GIGA)}
        if contender.impair:
            found["wire" + suffix] = (wire_bytes(contender) - wire) / carried
        return found
    return work


class Flow:
    """PER_SECOND messages of SIZE bytes from a to b: as datagrams, or, where TCP alone is carried, on a
    connection. `delays` are seconds from before the sending to the arrival, of those that came."""

    HEAD = struct.Struct("!Id")

    def __init__(self, contender, seconds):
        self.count = max(10, round(seconds * PER_SECOND))
        self.delays = {}
        self.over = None  # when the last was sent
        kind = socket.SOCK_DGRAM if contender.datagrams else socket.SOCK_STREAM
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(contender.b.socket(kind=kind))
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((contender.listen or contender.target, loads.IPERF_PORT))
            if not contender.datagrams:
                server.listen()
                server.settimeout(loads.GRACE_SECONDS)
            client = stack.enter_context(contender.a.socket(kind=kind))
            client.connect((contender.target, loads.IPERF_PORT))
            if not contender.datagrams:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # a forwarder connects when it hears from its client, and some only then
                client.sendall(bytes(SIZE))
                server, _ = server.accept()
                stack.enter_context(server)
                self._exactly(server)
            receiver = threading.Thread(target=self._receive, args=(server, contender.datagrams))
            receiver.start()
            try:
                self._send(client)
            finally:
                self.over = time.monotonic()
                receiver.join()

    @staticmethod
    def _exactly(server):
        data = b""
        while len(data) < SIZE:
            piece = server.recv(SIZE - len(data))
            if not piece:
                raise Failure("the connection of the flow has ended")
            data += piece
        return data

    def _send(self, client):
        """By the clock."""
        begin = time.monotonic()
        for number in range(self.count):
            wait = begin + number / PER_SECOND - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            head = self.HEAD.pack(number, time.monotonic())
            client.sendall(head + bytes(SIZE - len(head)))

    def _receive(self, server, datagrams):
        server.settimeout(0.1)
        data = b""
        while len(self.delays) < self.count:
            if self.over and time.monotonic() > self.over + PATIENCE_SECONDS:
                return
            try:
                data += server.recv(SIZE - len(data))
            except TimeoutError:
                continue
            except OSError:
                return  # what has not come is lost
            if len(data) == SIZE or datagrams:
                number, sent = self.HEAD.unpack_from(data)
                self.delays.setdefault(number, time.monotonic() - sent)
                data = b""

    def percentile(self, percent):
        """Milliseconds; the nearest rank of all that were sent. When that many have not come, the
        longest that has, which is less than the truth: the loss is given beside it."""
        delays = sorted(self.delays.values())
        if not delays:
            raise Failure("nothing of the flow has come")
        return delays[min(math.ceil(self.count * percent / 100), len(delays)) - 1] * 1e3

    def lost(self):
        """Per cent."""
        return 100 * (self.count - len(self.delays)) / self.count


def flow(suffix):
    def work(contender, seconds):
        found = Flow(contender, max(seconds, FLOW_SECONDS) if seconds else 1)
        return {"flow" + suffix: found.percentile(50), "flow-p99" + suffix: found.percentile(99),
                "flow-lost" + suffix: found.lost()}
    return work


def probes(suffix, title, quick):
    """What is measured on a line; `title` says which."""
    measures = {
        "goodput" + suffix: Measure("TCP (%s), 1 stream, %s" % (congestion_control(), title), "Mb/s"),
        "price" + suffix: less("processor time, both ends, " + title, "s/GB")}
    if suffix != "-clean":
        measures["wire" + suffix] = less("bytes on the wire for each that came, " + title, "")
    found = [Probe("stream" + suffix, "line", stream(suffix), measures, quick)]
    if suffix != "-clean":
        found.append(Probe("flow" + suffix, "line", flow(suffix), {
            "flow" + suffix: less("100 messages a second, median, " + title, "ms"),
            "flow-p99" + suffix: less("100 messages a second, p99, " + title, "ms"),
            "flow-lost" + suffix: less("100 messages a second, lost, " + title, "%")}, quick))
    return found


class OnLine(Standing):
    """All stand on lines of one kind; line None: on the bare cable."""

    def __init__(self, name, line, title, quick=False):
        super().__init__(name, probes("-" + name.removeprefix("line-"), title, quick))
        self.line = line

    def seconds(self, kinds, options):
        if options.seconds == 0:
            return len(kinds) * len(self.chosen(options))
        each = sum(max(options.seconds, FLOW_SECONDS if p.name.startswith("flow") else STREAM_SECONDS)
                   for p in self.chosen(options))
        return min(options.rounds, ROUNDS) * len(kinds) * each

    def begin(self, run, kind):
        return super().begin(run, type(kind.__name__, (kind,), {"line": self.line}))

    def rounds(self, run, contenders):
        all_rounds = run.options.rounds
        run.options.rounds = min(all_rounds, ROUNDS)
        try:
            super().rounds(run, contenders)
        finally:
            run.options.rounds = all_rounds


def line(loss):
    return ("--seed", SEED, "--delay", ONE_WAY, "--loss", "%d%%" % loss, "--realtime")


SCENES = (OnLine("clean", None, "clean"),) + tuple(
    OnLine("line-%d" % loss, line(loss), "60 ms, %d %% lost" % loss) for loss in LOSSES)
