# SPDX-License-Identifier: BSD-2-Clause
"""obfs: tunnels with an obfs stage. A new mode joins every test by its row in MODES.

    namespace a                                   namespace b
    vpn0 10.78.0.1/24  . . . . tunnel . . . . .   vpn0 10.78.0.2/24
         fd78::1/64                                    fd78::2/64
    eth0 192.0.2.1/24  ------- veth ----------    eth0 192.0.2.2/24
         2001:db8:1::1/64                              2001:db8:1::2/64
"""
import dataclasses
import struct
import threading

import wireguard
from harness import INNER4, INNER6, PORT, Peers, hostport, outer, total, traffic

MTU = 1340  # fits with the headers of every mode into 1500, whatever carries them


@dataclasses.dataclass(frozen=True)
class Mode:
    """`stage`: the options besides "mode". `other`: those that do not fit them on the other side.
    A name that is not a mode's has the mode in its stage. `alone`: it can stand below other transports than wireguard; `options`: what it needs there besides."""
    name: str
    stage: dict
    other: dict
    alone: bool = True
    options: dict = dataclasses.field(default_factory=dict)


AWG = {"s1": 40, "s2": 64, "s3": 24, "s4": 12, "h1": "1000-2000", "h2": "3000-4000",
       "h3": "5000-6000", "h4": "7000-8000"}
MODES = {mode.name: mode for mode in (
    Mode("salamander", {"password": "correct horse"}, {"password": "battery staple"}),
    Mode("veil", {"password": "correct horse"}, {"password": "battery staple"},
         options={"veil": {"cover": "whole"}}),
    Mode("mimic", {"password": "correct horse"}, {"password": "battery staple"},
         options={"veil": {"cover": "whole"}}),
    Mode("mimic-srtp", {"mode": "mimic", "mimic": {"as": "srtp"}, "password": "correct horse"},
         {"password": "battery staple"}, options={"veil": {"cover": "whole"}}),
    Mode("awg", {"awg": {**AWG, "header_protection_key": "5a" * 32}},
         {"awg": {**AWG, "header_protection_key": "a5" * 32}}, alone=False),
)}
NAMES = tuple(MODES)
ALONE = tuple(m.name for m in MODES.values() if m.alone)


def stage(mode, **changes):
    """The obfs stage of a manifest."""
    return {"transport": "obfs", "mode": mode, **MODES[mode].stage, **changes}


def secure(directory, side, keys, obfs, *, family=4, lanes=None, remote=True):
    """[tuntap, wireguard, obfs, udp]; `keys` of both sides, `obfs` the stage; with `remote` it knows
    where the other side is."""
    endpoint = hostport(outer(family)[1 - side]) if remote else None
    peer = wireguard.Peer(keys[1 - side].public, [INNER4[1 - side] + "/32", INNER6[1 - side] + "/128"],
                          endpoint=endpoint)
    spec = wireguard.manifest(directory, "ab"[side], keys[side], [peer],
                              [INNER4[side] + "/24", INNER6[side] + "/64"], ifname="vpn0", mtu=MTU,
                              lanes=lanes)
    spec["pipeline"].insert(2, obfs)
    return spec


class Wire:
    """Collects the payloads of the tunnel's datagrams that a device sees, until stop()."""

    def __init__(self, ns, device="eth0", port=PORT):
        self.port = port
        self.payloads = []
        self._frames = traffic.FrameSocket(ns, device)
        self._frames.socket.settimeout(0.1)
        self._stop = threading.Event()
        self._thread = traffic.Thread(self._collect)

    def _collect(self):
        while not self._stop.is_set():
            try:
                frame = self._frames.recv()
            except TimeoutError:
                continue
            kind = frame[12:14]
            if kind == b"\x08\x00" and frame[23] == 17:
                at = 34
            elif kind == b"\x86\xdd" and frame[20] == 17:
                at = 54
            else:
                continue
            source, sink, length, _ = struct.unpack("!HHHH", frame[at:at + 8])
            if self.port in (source, sink):
                self.payloads.append(frame[at + 8:at + length])

    def stop(self):
        """What was seen. Where the kernel had several datagrams in one, that is one here."""
        self._stop.set()
        self._thread.result()
        self._frames.close()
        return self.payloads


def looks_like_wireguard(payload):
    """Whether it has the first bytes and a size of WireGuard's messages."""
    kind, size = payload[:4], len(payload)
    return (kind, size) in ((b"\1\0\0\0", 148), (b"\2\0\0\0", 92), (b"\3\0\0\0", 64)) \
        or (kind == b"\4\0\0\0" and size >= 32)


class ObfsTest(Peers):
    """The topology above."""

    def setUp(self):
        super().setUp()
        self.keys = [wireguard.Keys() for _ in range(2)]

    def start(self, side, obfs, **kwargs):
        ns = (self.a, self.b)[side]
        spec = secure(self.directory, side, self.keys, obfs, **kwargs)
        return self.vpncore(ns, spec, before=wireguard.private_run(ns)).wait_up()

    def secure_pair(self, mode, a=None, b=None, **kwargs):
        """Both sides in a mode; `a` and `b` change keys of their stages."""
        return [self.start(side, stage(mode, **(own or {})), **kwargs)
                for side, own in enumerate((a, b))]

    def count(self, program, *names):
        """Counters of a program's obfs stage, summed."""
        found = program.counters()
        return sum(total(found, "obfs", name) for name in names)

    def drops(self, program):
        """All that a program's obfs stage has dropped, by name."""
        found = {}
        for (_, name), values in program.counters().items():
            for key, value in values.items():
                if name == "obfs" and key.startswith("drop_") and value:
                    found[key] = found.get(key, 0) + value
        return found
