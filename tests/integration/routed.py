# SPDX-License-Identifier: BSD-2-Clause
"""routed: the topology and the manifests of the tests of routes/linux.

    namespace client               namespace gate                 namespace server
    wg0 10.78.0.2/24 . . . . . . . . . . tunnel . . . . . . . . . wg0 10.78.0.1/24
        fd78::2/64                                                    fd78::1/64
    eth0 192.168.5.2/24 -- veth -- lan 192.168.5.1/24
         2001:db8:5::2/64              2001:db8:5::1/64
                                   net 198.51.100.1/24 -- veth -- eth0 198.51.100.2/24
                                       2001:db8:51::1/64               2001:db8:51::2/64
                                                                  out 203.0.113.1/24 -- veth
    namespace site: eth0 203.0.113.9/24, 2001:db8:9::9/64 ---------   2001:db8:9::1/64

`gate` forwards between its two networks and to the site, so that all of the internet can be reached from
the client without the tunnel too: what arrives at the site tells by its source which way it took.
"""
import contextlib
import json
import select
import socket
import struct

import netns
from harness import PORT, Test, environment, sh, traffic, veth, wait_for
from program import BINARY
from wireguard import Keys, Peer, manifest, private_run

CLIENT4, GATE4, NET4, SERVER4 = "192.168.5.2", "192.168.5.1", "198.51.100.1", "198.51.100.2"
CLIENT6, GATE6, NET6, SERVER6 = ("2001:db8:5::2", "2001:db8:5::1", "2001:db8:51::1",
                                 "2001:db8:51::2")
SITE4, SITE6 = "203.0.113.9", "2001:db8:9::9"
OUT4, OUT6 = "203.0.113.1", "2001:db8:9::1"
INNER4, INNER6 = ("10.78.0.1", "10.78.0.2"), ("fd78::1", "fd78::2")  # server, client
ALL = ["0.0.0.0/0", "::/0"]
MARK, MASK, PROTOCOL, TABLE = 0x76000000, 0xff000000, 190, 7600
ETH_P_ALL = 3
TUN_HEADER = {4: bytes(12) + b"\x08\x00", 6: bytes(12) + b"\x86\xdd"}  # a TUN device has none


def state(ns):
    """All that routes/linux can change, as text."""
    with ns.entered():
        switches = sh("sh", "-c", "cd /proc/sys/net && grep -rs . ipv4/ip_forward "
                      "ipv4/conf/*/forwarding ipv4/conf/*/src_valid_mark ipv4/conf/*/rp_filter "
                      "ipv4/conf/*/accept_redirects ipv6/conf/*/forwarding "
                      "ipv6/conf/*/accept_redirects | grep -v 'conf/wg'").stdout
    return "\n".join([
        ns.ip("rule", "show").stdout, ns.ip("-6", "rule", "show").stdout,
        ns.ip("route", "show", "table", "all").stdout,
        ns.ip("-6", "route", "show", "table", "all").stdout,
        ns.sh("nft", "list", "ruleset").stdout, switches])


class Capture:
    """What passes an interface of a namespace while the block runs: a list of (source, destination,
    protocol, source port, destination port) of IP packets, and `arp`."""

    def __init__(self, ns, device, ethernet=True):
        self.ethernet = ethernet
        self.socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)

    def packets(self):
        """Everything since the last call."""
        found = []
        while True:
            try:
                frame = self.socket.recv(65536)
            except BlockingIOError:
                return found
            packet = parse(frame if self.ethernet else TUN_HEADER[frame[0] >> 4] + frame)
            if packet:
                found.append(packet)

    def close(self):
        self.socket.close()


def parse(frame):
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0800:
        protocol, ihl = frame[23], (frame[14] & 15) * 4
        source, to = (socket.inet_ntop(socket.AF_INET, frame[a:a + 4]) for a in (26, 30))
        rest = frame[14 + ihl:]
    elif kind == 0x86dd:
        protocol = frame[20]
        source, to = (socket.inet_ntop(socket.AF_INET6, frame[a:a + 16]) for a in (22, 38))
        rest = frame[54:]
    else:
        return None
    ports = struct.unpack("!HH", rest[:4]) if protocol in (6, 17) and len(rest) >= 4 else (0, 0)
    return (source, to, protocol) + ports


class Routed(Test):
    """The client's side is what is tested."""

    def setUp(self):
        super().setUp()
        self.client, self.gate, self.server, self.site = (
            self.namespace(n) for n in ("client", "gate", "server", "site"))
        veth(self.client, "eth0", self.gate, "lan")
        veth(self.gate, "net", self.server, "eth0")
        veth(self.server, "out", self.site, "eth0")
        netns.address(self.client, "eth0", CLIENT4 + "/24", CLIENT6 + "/64")
        netns.address(self.gate, "lan", GATE4 + "/24", GATE6 + "/64")
        netns.address(self.gate, "net", NET4 + "/24", NET6 + "/64")
        netns.address(self.server, "eth0", SERVER4 + "/24", SERVER6 + "/64")
        netns.address(self.server, "out", OUT4 + "/24", OUT6 + "/64")
        netns.address(self.site, "eth0", SITE4 + "/24", SITE6 + "/64")
        self.gateways(self.client, GATE4, GATE6)
        self.gateways(self.gate, SERVER4, SERVER6)
        self.gateways(self.server, NET4, NET6)
        self.gateways(self.site, OUT4, OUT6)
        for ns in (self.gate, self.server):
            ns.sysctl("net/ipv4/ip_forward", 1)
            ns.sysctl("net/ipv6/conf/all/forwarding", 1)
        self.keys = Keys(), Keys()  # server, client

    @staticmethod
    def gateways(ns, four, six):
        if four:
            ns.ip("route", "replace", "default", "via", four)
        if six:
            ns.ip("-6", "route", "replace", "default", "via", six)

    # -- manifests ---------------------------------------------------------------------------

    def server_manifest(self, routes=None, name="server"):
        peer = Peer(self.keys[1].public, [INNER4[1] + "/32", INNER6[1] + "/128"])
        spec = manifest(self.directory, name, self.keys[0], [peer],
                        [INNER4[0] + "/24", INNER6[0] + "/64"])
        return self.with_routes(spec, routes)

    def client_manifest(self, routes, *, name="client", allowed=ALL, endpoint=SERVER4,
                        addresses=(INNER4[1] + "/24", INNER6[1] + "/64"), listen="*:0", **more):
        where = "[%s]:51820" % endpoint if ":" in endpoint else endpoint + ":51820"
        peer = Peer(self.keys[0].public, list(allowed), endpoint=where)
        spec = manifest(self.directory, name, self.keys[1], [peer], addresses, listen=listen,
                        **more)
        return self.with_routes(spec, routes)

    @staticmethod
    def with_routes(spec, routes):
        if routes is not None:
            spec["routes"] = dict(routes, backend="linux")
        return spec

    # -- running -----------------------------------------------------------------------------

    def run_server(self, routes=None):
        program = self.vpncore(self.server, self.server_manifest(routes),
                               before=private_run(self.server))
        program.wait_up()
        return program

    def run_client(self, routes, **more):
        program = self.vpncore(self.client, self.client_manifest(routes, **more),
                               before=private_run(self.client))
        program.wait_up()
        return program

    def check(self, spec):
        """What `vpncore check` says of a manifest that it has to refuse."""
        file = self.directory / "wrong.json"
        file.write_text(json.dumps(spec), encoding="ascii")
        done = sh(BINARY, "check", file, check=False, env=environment())
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stdout + done.stderr

    # -- looking -----------------------------------------------------------------------------

    def capture(self, ns, device, ethernet=True):
        c = Capture(ns, device, ethernet)
        self.addCleanup(c.close)
        return c

    def seen_at_site(self, *, address=SITE4, timeout=10.0):
        """Sends datagrams from the client to the site until one arrives; returns its source."""
        six = ":" in address
        af = socket.AF_INET6 if six else socket.AF_INET
        with contextlib.closing(self.site.socket(af)) as listener:
            listener.bind((address, 9000))
            listener.setblocking(False)

            def arrives():
                with contextlib.closing(self.client.socket(af)) as s:
                    with contextlib.suppress(OSError):
                        s.sendto(b"hello", (address, 9000))
                if not select.select([listener], [], [], 0.1)[0]:
                    return None
                return listener.recvfrom(100)[1][0]
            return wait_for(arrives, "a datagram at %s" % address, timeout)

    def answers(self, address, count=3):
        """Whether the client's pings are answered."""
        return traffic.ping(self.client, address, count, 56, "-W", "1") == count

    def cannot_send(self, address):
        """The error number that a datagram to an address gives at once, 0 for none."""
        af = socket.AF_INET6 if ":" in address else socket.AF_INET
        with contextlib.closing(self.client.socket(af)) as s:
            try:
                s.sendto(b"hello", (address, 9000))
            except OSError as e:
                return e.errno
        return 0

    def rules(self, ns, family=4):
        """Lines of `ip rule` that carry our protocol."""
        return [line for line in ns.ip("-%d" % family, "rule", "show").stdout.splitlines()
                if "proto %d" % PROTOCOL in line]

    def routes(self, ns, table=TABLE, family=4):
        return [line.strip() for line in
                ns.ip("-%d" % family, "route", "show", "table", table, check=False)
                .stdout.splitlines()]

    def device_of(self, ns, address, mark=0):
        """The interface that a packet would take, "" when it is unreachable."""
        extra = ["mark", mark] if mark else []
        done = ns.ip("route", "get", address, *extra, check=False)
        words = done.stdout.split()
        return words[words.index("dev") + 1] if done.returncode == 0 and "dev" in words else ""

    def check_only_the_tunnel(self, packets):
        """Of what the client sent or was sent outside there is nothing but the tunnel's packets."""
        for source, to, protocol, sport, dport in packets:
            if protocol == socket.IPPROTO_ICMPV6 or to == "ff02::16":  # neighbours, listeners
                continue
            self.assertEqual(protocol, socket.IPPROTO_UDP, (source, to))
            self.assertIn(PORT, (sport, dport), (source, to))
