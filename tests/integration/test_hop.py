# SPDX-License-Identifier: BSD-2-Clause
"""A server on a range of ports and a client that moves over it. The topology is that of Peers: the client
runs in a, the server in b.
"""
import contextlib
import json
import socket
import struct
import threading

from dropin import nft
from harness import (BUILD, INNER4, INNER6, OUTER4, OUTER6, Peers, Test, environment, hostport, main, manifest,
                     sh, total, traffic, wait_for)
from wireguard import DEBIAN_GO, VPNCORE, Node

FIRST, LAST = 20000, 20040
RANGE = range(FIRST, LAST + 1)
PORTS = "%d-%d" % (FIRST, LAST)
ETH_P_ALL = 3
UDP = 17


def ports_of(frame):
    """Source and destination port of a frame with a whole UDP datagram, or None."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800 and frame[23] == UDP:
        at = 14 + 4 * (frame[14] & 15)
    elif kind == 0x86dd and frame[20] == UDP:
        at = 14 + 40
    else:
        return None
    return struct.unpack_from("!HH", frame, at)


class Capture:
    """Which ports the datagrams have that leave and reach the device of a namespace."""

    def __init__(self, ns, device="eth0"):
        self.socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        with ns.entered():
            self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.settimeout(0.1)
        self.sent = []     # (own port, far port) in the order in which pairs were first used
        self.answers = {}  # far port of what came -> the own ports that it came to
        self.current = None
        self._stop = threading.Event()
        self._thread = traffic.Thread(self._read)

    def _read(self):
        while not self._stop.is_set():
            try:
                frame, where = self.socket.recvfrom(128)
            except TimeoutError:
                continue
            pair = ports_of(frame)
            if pair is None:
                continue
            if where[2] == socket.PACKET_OUTGOING:
                if pair != self.current:
                    self.current = pair
                    if pair not in self.sent:
                        self.sent.append(pair)
            else:
                self.answers.setdefault(pair[0], set()).add(pair[1])

    def close(self):
        self._stop.set()
        self._thread.result()
        self.socket.close()


class Hopping(Peers):
    """Two ends with WireGuard between them, or without."""

    def setUp(self):
        super().setUp()
        self.capture = Capture(self.a)
        self.addCleanup(self.capture.close)

    def begin(self, family=4, *, client=VPNCORE, hop=None, lanes=None, port=FIRST, listen="*:0",
              obfs=None):
        addresses = [[INNER4[i] + "/24", INNER6[i] + "/64"] for i in range(2)]
        stages = {} if client != VPNCORE else {
            "listen": listen, "lanes": lanes, "obfs": obfs,
            "udp": {"hop": {"ports": PORTS, "interval": "1s", "silence": "1s", **(hop or {})}}}
        if obfs:
            stages["mtu"] = 1400  # its headers fit as well
        self.one = Node(self, self.a, client, addresses[0], **stages)
        self.two = Node(self, self.b, VPNCORE, addresses[1], port=port, lanes=lanes,
                        listen="*:" + PORTS, obfs=obfs, mtu=stages.get("mtu", 1420))
        self.two.add(self.one).start()
        self.one.add(self.two, endpoint=(OUTER4 if family == 4 else OUTER6)[1]).start()
        traffic.wait_ping(self.a, INNER4[1])

    def begin_plain(self, family):
        """Without a stage that knows peers: the server sends to whom it has heard last."""
        host = hostport((OUTER4 if family == 4 else OUTER6)[1]).rsplit(":", 1)[0]
        return self.tunnel(family=family,
                           a={"udp": {"listen": "*:0", "remote": "%s:%s" % (host, PORTS),
                                      "hop": {"interval": "1s"}}},
                           b={"udp": {"listen": "*:" + PORTS, "remote": None, "learn": True}})

    def hops(self):
        return total(self.one.program.counters(), "udp", "hops")

    def check_answers(self):
        """What comes leaves the very port that was asked, and goes to the one that asked."""
        asked = set(self.capture.sent)
        for far, own in self.capture.answers.items():
            for port in own:
                self.assertIn((port, far), asked)

    def check_moves(self, least):
        """More far ports than that were used, and with each another port of our own."""
        pairs = [p for p in self.capture.sent if p[1] in RANGE]
        self.assertEqual(len(pairs), len(self.capture.sent))
        self.assertGreater(len({far for _, far in pairs}), least)
        self.assertEqual(len({own for own, _ in pairs}), len(pairs))

    @contextlib.contextmanager
    def stream(self, source, sink, address):
        stream = traffic.TcpStream(source, sink, address)
        try:
            yield stream
        finally:
            stream.stop()


class UnderLoad(Hopping):
    def run_load(self, family, **kwargs):
        self.begin(family, **kwargs)
        hops = self.hops()
        with self.stream(self.b, self.a, INNER4[0]) as down, \
                self.stream(self.a, self.b, INNER6[1]) as up:
            down.wait_moved(1 << 20)
            up.wait_moved(1 << 20)
            sent = 400
            answered = traffic.ping_once(self.a, INNER4[1], sent, 56)
            down.wait_moved(1 << 20)
            up.wait_moved(1 << 20)
        self.assertGreaterEqual(answered, sent * 98 // 100)
        hops = self.hops() - hops
        self.assertGreaterEqual(hops, 3)
        self.check_moves(2)
        self.check_answers()
        self.assertEqual(total(self.one.program.counters(), "udp", "hops_after_silence"), 0)
        # to the stage above the server has stayed where it was said to be
        self.assertEqual(self.one.status().endpoint, hostport((OUTER4 if family == 4 else OUTER6)[1], FIRST))
        self.assertEqual(self.two.status().endpoint,
                         hostport((OUTER4 if family == 4 else OUTER6)[0], self.capture.current[0]))

    def test_moves_every_second_under_ping_and_tcp(self):
        self.run_load(4)

    def test_moves_every_second_under_ping_and_tcp_over_ipv6(self):
        self.run_load(6)

    def test_moves_every_second_on_two_lanes(self):
        self.run_load(4, lanes=2)

    def test_a_port_of_its_own_stays(self):
        self.begin(listen="*:30000")
        wait_for(lambda: traffic.ping(self.a, INNER4[1], 20) == 20 and self.hops() >= 3, "three hops")
        self.assertEqual({own for own, _ in self.capture.sent}, {30000})
        self.check_answers()


class Disguised(Hopping):
    """A stage between that tells peers by their addresses: answers come from the first port of the range,
    to those above, while the manifest names another one."""

    def test_mimic_is_answered_from_a_range(self):
        self.begin(port=FIRST + 17, obfs={"mode": "mimic", "password": "correct horse"})
        wait_for(lambda: traffic.ping(self.a, INNER4[1], 20) == 20 and self.hops() >= 3, "three hops",
                 30)
        self.assertEqual(self.one.status().endpoint, hostport(OUTER4[1], FIRST))


class Blocked(Hopping):
    def block(self, port):
        nft(self.b, """table inet block { chain input {
            type filter hook input priority 0;
            udp dport %d drop
        }
        }""" % port)

    def check(self, family):
        self.begin(family, hop={"interval": "1h"})
        with self.stream(self.b, self.a, INNER4[0]) as down:
            down.wait_moved(1 << 20)
            self.assertEqual(self.hops(), 0)
            blocked = self.capture.current[1]
            self.block(blocked)
            traffic.wait_ping(self.a, INNER4[1])
            down.wait_moved(1 << 20)
            self.assertNotEqual(self.capture.current[1], blocked)
        after = total(self.one.program.counters(), "udp", "hops_after_silence")
        self.assertGreaterEqual(after, 1)
        self.assertEqual(self.hops(), after)
        self.check_answers()

    def test_a_port_that_goes_silent_is_left(self):
        self.check(4)

    def test_a_port_that_goes_silent_is_left_over_ipv6(self):
        self.check(6)


class Ends(Hopping):
    def test_a_server_that_was_killed_has_its_ports_again(self):
        _, server = self.begin_plain(4)
        traffic.wait_ping(self.a, INNER4[1])
        server.kill()
        wait_for(lambda: not self.b.has("vpn0"), "the end of the server")
        self.vpncore(self.b, server.manifest).wait_up()
        traffic.wait_ping(self.a, INNER4[1])

    def test_a_client_that_was_killed_comes_back_elsewhere(self):
        self.begin()
        self.one.kill()
        self.one.start()
        traffic.wait_ping(self.a, INNER4[1], 30)
        self.check_answers()


class Others(Hopping):
    def test_every_port_serves_a_client_that_stays(self):
        for port in (FIRST + 17, FIRST, LAST):
            with self.subTest(port=port):
                self.begin(client=DEBIAN_GO, port=port)
                self.assertEqual(traffic.ping(self.a, INNER4[1], 20), 20)
                traffic.tcp(self.a, self.b, INNER4[1], 1 << 20)
                traffic.tcp(self.b, self.a, INNER6[0], 1 << 20)
                self.assertEqual(self.one.status().endpoint, hostport(OUTER4[1], port))
                self.assertEqual(self.capture.current[1], port)
                self.check_answers()
                self.one.kill()
                self.two.stop()
                wait_for(lambda: not self.b.has("wg0"), "the end of the server")

    def test_a_client_that_stays_is_told_of_another_port(self):
        self.begin(client=DEBIAN_GO)
        for port in (LAST, FIRST + 5):
            self.one.wg("set", "wg0", "peer", self.two.keys.public, "endpoint",
                        hostport(OUTER4[1], port))
            self.assertEqual(traffic.ping(self.a, INNER4[1], 20), 20)
            self.assertEqual(self.capture.current[1], port)
        self.check_answers()

    def plain(self, family):
        client, _ = self.begin_plain(family)
        wait_for(lambda: traffic.ping(self.a, INNER4[1], 50) == 50
                 and total(client.counters(), "udp", "hops") >= 3, "three hops", 30)
        self.check_tcp(1 << 20)
        self.check_moves(2)
        self.check_answers()

    def test_without_wireguard(self):
        self.plain(4)

    def test_without_wireguard_over_ipv6(self):
        self.plain(6)


class Refused(Test):
    def test_says_where_and_why(self):
        for where, why, udp in (
                ("listen", "begins with the lower one", {"listen": "*:20100-20000"}),
                ("listen", "narrower range", {"listen": "*:20000-30000"}),
                ("listen", "begins with port 1", {"listen": "*:0-100"}),
                ("remote", "begins with the lower one", {"remote": "192.0.2.1:9-7"}),
                ("hop", "nowhere to hop to", {"remote": "192.0.2.1:7", "hop": {}}),
                ("hop/interval", "from 1s to 24h", {"remote": "192.0.2.1:7-9", "hop": {"interval": "1ms"}}),
                ("hop/ports", "write the range there", {"remote": "192.0.2.1:7-9", "hop": {"ports": "7-9"}}),
                ("hop/ports", "is not a range", {"remote": None, "hop": {"ports": "7"}}),
                ("hop", "cannot hop", {"remote": None, "learn": True, "hop": {"ports": "7-9"}})):
            with self.subTest(where=where, why=why):
                file = self.directory / "bad.json"
                file.write_text(json.dumps(manifest(0, udp={"listen": "*:0", **udp})))
                done = sh(BUILD / "bin" / "vpncore", "check", file, check=False, env=environment())
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(": /pipeline/1/%s: " % where, done.stderr)
                self.assertIn(why, done.stderr)


if __name__ == "__main__":
    main()
