# SPDX-License-Identifier: BSD-2-Clause
"""kcp_go: tunnels between a vpncore with a kcp stage and tests/interop/kcp on somebody's kcp-go.

    namespace a                                   namespace b
    vpn0 10.78.0.1/24  . . . . tunnel . . . . .   vpn0 10.78.0.2/24
    eth0 192.0.2.1/24  ------- veth ----------    eth0 192.0.2.2/24
                                                  impair on 192.0.2.2:5000

The server listens on port 4000 of its namespace. The client talks to impair, which stands in front
of it and loses what it is told to.
"""
import dataclasses
import os
import pathlib
import random
import socket
import struct
import subprocess
import threading
import time

import netns
from harness import INNER4, OUTER4, hostport, traffic, wait_for
from program import SLOWNESS, Vpncore
from wireguard import secret_file

PEERS_DIR = pathlib.Path(os.environ.get("VPNCORE_PEERS_DIR", "/nonexistent"))
BUILD = pathlib.Path(os.environ.get("VPNCORE_BUILD_DIR", "/nonexistent"))
CURRENT = "current"
DEBIAN = "debian"
PASSWORD = "it's a secrect"
SERVER_PORT = 4000
IMPAIR_PORT = 5000
CLIENT_PORT = 6000
CABLE_MTU = 1500
DEVICE = "vpn0"


@dataclasses.dataclass(frozen=True)
class Case:
    """One tunnel. `go` is the kcp-go, `role` is ours; the rest is configured alike on both ends."""
    go: str
    role: str
    crypt: str = "null"
    fec: tuple = ()
    mode: str = "fast"
    stream: bool = False
    ack_no_delay: bool = False
    loss: float = 0.0
    conv: int = 0
    windows: int = 256
    datagram: int = 1350  # bytes
    mtu: int = 1280  # of the devices
    line: tuple = ()  # more options of impair
    ours: tuple = ()  # pairs of keys and values that our kcp stage has besides
    our_fec: tuple = None  # where ours differs

    def __str__(self):
        fec = "fec%d-%d" % self.fec if self.fec else "nofec"
        return "-".join((self.go, self.role, self.crypt, fec, self.mode,
                         "stream" if self.stream else "message",
                         "nodelay" if self.ack_no_delay else "delay", "%g" % (self.loss * 100)))


def our_manifest(case, name, side, secret):
    """`secret` is a file that holds the password."""
    kcp = {"transport": "kcp", "reliability": "reliable", "mode": case.mode, "crypt": case.crypt,
           "snd_wnd": case.windows, "rcv_wnd": case.windows, "stream": case.stream,
           "mtu": case.datagram, "ack_no_delay": case.ack_no_delay, "queue": "0s"}
    fec = case.fec if case.our_fec is None else case.our_fec
    if case.crypt not in ("null", "none"):
        kcp["password"] = {"file": secret}
    if fec:
        kcp["fec"] = {"data": fec[0], "parity": fec[1]}
    if case.conv:
        kcp["conv"] = case.conv
    udp = {"transport": "udp"}
    if case.role == "client":
        udp["remote"] = hostport(OUTER4[1], IMPAIR_PORT)
        udp["listen"] = hostport(OUTER4[side], CLIENT_PORT)
    else:
        udp["listen"] = hostport(OUTER4[side], SERVER_PORT)
        kcp["accept"] = 4
    kcp.update(case.ours)
    device = {"device": "auto", "name": DEVICE, "mtu": case.mtu,
              "addresses": [INNER4[side] + "/24"]}
    return {"vpncore": 1, "name": name, "allow_insecure": True, "pipeline": [device, kcp, udp]}


class Program:
    """A program in a namespace with its log in a file."""

    def __init__(self, ns, directory, name, argv):
        self.ns = ns
        self.log_file = directory / (name + ".log")
        with open(self.log_file, "wb") as log:
            self.process = ns.spawn(*argv, stdout=log, stderr=log)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def lines(self, word):
        """What follows `word` in the lines that begin with it."""
        return [line.split()[1:] for line in self.log().splitlines() if line.split()[:1] == [word]]

    def wait_line(self, word, count=1, timeout=10.0):
        def enough():
            if self.process.poll() is not None:
                raise AssertionError("ended with %d:\n%s" % (self.process.returncode, self.log()))
            return self.lines(word)[count - 1:]
        return wait_for(enough, "'%s' of %s" % (word, self.log_file.stem), timeout)[0]

    def stop(self):
        """Ends it, which it has to do well."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise
        if self.process.returncode != 0:
            raise AssertionError("%s ended with %d:\n%s" % (self.log_file.stem,
                                                            self.process.returncode, self.log()))

    def text(self):
        return "--- %s\n%s\n" % (self.log_file.name, self.log())


class GoPeer(Program):
    """tests/interop/kcp at work."""

    def __init__(self, ns, directory, name, case, side, role, local=CLIENT_PORT):
        where = hostport(OUTER4[side], SERVER_PORT) if role == "server" \
            else hostport(OUTER4[1], IMPAIR_PORT)
        argv = [PEERS_DIR / "bin" / ("kcp-" + case.go), "-role", role, "-addr", where, "-tun",
                DEVICE, "-crypt", case.crypt, "-password", PASSWORD, "-mode", case.mode,
                "-sndwnd", case.windows, "-rcvwnd", case.windows, "-mtu", case.datagram,
                "-conv", case.conv, "-local", local, "-stream=%s" % str(case.stream).lower(),
                "-ack_no_delay=%s" % str(case.ack_no_delay).lower()]
        if case.fec:
            argv += ["-ds", case.fec[0], "-ps", case.fec[1]]
        super().__init__(ns, directory, name, argv)
        self.wait_line("ready")
        ns.sysctl("net/ipv6/conf/%s/disable_ipv6" % DEVICE, 1)
        netns.address(ns, DEVICE, INNER4[side] + "/24")
        ns.ip("link", "set", DEVICE, "mtu", case.mtu, "up")

    def counters(self):
        """What kcp-go has counted, after stop()."""
        return {name: int(value) for name, value in self.lines("snmp")}


class Impair(Program):
    """tests/tools/impair on the way to the server, with an equal loss in both directions."""

    def __init__(self, ns, directory, name, server, case, seed):
        argv = [BUILD / "bin" / "impair", "--listen", hostport(OUTER4[1], IMPAIR_PORT), "--to",
                hostport(server, SERVER_PORT), "--seed", seed, "--loss",
                "%g%%" % (100 * case.loss), *case.line]
        super().__init__(ns, directory, name, argv)


class Numbered:
    """Sends numbered datagrams to the other side, and takes the other side's: each once, in order,
    with the right content, and nothing after the last."""

    PORT = 7000
    HEADER = struct.Struct("!IH")
    LAST = 0xffffffff

    def __init__(self, ns, side, mtu, count, seed):
        self.side, self.count, self.mtu = side, count, mtu
        self.noise = random.Random("%d/content" % seed).randbytes(4096)
        self.seed = seed
        self.socket = ns.socket(socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((INNER4[side], self.PORT))
        self.socket.settimeout(30 * SLOWNESS)

    def message(self, side, number):
        """The datagram `number` that `side` sends; sizes from the smallest to the largest."""
        most = self.mtu - 28
        chance = random.Random("%d/%d/%d" % (self.seed, side, number))
        size = chance.choice((self.HEADER.size, most, chance.randrange(self.HEADER.size, most)))
        filler = size - self.HEADER.size
        return self.HEADER.pack(number, side) + self.noise[number % 1024:][:filler]

    def send(self, gap):
        other = (INNER4[1 - self.side], self.PORT)
        for number in range(self.count):
            self.socket.sendto(self.message(self.side, number), other)
            if number % 8 == 7:
                time.sleep(8 * gap)
        self.socket.sendto(self.HEADER.pack(self.LAST, self.side), other)

    def receive(self):
        for number in [*range(self.count), self.LAST]:
            got = self.socket.recv(65536)
            want = self.HEADER.pack(number, 1 - self.side) if number == self.LAST \
                else self.message(1 - self.side, number)
            if got != want:
                came = self.HEADER.unpack(got[:self.HEADER.size])
                raise AssertionError("side %d: %s of %d bytes came in place of %d of %d bytes"
                                     % (self.side, came, len(got), number, len(want)))

    def close(self):
        self.socket.close()


def exchange(spaces, mtu, count, gap=0.002, seed=1):
    """`count` datagrams each way at the same time; see Numbered."""
    ends = [Numbered(ns, side, mtu, count, seed) for side, ns in enumerate(spaces)]
    try:
        work = [traffic.Thread(end.receive) for end in ends]
        work += [traffic.Thread(end.send, gap) for end in ends]
        for thread in work:
            thread.result(90)
    finally:
        for end in ends:
            end.close()


class Tunnel:
    """A case at work: ours in namespace a, kcp-go's in b. close() ends all of it."""

    _names = threading.Lock()
    _used = 0

    def __init__(self, case, directory, seed=1):
        with Tunnel._names:
            Tunnel._used += 1
            self.name = "k%d" % Tunnel._used
        self.case, self.directory, self.seed = case, directory, seed
        self.ours = self.theirs = self.impair = None
        self.secret = secret_file(self._own_directory(), PASSWORD)
        self.spaces = []
        try:
            for label in "ab":
                self.spaces.append(netns.Namespace(label))
            netns.veth(self.spaces[0], "eth0", self.spaces[1], "eth0", CABLE_MTU)
            for side, ns in enumerate(self.spaces):
                netns.address(ns, "eth0", OUTER4[side] + "/24")
        except BaseException:
            self.close()
            raise

    def _own_directory(self):
        self.directory = self.directory / self.name
        self.directory.mkdir()
        return self.directory

    def start(self):
        server = OUTER4[0] if self.case.role == "server" else OUTER4[1]
        self.impair = Impair(self.spaces[1], self.directory, "impair", server, self.case,
                             self.seed)
        # who listens is there first
        for step in ("server", "client"):
            if self.case.role == step:
                self.start_ours()
            else:
                self.start_theirs(step)
        self.wait_client()
        return self

    def start_ours(self):
        spec = our_manifest(self.case, self.name, 0, self.secret)
        self.ours = Vpncore(self.spaces[0], spec, self.directory)
        self.ours.wait_up()
        return self.ours

    def start_theirs(self, role, local=CLIENT_PORT):
        serial = sum(1 for _ in self.directory.glob("go-*.log"))
        self.theirs = GoPeer(self.spaces[1], self.directory, "go-%d" % serial, self.case, 1, role,
                             local)
        return self.theirs

    def wait_client(self):
        """Until the client has reached the server, which has nobody to send to before."""
        client = 0 if self.case.role == "client" else 1
        traffic.wait_ping(self.spaces[client], INNER4[1 - client])

    def text(self):
        parts = [p.text() for p in (self.ours, self.theirs, self.impair) if p]
        return "".join(parts)

    def stop(self):
        """Ends the programs, which have to end well; returns what kcp-go has counted."""
        self.ours.close()
        self.theirs.stop()
        self.impair.stop()
        return self.theirs.counters()

    def close(self):
        for program in (self.ours, self.theirs, self.impair):
            if program and program.process.poll() is None:
                program.process.kill()
                program.process.wait(30)
        for ns in self.spaces:
            ns.close()
