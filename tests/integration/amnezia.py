# SPDX-License-Identifier: BSD-2-Clause
"""amnezia: sets of AmneziaWG's parameters, ends of tunnels that have them, and what passes.

    namespace a                                   namespace b
    wg0 10.78.0.1/24 fd78::1/64 . . tunnel . . .  wg0 10.78.0.2/24 fd78::2/64
    eth0 192.0.2.1/24  ---------- veth ---------  eth0 192.0.2.2/24
         2001:db8:1::1/64                              2001:db8:1::2/64
"""
import base64
import pathlib
import re
import socket

from harness import INNER4, OUTER4, OUTER6, Peers, total, traffic, wait_for
from wireguard import PEERS_DIR, VPNCORE, Node, Program
from wireguard_cases import both

AMNEZIA_2 = "amneziawg-go 0.2"
PROGRAMS = {AMNEZIA_2: PEERS_DIR / "bin" / "amneziawg-go-0.2"}

# What changes nothing but the words, as the first AmneziaWG had it.
WORDS = {"h1": "1755269708", "h2": "2101520157", "h3": "1829552134", "h4": "2016351429"}
# AmneziaWG 1: junk ahead of initiations, padded handshakes.
FIRST = {**WORDS, "jc": 5, "jmin": 40, "jmax": 300, "s1": 72, "s2": 33}
# AmneziaWG 2: ranges, data and cookies padded too, datagrams of one's own design.
SECOND = {"jc": 3, "jmin": 10, "jmax": 1200, "s1": 15, "s2": 140, "s3": 31, "s4": 9,
          "h1": "100000-90000000", "h2": "100000000-190000000", "h3": "7-8",
          "h4": "3000000000-4294967295",
          "i1": "<b 0xc70000000108><r 8><b 0x0000449e><r 1150>", "i2": "<t><rd 7><rc 9>",
          "i4": "<r 1>"}
# The words of plain WireGuard in another order: what stands for data elsewhere begins a handshake.
TURNED = {"h1": "4", "h2": "3", "h3": "2", "h4": "1", "s4": 1}
SETS = {"nothing": {"jc": 0}, "words": WORDS, "first": FIRST, "second": SECOND, "turned": TURNED}

# AmneziaWG 3: what is in front of ciphertext is encrypted, handshakes have no length of their own.
KEY = base64.b64encode(bytes(range(1, 33))).decode()
THIRD = {**SECOND, "s1": 12, "s2": 60, "s3": 13, "s4": 16, "header_protection_key": KEY}
THIRD_PLAIN_WORDS = {"s1": 12, "s2": 12, "s3": 12, "s4": 12, "header_protection_key": KEY}
# Where lengths say nothing, a word that random bytes have too costs a message: so the ranges are narrow.
TRAILERS = {**THIRD, "h1": "5-9", "h2": "2000000000-2000000009", "h3": "10-12", "h4": "13-20",
            "random_trailers": True, "disable_cookies": True}
TRAILERS_ALONE = {**FIRST, "random_trailers": True}
SETS_3 = {"third": THIRD, "third with plain words": THIRD_PLAIN_WORDS, "trailers": TRAILERS,
          "trailers alone": TRAILERS_ALONE}


def stage(awg):
    return {"mode": "awg", "awg": awg}


def hex_of(key):
    return base64.b64decode(key).hex()


class AmneziaTalk:
    """AmneziaWG's program, told by its socket what it has to know: the configuration protocol of
    https://www.wireguard.com/xplatform/ and AmneziaWG's own keys, which are those of the manifest."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def exists(self):
        return self.path.exists()

    def ask(self, request):
        text = b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(20)
            s.connect(str(self.path))
            s.sendall(request.encode("ascii"))
            while not re.search(rb"errno=-?\d+\n\n$", text):
                piece = s.recv(65536)
                if not piece:
                    break
                text += piece
        return text.decode("ascii")

    def configure(self, keys, port, awg, peers):
        lines = ["set=1", "private_key=" + hex_of(keys.private), "listen_port=%d" % port]
        for name, value in awg.items():
            if name.endswith("_key"):
                lines.append("%s=%s" % (name, hex_of(value)))
            elif value is not False and value != 0:
                lines.append("%s=%s" % (name, 1 if value is True else value))
        for p in peers:
            lines.append("public_key=" + hex_of(p.public_key))
            if p.psk:
                lines.append("preshared_key=" + hex_of(p.psk))
            if p.endpoint:
                lines.append("endpoint=" + p.endpoint)
            if p.keepalive:
                lines.append("persistent_keepalive_interval=%d" % p.keepalive)
            lines += ["allowed_ip=" + a for a in p.allowed_ips]
        answer = self.ask("\n".join(lines) + "\n\n")
        if not answer.endswith("errno=0\n\n"):
            raise AssertionError("AmneziaWG refuses: " + answer)

    def counts(self):
        """The numbers that it tells of its only peer."""
        lines = self.ask("get=1\n\n").splitlines()
        return {k: int(v) for k, _, v in (line.partition("=") for line in lines)
                if k in ("last_handshake_time_sec", "rx_bytes", "tx_bytes")}


class AmneziaNode(Node):
    """An end that is AmneziaWG's own program."""

    def __init__(self, test, ns, kind, addresses, *, awg, **kwargs):
        super().__init__(test, ns, kind, addresses, **kwargs)
        self.awg = awg
        self.talk = AmneziaTalk("/run/amneziawg-%s/%s.sock" % (ns.name, self.ifname))

    def _start_foreign(self):
        if not pathlib.Path(PROGRAMS[self.kind]).exists():
            raise AssertionError("%s is not there: %s" % (self.kind, PROGRAMS[self.kind]))
        argv = ["sh", "-c", 'mkdir -p "$0" /run/amneziawg && mount --bind "$0" /run/amneziawg && '
                'exec "$@"', "/run/amneziawg-" + self.ns.name, str(PROGRAMS[self.kind]), "-f"]
        self.program = Program(self.ns, argv, self.ifname, self.test.directory)
        self.test.programs.append(self.program)
        self.test.addCleanup(self.program.close)
        wait_for(self.talk.exists, "the socket of %s" % self.kind, 20)
        self.talk.configure(self.keys, self.port, self.awg, self.peers)
        for a in self.addresses:
            self.ns.ip("addr", "add", a, "dev", self.ifname, *(["nodad"] if ":" in a else []))
        self.ns.ip("link", "set", self.ifname, "mtu", self.mtu, "up")


class AmneziaTunnel(Peers):
    """Two ends with the same parameters, or not."""

    def end(self, side, kind, awg, **kwargs):
        """One end, not started; side 0 is in namespace a."""
        ns = (self.a, self.b)[side]
        kwargs.setdefault("mtu", 1420 - awg.get("s4", 0))
        if kind == VPNCORE:
            return Node(self, ns, kind, both(side), obfs=stage(awg), **kwargs)
        return AmneziaNode(self, ns, kind, both(side), awg=awg, **kwargs)

    def pair(self, kinds, awg, family=4, dialler="a", other_awg=None, own=None):
        """Two running ends; only the dialler knows where the other is."""
        a = self.end(0, kinds[0], awg, **(own or {}))
        b = self.end(1, kinds[1], other_awg or awg)
        outer = OUTER4 if family == 4 else OUTER6
        a.add(b, endpoint=outer[1] if dialler == "a" else None)
        b.add(a, endpoint=outer[0] if dialler == "b" else None)
        a.start()
        b.start()
        return a, b

    def carries(self, first, answer, size=1 << 20):
        """`first` opens the session with a ping, and then everything passes."""
        traffic.wait_ping(first.ns, answer)
        self.check_ping(3)
        self.check_tcp(size)

    def count(self, node, name, which="obfs"):
        return total(node.program.counters(), which, name)

    def opened(self, kinds, awg, **kwargs):
        a, b = self.pair(kinds, awg, **kwargs)
        first, answer = (b, INNER4[0]) if kwargs.get("dialler") == "b" else (a, INNER4[1])
        self.carries(first, answer)
        return a, b
