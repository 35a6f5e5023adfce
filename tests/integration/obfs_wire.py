# SPDX-License-Identifier: BSD-2-Clause
"""obfs_wire: tunnels of WireGuard over an obfs stage, and what they put on the wire.

    namespace a (dials)                           namespace b (knows nobody beforehand)
    wg0 10.78.0.1/24  . . . . . tunnel . . . . .  wg0 10.78.0.2/24
        fd78::1/64                                    fd78::2/64
    eth0 192.0.2.1/24  ------- veth ----------    eth0 192.0.2.2/24
         2001:db8:1::1/64                              2001:db8:1::2/64
         192.0.2.66 (whoever else)

b listens at port 40404, which belongs to no protocol, and a at 50505: nDPI 4.2 cannot tell a flow's
directions apart when both ports are the same. The ends of the cable take no segments that
the kernel has yet to cut: what is seen there are the datagrams as a router would see them.
"""
import itertools
import socket
import struct
import time

import obfs
import wireguard
from harness import INNER4, INNER6, Peers, hostport, outer, traffic, wait_for

PORT, CLIENT_PORT = 40404, 50505
MTU = 1340  # fits with the headers of every mode into 1500
STRANGER = "192.0.2.66"
SO_RCVBUFFORCE = 33
CAPTURE_BUFFER = 256 << 20
DRAIN_SECONDS = 10  # at the most, for what the buffer holds; a quiet device ends it
ETHERNET, IP4, IP6, UDP = 14, 20, 40, 8
PACKET_OUTGOING = 4  # linux/if_packet.h

# The name of a way to be on the wire, and its obfs stage: every row of obfs.MODES. None: there is none.
PLAIN = "wireguard"
WAYS = {PLAIN: None, **{name: obfs.stage(name) for name in obfs.NAMES}}
# Those that promise a length of no packet to be told from others.
LENGTHS_HIDDEN = {"veil", "mimic", "mimic-srtp"}
# Of those that claim to be another protocol: bytes of its header, how nDPI and tshark call it, and what
# tshark has to be told so that it looks for it.
CLAIMS = {"mimic": (13, "DTLS", "dtls", []),
          "mimic-srtp": (12, "RTP", "rtp", ["--enable-heuristic", "rtp_udp"])}


def header_bytes(way, payload):
    """The header of the claimed protocol in front of sealed data; None when it is another message,
    such as one of DTLS's handshake."""
    size = CLAIMS[way][0]
    if way == "mimic" and payload[0] != 23:
        return None
    return payload[:size]


class Datagram:
    """One UDP datagram as it was on the wire."""

    __slots__ = ("time", "outgoing", "frame", "source", "destination", "payload")

    def __init__(self, at, outgoing, frame, source, destination, payload):
        self.time, self.outgoing, self.frame = at, outgoing, frame
        self.source, self.destination, self.payload = source, destination, payload


def parse(at, outgoing, frame):
    """A Datagram, or None when the frame holds something else, or a fragment."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP and frame[14] == 0x45 \
            and not struct.unpack("!H", frame[20:22])[0] & 0x3fff:
        begin, family, addresses = ETHERNET + IP4, socket.AF_INET, (frame[26:30], frame[30:34])
    elif kind == b"\x86\xdd" and frame[20] == socket.IPPROTO_UDP:
        begin, family, addresses = ETHERNET + IP6, socket.AF_INET6, (frame[22:38], frame[38:54])
    else:
        return None
    ports = struct.unpack("!HH", frame[begin:begin + 4])
    length = struct.unpack("!H", frame[begin + 4:begin + 6])[0]
    source, destination = ((socket.inet_ntop(family, a), p) for a, p in zip(addresses, ports))
    return Datagram(at, outgoing, frame, source, destination, frame[begin + UDP:begin + length])


class Capture:
    """What passes a device while it lasts; a context manager. `outgoing` is as that device's owner
    sees it; `wanted` chooses what is kept of (outgoing, frame). Raises when the kernel could not keep
    up."""

    def __init__(self, ns, device="eth0", wanted=None):
        self.wire = traffic.FrameSocket(ns, device)
        self.wire.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, CAPTURE_BUFFER)
        self.wire.socket.settimeout(0.05)
        self.frames = []
        self.sent = 0  # frames that the device's owner has sent
        self._wanted = wanted or (lambda outgoing, frame: True)
        self._end = None  # what comes later is not looked at
        self._thread = traffic.Thread(self._run)

    def _run(self):
        s, keep = self.wire.socket, self.frames.append
        while self._end is None or time.time() < self._end:
            try:
                frame, (_, _, kind, _, _) = s.recvfrom(65600)
            except TimeoutError:
                if self._end is not None:
                    return
                continue
            outgoing = kind == PACKET_OUTGOING
            self.sent += outgoing
            if self._wanted(outgoing, frame):
                keep((time.time(), outgoing, frame))

    def close(self):
        if self._thread is None:
            return
        self._end = time.time() + DRAIN_SECONDS
        self._thread.result()
        self._thread = None
        # struct tpacket_stats: what was seen, and what of it was not kept
        _, dropped = struct.unpack("II", self.wire.socket.getsockopt(traffic.SOL_PACKET, 6, 8))
        self.wire.close()
        if dropped:
            raise AssertionError("the capture lacks %d frames" % dropped)

    def datagrams(self):
        return [d for d in itertools.starmap(parse, self.frames) if d]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def write_pcap(path, datagrams):
    """In libpcap's classic format, microseconds, Ethernet."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for d in datagrams:
            f.write(struct.pack("<IIII", int(d.time), int(d.time % 1 * 1e6), len(d.frame),
                                len(d.frame)))
            f.write(d.frame)


def udp4(payload, source, destination):
    """An IPv4 packet with a UDP datagram in the name of source, for a raw socket."""
    length = UDP + len(payload)
    return struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, IP4 + length, 0, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(destination[0]), source[1],
                       destination[1], length, 0) + payload


class ObfsTest(Peers):
    """The topology above."""

    def setUp(self):
        super().setUp()
        for ns in (self.a, self.b):
            ns.ip("link", "set", "dev", "eth0", "gso_max_segs", 1)
        self.keys = [wireguard.Keys() for _ in range(2)]

    def spec(self, side, way, *, family=4, keepalive=None, lanes=None):
        peer = wireguard.Peer(self.keys[1 - side].public,
                              [INNER4[1 - side] + "/32", INNER6[1 - side] + "/128"],
                              endpoint=hostport(outer(family)[1], PORT) if side == 0 else None,
                              keepalive=keepalive)
        spec = wireguard.manifest(self.directory, "ab"[side], self.keys[side], [peer],
                                  [INNER4[side] + "/24", INNER6[side] + "/64"], mtu=MTU,
                                  listen="*:%d" % (CLIENT_PORT, PORT)[side], lanes=lanes)
        if WAYS[way] is not None:
            spec["pipeline"].insert(2, WAYS[way])
        return spec

    def start(self, side, way, **kwargs):
        ns = (self.a, self.b)[side]
        spec = self.spec(side, way, **kwargs)
        return self.vpncore(ns, spec, before=wireguard.private_run(ns)).wait_up()

    def tunnel(self, way, **kwargs):
        """Starts b, then a; returns both when a ping has come through."""
        b = self.start(1, way, **kwargs)
        a = self.start(0, way, **kwargs)
        traffic.wait_ping(self.a, INNER4[1])
        return a, b

    def close_tunnel(self):
        for program in self.programs:
            if program.running():
                program.stop()

    def renew(self, family=4, keepalive=0):
        """a makes a new session."""
        ours, theirs = self.keys
        known = wireguard.handshake_numbers(self.a, theirs.public)
        wireguard.wg(self.a, "set", "wg0", "peer", theirs.public, "remove")
        wireguard.wg(self.a, "set", "wg0", "peer", theirs.public, "endpoint",
                     hostport(outer(family)[1], PORT), "allowed-ips", INNER4[1] + "/32",
                     "persistent-keepalive", keepalive)
        traffic.wait_ping(self.a, INNER4[1])
        wait_for(lambda: wireguard.handshake_numbers(self.a, theirs.public) not in (known, (0, 0)),
                 "a new session of %s" % ours.public)


def drops(program):
    """All packets that a program has dropped, and the junk that it was sent."""
    return sum(value for values in program.counters().values() for name, value in values.items()
               if name.startswith(("drop", "junk")))
