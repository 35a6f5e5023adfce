# SPDX-License-Identifier: BSD-2-Clause
"""wireguard_cases: what has to hold between a vpncore peer and any other; used by
test_wg_interop.py and by tests/interop, which say who the other is.

    namespace a (own)                             namespace b (other)
    wg0 10.78.0.1/24 fd78::1/64 . . tunnel . . .  wg0 10.78.0.2/24 fd78::2/64
    eth0 192.0.2.1/24  ---------- veth ---------  eth0 192.0.2.2/24
         2001:db8:1::1/64                              2001:db8:1::2/64
"""
import netns
from harness import (INNER4, INNER6, OUTER4, OUTER6, Peers, Test, hostport, outer, total,
                     traffic, veth, wait_for)
from wireguard import BORINGTUN, VPNCORE, Keys, Node, preshared
from wireguard_wire import Flood

# Around the limits of padding (16), of a packet in the tunnel (1420 less headers), and above.
UDP_SIZES = (1, 3, 4, 5, 15, 16, 17, 100, 511, 512, 1000, 1371, 1372, 1373, 1391, 1392, 1393, 2000,
             4000)
KEEPALIVE_BYTES = 32


def both(side):
    return [INNER4[side] + "/24", INNER6[side] + "/64"]


class Tunnel(Peers):
    """Two nodes and what passes between them."""

    own, other = VPNCORE, VPNCORE

    def nodes(self, own=None, other=None):
        """The two, not yet told of each other."""
        return (Node(self, self.a, self.own, both(0), **(own or {})),
                Node(self, self.b, self.other, both(1), **(other or {})))

    def pair(self, family=4, *, dialler="ab", psk=(None, None), keepalive=None, **kwargs):
        """Two running nodes; the ones named in `dialler` know the other's endpoint."""
        a, b = self.nodes(**kwargs)
        for side, (node, peer) in enumerate(((a, b), (b, a))):
            node.add(peer, psk=psk[side], keepalive=keepalive,
                     endpoint=outer(family)[1 - side] if "ab"[side] in dialler else None)
        a.start()
        b.start()
        return a, b

    def carries_everything(self, size=1 << 20):
        self.check_ping(3)
        self.check_tcp(size)
        for address in (INNER4[1], INNER6[1]):
            traffic.udp_echo(self.a, self.b, address, UDP_SIZES)

    def count(self, node, reason):
        return total(node.program.counters(), "wireguard", reason)


class Dialling(Tunnel):
    """Who opens the session, and over which family."""

    def opened(self, family, dialler):
        a, b = self.pair(family, dialler=dialler)
        first, peer, answer = (a, b, INNER4[1]) if dialler == "a" else (b, a, INNER4[0])
        traffic.wait_ping(first.ns, answer)
        first.wait_handshake(peer)
        peer.wait_handshake(first)
        self.carries_everything()
        for node in (a, b):
            other = b if node is a else a
            rx, tx = node.transfer()
            self.assertGreater(rx, 1 << 20)
            self.assertGreater(tx, 1 << 20)
            self.assertEqual(node.status().endpoint,
                             hostport(outer(family)["ab".index(other.ns.label)]))

    def test_a_session_that_we_open_carries_everything(self):
        self.opened(4, "a")

    def test_a_session_that_they_open_carries_everything(self):
        self.opened(4, "b")

    def test_a_session_that_we_open_over_ipv6_carries_everything(self):
        self.opened(6, "a")

    def test_a_session_that_they_open_over_ipv6_carries_everything(self):
        self.opened(6, "b")


class Lanes(Tunnel):
    """One session that several threads of ours seal and open."""

    def test_two_lanes_share_a_session(self):
        a, b = self.pair(own={"lanes": 2})
        traffic.wait_ping(self.a, INNER4[1])
        for source, sink, side in ((self.a, self.b, 1), (self.b, self.a, 0)):
            for address in (INNER4[side], INNER6[side]):
                traffic.tcp(source, sink, address, 1 << 20, streams=8)
        self.carries_everything(1 << 18)
        self.assertEqual(self.count(a, "drop_bad_tag") + self.count(a, "drop_replay"), 0)
        self.assertEqual(self.count(a, "initiations_sent") + self.count(a, "responses_sent"), 1)


class Counting(Tunnel):
    def test_what_both_count_agrees(self):
        a, b = self.pair(dialler="a")
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(5)
        wait_for(lambda: a.transfer() == b.transfer()[::-1], "equal counts of messages")


class Preshared(Tunnel):
    """The key that both have to know besides."""

    def refused(self, psk, dialler):
        """No handshake comes to its end; ends with one when the right key is set."""
        a, b = self.pair(psk=psk, dialler=dialler)
        first, peer = (a, b) if dialler == "a" else (b, a)
        self.assertEqual(traffic.ping_once(first.ns, peer.inner(4), 1, 56), 0)
        # an attempt has failed where it has to: with who checks the response, the initiator
        if first.kind == VPNCORE:
            wait_for(lambda: self.count(first, "drop_bad_handshake") > 0, "a refused response")
        if peer.kind == VPNCORE:
            wait_for(lambda: self.count(peer, "responses_sent") > 0, "a response")
        for node in (a, b):
            self.assertEqual(node.status().handshake, 0)
        key = preshared()
        peer.set_psk(first, key)
        first.set_psk(peer, key, endpoint=OUTER4["ab".index(peer.ns.label)])
        traffic.wait_ping(first.ns, peer.inner(4), 30)
        self.check_ping(3)

    def test_the_right_key_is_needed_and_enough(self):
        psk = preshared()
        for dialler in "ab":
            with self.subTest(dialler=dialler):
                a, b = self.pair(psk=(psk, psk), dialler=dialler)
                traffic.wait_ping(self.a if dialler == "a" else self.b,
                                  INNER4[1 if dialler == "a" else 0])
                self.carries_everything(1 << 18)
                self.assertEqual(a.status().psk, psk)
                a.stop()
                b.stop()

    def test_a_wrong_key_of_theirs_opens_nothing(self):
        self.refused((preshared(), preshared()), "b")

    def test_a_wrong_key_of_ours_opens_nothing(self):
        self.refused((preshared(), preshared()), "a")

    def test_a_key_on_their_side_alone_opens_nothing(self):
        self.refused((None, preshared()), "a")

    def test_a_key_on_our_side_alone_opens_nothing(self):
        self.refused((preshared(), None), "b")

    def test_a_new_key_leaves_the_session_alone(self):
        a, b = self.pair(dialler="a")
        traffic.wait_ping(self.a, INNER4[1])
        before = a.wait_handshake(b)
        for node, other in ((a, b), (b, a)):
            if node.kind != BORINGTUN:
                node.set_psk(other, preshared())
            self.check_ping(3)
        self.assertEqual(a.handshake_time(b), before)


class Roaming(Tunnel):
    """Addresses that change under a session."""

    MOVED = {4: ("192.0.2.101", "192.0.2.102"), 6: ("2001:db8:1::101", "2001:db8:1::102")}

    def move(self, node, side, family):
        """The node's outer address of this family becomes another one."""
        prefix = {4: "/24", 6: "/64"}[family]
        # in this order: with its primary address the kernel removes the secondary ones
        node.ns.ip("addr", "del", outer(family)[side] + prefix, "dev", "eth0")
        netns.address(node.ns, "eth0", self.MOVED[family][side] + prefix)

    def moves(self, side, family):
        # a connected socket of boringtun's would stay at the address that is gone
        options = ["--disable-connected-udp"] if self.other == BORINGTUN and side == 1 else []
        a, b = self.pair(family, other={"options": options})
        mover, stayer = (a, b) if side == 0 else (b, a)
        traffic.wait_ping(self.a, INNER4[1])
        before = stayer.wait_handshake(mover)
        self.move(mover, side, family)
        traffic.wait_ping(mover.ns, stayer.inner(4), 30)
        wait_for(lambda: stayer.status().endpoint == hostport(self.MOVED[family][side]),
                 "the new endpoint")
        self.carries_everything(1 << 18)
        if stayer.kind == VPNCORE:
            self.assertGreater(self.count(stayer, "roamed"), 0)
        if mover.kind == stayer.kind == VPNCORE:
            self.assertEqual(stayer.handshake_time(mover), before, "there is a new session")

    def test_we_move(self):
        self.moves(0, 4)

    def test_we_move_over_ipv6(self):
        self.moves(0, 6)

    def test_they_move(self):
        self.moves(1, 4)

    def test_they_move_over_ipv6(self):
        self.moves(1, 6)

    def test_an_endpoint_is_moved_to_the_other_family_by_wg(self):
        a, b = self.pair(4)
        traffic.wait_ping(self.a, INNER4[1])
        a.wg("set", "wg0", "peer", b.keys.public, "endpoint", hostport(OUTER6[1]))
        traffic.wait_ping(self.a, INNER4[1])
        wait_for(lambda: b.status().endpoint == hostport(OUTER6[0]), "the endpoint over IPv6")
        self.carries_everything(1 << 18)


class Restart(Tunnel):
    """Processes that die, and keys that change."""

    def test_we_come_back_after_a_kill(self):
        a, b = self.pair()
        traffic.wait_ping(self.b, INNER4[0])
        a.kill()
        a.start()
        traffic.wait_ping(self.a, INNER4[1])
        self.carries_everything(1 << 18)

    def test_they_come_back_after_a_kill(self):
        a, b = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        b.kill()
        b.start()
        traffic.wait_ping(self.b, INNER4[0])
        self.carries_everything(1 << 18)

    def changes_key(self, changer, other):
        other.forget(changer.keys.public)
        changer.keys = keys = Keys()
        other.tell(changer, endpoint=OUTER4["ab".index(changer.ns.label)])
        changer.set_key(keys)
        if changer.kind != BORINGTUN:  # it does not tell its private key
            self.assertEqual(changer.show().public, keys.public)
        traffic.wait_ping(changer.ns, other.inner(4), 30)
        other.wait_handshake(changer)
        self.carries_everything(1 << 18)

    def test_we_change_our_key(self):
        a, b = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        self.changes_key(a, b)

    def test_they_change_their_key(self):
        a, b = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        self.changes_key(b, a)


class SlowRestart(Tunnel):
    """Where only a timer finds out: 15 s after data that nothing has answered."""

    def forgotten(self, dialler):
        a, b = self.pair(dialler=dialler)
        first, peer = (a, b) if dialler == "a" else (b, a)
        traffic.wait_ping(first.ns, peer.inner(4))
        before = first.handshake_time(peer)
        peer.kill()
        peer.start()
        # the peer knows no endpoint: the one with the dead session has to notice by itself
        traffic.wait_ping(first.ns, peer.inner(4), 40)
        self.assertGreater(first.handshake_time(peer), before)

    def test_we_notice_that_they_have_forgotten_us(self):
        self.forgotten("a")

    def test_they_notice_that_we_have_forgotten_them(self):
        self.forgotten("b")


class Load(Tunnel):
    """A flood of initiations with the right mac1 from elsewhere, 192.0.2.66, at one of the two. The
    loaded end answers with cookies, and a handshake of the true peer still comes through.

        a eth0 192.0.2.1 ---- 192.0.2.2 eth0 b
               192.0.2.66 = = flood = = >            (and the other way round)
    """

    RATE = 40000

    def flooded(self, loaded, dialler):
        netns.address(dialler.ns, "eth0", "192.0.2.66/24")
        target = OUTER4["ab".index(loaded.ns.label)]
        with Flood(dialler.ns, "initiation", loaded.keys.public, target, per_second=self.RATE,
                   source="192.0.2.66"):
            if loaded.kind == VPNCORE:
                wait_for(lambda: self.count(loaded, "cookies_sent") > 100, "cookies for the flood")
            self.dial_anew(loaded, dialler, target)
            if dialler.kind == VPNCORE:
                # whether the other was loaded in that very moment is chance: until it was
                wait_for(lambda: self.count(dialler, "cookies_received") > 0
                         or self.dial_anew(loaded, dialler, target), "a cookie for us", 60)
            self.assertTrue(loaded.program.running())
        traffic.wait_ping(dialler.ns, loaded.inner(4), 30)
        self.check_ping(3)

    def dial_anew(self, loaded, dialler, target):
        """A new entry for the peer means a new handshake, which has to come through."""
        dialler.forget(loaded.keys.public)
        dialler.tell(loaded, endpoint=target, keepalive=25)
        traffic.wait_ping(dialler.ns, loaded.inner(4), 60)
        dialler.wait_handshake(loaded)

    def test_we_are_flooded_and_they_get_through(self):
        a, b = self.pair()
        traffic.wait_ping(self.b, INNER4[0])
        self.flooded(a, b)
        for event in ("under_load", "cookies_sent"):
            self.assertGreater(self.count(a, event), 0, event)

    def test_they_are_flooded_and_we_get_through_with_their_cookie(self):
        a, b = self.pair()
        traffic.wait_ping(self.a, INNER4[1])
        self.flooded(b, a)
        self.assertGreater(self.count(a, "cookies_received"), 0)


class Nat(Test):
    """An address translator with a short memory between the two; only the keepalive holds it open.

        a eth0 10.9.0.1 --- 10.9.0.9 eth0 [n] eth1 192.0.2.9 --- eth0 192.0.2.2 b
                                       masquerade
    """

    own, other = VPNCORE, VPNCORE
    MEMORY_SECONDS = 2

    def setUp(self):
        super().setUp()
        self.a, self.n, self.b = (self.namespace(label) for label in "anb")
        veth(self.a, "eth0", self.n, "eth0")
        veth(self.b, "eth0", self.n, "eth1")
        netns.address(self.a, "eth0", "10.9.0.1/24")
        netns.address(self.n, "eth0", "10.9.0.9/24")
        netns.address(self.n, "eth1", "192.0.2.9/24")
        netns.address(self.b, "eth0", "192.0.2.2/24")
        self.a.ip("route", "add", "default", "via", "10.9.0.9")
        self.n.sysctl("net/ipv4/ip_forward", 1)
        self.n.sh("nft", "add table ip nat; "
                  "add chain ip nat post { type nat hook postrouting priority 100; }; "
                  "add rule ip nat post oifname eth1 masquerade")
        for name in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
            self.n.sysctl("net/netfilter/" + name, self.MEMORY_SECONDS)

    def translated(self, inside, outside, keepalive):
        """`inside` is the kind of the node behind the translator."""
        a = Node(self, self.a, inside, both(0))
        b = Node(self, self.b, outside, both(1))
        a.add(b, endpoint="192.0.2.2", keepalive=keepalive)
        b.add(a)
        b.start()  # first: a keepalive dials at once
        a.start()
        traffic.wait_ping(self.a, INNER4[1])
        return a, b

    def held_open(self, inside, outside):
        a, b = self.translated(inside, outside, 1)

        def to_and_fro():
            """By the one of the two that counts messages; boringtun counts what is in them."""
            return a.transfer()[::-1] if a.kind != BORINGTUN else b.transfer()
        before = to_and_fro()
        # nothing but keepalives, for some times the translator's memory
        wait_for(lambda: to_and_fro()[0] >= before[0] + 6 * KEEPALIVE_BYTES, "keepalives", 20)
        self.assertLess(to_and_fro()[1] - before[1], 2 * KEEPALIVE_BYTES, "something came back")
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56), 1)
        self.assertEqual(b.status().endpoint.split(":")[0], "192.0.2.9")

    def test_our_keepalive_holds_a_translator_open(self):
        self.held_open(self.own, self.other)

    def test_their_keepalive_holds_a_translator_open(self):
        self.held_open(self.other, self.own)

    def test_without_a_keepalive_the_translator_forgets_us(self):
        """The proof that the two others prove something."""
        a, _ = self.translated(self.own, self.other, None)
        a.wait_silence(1.5 * self.MEMORY_SECONDS)
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56), 0)
        # and we are found again by a packet of ours
        traffic.wait_ping(self.a, INNER4[1])
        self.assertEqual(traffic.ping_once(self.b, INNER4[0], 1, 56), 1)


# Every group of cases; groups() makes a class of each for one kind of the other end.
GROUPS = (Dialling, Lanes, Counting, Preshared, Roaming, Restart, Load, Nat)


def groups(label, other, bases=GROUPS):
    """{name: test class}, to be put among a test file's names."""
    return {label + base.__name__: type(label + base.__name__, (base,), {"other": other})
            for base in bases}
