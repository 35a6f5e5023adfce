# SPDX-License-Identifier: BSD-2-Clause
"""kcp: tunnels with a kcp stage over a line that impair makes bad.

    namespace a (client)             namespace r                     namespace b (server)
    vpn0 10.78.0.1/24   . . . . . . . . tunnel . . . . . . . . . .   vpn0 10.78.0.2/24
         fd78::1/64                                                       fd78::2/64
    eth0 192.0.2.1/24 --- 192.0.2.9 eth0  impair  eth1 198.51.100.9 --- eth0 198.51.100.2/24

a sends to impair's port 7000 at 192.0.2.9; impair sends from 198.51.100.9 port 6000 (or, where a may
move, from a port for each of a's addresses) to b's port 51820. b knows nobody beforehand.
"""
import random
import re
import socket
import struct
import time

import netns
import wireguard
from harness import (INNER4, INNER6, PORT, SLOWNESS, Test, each, hostport, total, traffic,
                     veth)
from impair import Impair

RELIABLE, DATAGRAM, DEADLINE = RELIABILITIES = ("reliable", "datagram", "deadline")
PLAIN, SECURE = PIPELINES = ("tuntap-kcp-udp", "tuntap-wireguard-kcp-udp")
MTU = 1340  # fits with the headers of all stages into 1500

CLIENT, SERVER = "192.0.2.1", "198.51.100.2"
ENTRY, EXIT = ("192.0.2.9", 7000), ("198.51.100.9", 6000)
ACCEPT = 4  # sessions at b


def kcp_stage(side, reliability, changes=None):
    stage = {"transport": "kcp", "reliability": reliability}
    if side == 1:
        stage["accept"] = ACCEPT
    stage.update(changes or {})
    return stage


def plain(side, reliability, kcp=None):
    """The manifest of a side of [tuntap, kcp, udp]; `kcp` adds to or replaces keys of its stage."""
    udp = {"transport": "udp"}
    if side == 0:
        udp["remote"] = hostport(*ENTRY)
    else:
        udp["listen"] = hostport(SERVER)
    return {"vpncore": 1, "name": "ab"[side], "allow_insecure": True, "pipeline": [
        {"device": "auto", "name": "vpn0", "mtu": MTU,
         "addresses": [INNER4[side] + "/24", INNER6[side] + "/64"]},
        kcp_stage(side, reliability, kcp), udp]}


def secure(side, reliability, directory, keys, kcp=None):
    """[tuntap, wireguard, kcp, udp]; keys: those of both sides."""
    peer = wireguard.Peer(keys[1 - side].public, [INNER4[1 - side] + "/32", INNER6[1 - side] + "/128"],
                          endpoint=hostport(*ENTRY) if side == 0 else None)
    spec = wireguard.manifest(directory, "ab"[side], keys[side], [peer],
                              [INNER4[side] + "/24", INNER6[side] + "/64"], ifname="vpn0", mtu=MTU,
                              listen=hostport(SERVER) if side == 1 else "*:0")
    spec["pipeline"].insert(2, kcp_stage(side, reliability, kcp))
    return spec


class Numbered:
    """A flow of numbered datagrams from one side to the other: `count` of `size` bytes, `per_second`.

    result() waits for its end and returns the numbers of those that came, in the order in which they
    came. What comes has to be what was sent."""

    HEAD = struct.Struct("!II")
    END = 0xffffffff

    def __init__(self, source, sink, address, count, size=200, per_second=500, patience=1.0):
        self.count, self.per_second, self.patience = count, per_second, patience
        self.noise = random.Random(count).randbytes(4096)
        self.size = size
        self.sink = sink.socket(traffic.family_of(address))
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sink.bind((address, 0))
        self.source = source.socket(traffic.family_of(address))
        self.source.connect(self.sink.getsockname()[:2])
        self.done = False
        self.threads = [traffic.Thread(self._receive), traffic.Thread(self._send)]

    def datagram(self, number):
        head = self.HEAD.pack(number, number * 2654435761 & 0xffffffff)
        return head + self.noise[number & 1023:][:self.size - self.HEAD.size]

    def _send(self):
        """By the clock, so that a pause is made up for."""
        begin = time.monotonic()
        for number in range(self.count):
            wait = begin + number / self.per_second - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.source.send(self.datagram(number))
        self.done = True

    def _receive(self):
        """Until all have come, or none for `patience` seconds after the last was sent."""
        numbers = []
        self.sink.settimeout(self.patience * SLOWNESS)
        while len(numbers) < self.count:
            try:
                got = self.sink.recv(65536)
            except TimeoutError:
                if self.done:
                    break
                continue
            number, _ = self.HEAD.unpack(got[:self.HEAD.size])
            if number >= self.count or got != self.datagram(number):
                raise AssertionError("a datagram of %d bytes came that was not sent" % len(got))
            numbers.append(number)
        return numbers

    def result(self):
        try:
            self.threads[1].result(30 + self.count / self.per_second)
            return self.threads[0].result(60)
        finally:
            self.sink.close()
            self.source.close()


class KcpTest(Test):
    """The topology above."""

    client_port = None  # of a's socket; None: any

    def setUp(self):
        super().setUp()
        self.a, self.r, self.b = (self.namespace(label) for label in "arb")
        veth(self.a, "eth0", self.r, "eth0")
        veth(self.b, "eth0", self.r, "eth1")
        netns.address(self.a, "eth0", CLIENT + "/24")
        netns.address(self.r, "eth0", ENTRY[0] + "/24")
        netns.address(self.r, "eth1", EXIT[0] + "/24")
        netns.address(self.b, "eth0", SERVER + "/24")
        self.keys = None

    def line(self, *options, source=EXIT):
        """A new line, with options of impair; source None: a port for each of a's addresses."""
        fixed = ["--source", hostport(*source)] if source else []
        line = Impair(self.r, hostport(*ENTRY), hostport(SERVER), self.directory, *fixed, *options)
        self.addCleanup(line.close)
        return line

    def spec(self, side, pipeline, reliability, kcp=None):
        if pipeline == PLAIN:
            spec = plain(side, reliability, kcp)
        else:
            self.keys = self.keys or [wireguard.Keys() for _ in range(2)]
            spec = secure(side, reliability, self.directory, self.keys, kcp)
        if side == 0 and self.client_port:
            spec["pipeline"][-1]["listen"] = hostport("0.0.0.0", self.client_port)
        return spec

    def start(self, side, pipeline, reliability, kcp=None):
        ns = (self.a, self.b)[side]
        before = wireguard.private_run(ns) if pipeline == SECURE else []
        return self.vpncore(ns, self.spec(side, pipeline, reliability, kcp), before=before).wait_up()

    def tunnel(self, pipeline=PLAIN, reliability=DEADLINE, kcp=None, server=None):
        """Starts b and a; returns when a ping has come through. `kcp` is for both sides, `server`
        for b alone."""
        b = self.start(1, pipeline, reliability, {**(kcp or {}), **(server or {})})
        a = self.start(0, pipeline, reliability, kcp)
        traffic.wait_ping(self.a, INNER4[1], 30)
        return a, b

    def count(self, program, *names):
        """Counters of a program's kcp stage, summed."""
        found = program.counters()
        return sum(total(found, "kcp", name) for name in names)

    def drops(self, program):
        """All that a program's kcp stage has dropped."""
        return sum(value for (_, stage), values in program.counters().items() if stage == "kcp"
                   for name, value in values.items() if name.startswith("drop_"))


def conversation(ns, device, source):
    """Of the next datagram that `source` (address, port) sends to b: its payload."""
    with traffic.FrameSocket(ns, device) as wire:
        while True:
            frame = wire.recv()
            if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
                continue
            if frame[26:30] == socket.inet_aton(source[0]) \
                    and struct.unpack("!H", frame[34:36])[0] == source[1]:
                length = struct.unpack("!H", frame[38:40])[0]
                return bytes(frame[42:34 + length])


def spoofed(payload, source, destination):
    """An IPv4 packet with a UDP datagram in the name of source; for a raw socket, which fills in the
    checksum of the header."""
    datagram = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(destination[0])) + datagram


def dead_said(program):
    """How often the log says that the peer does not answer."""
    return len(re.findall(r"kcp: peer does not answer", program.log()))


SERVER_AT = (SERVER, PORT)
