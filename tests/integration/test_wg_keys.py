# SPDX-License-Identifier: BSD-2-Clause
"""What the Linux driver's selftest asks of configuration by wg(8): keys, peers and allowed addresses, many of
them and odd ones. The program is `vpncore-wg` (see dropin.py).
"""
import base64

from dropin import Direct, Interface
from harness import INNER4, INNER6, OUTER4, hostport, main, traffic
from wireguard import Keys, WireGuardTest, preshared

P = 2 ** 255 - 19

# The u coordinates of points of low order on Curve25519 and on its twist (orders 1, 2, 4 and 8), and those
# that are the same modulo P: a Diffie-Hellman with any of them gives zeros.
LOW_ORDER = (
    0, 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1, P, P + 1,
)


def base64_key(number):
    return base64.b64encode(number.to_bytes(32, "little")).decode("ascii")


def clamped(private):
    """RFC 7748 section 5."""
    key = bytearray(base64.b64decode(private))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return base64.b64encode(key).decode("ascii")


class Configuration(WireGuardTest):
    """One interface in one namespace."""

    def setUp(self):
        super().setUp()
        self.wg0 = Interface(self, self.namespace("a"), [INNER4[0] + "/24"]).start()

    def peers(self):
        return set(self.wg0.show().peers)

    def add(self, *public_keys):
        self.wg0.set(*(word for k in public_keys for word in ("peer", k)))

    def set_private(self, text):
        self.wg0.set("private-key", self.wg0.secret(text))


class PrivateKey(Configuration):
    def test_is_clamped(self):
        for private in (base64_key(2 ** 256 - 1), base64_key(2 ** 255 + 7), base64_key(7)):
            self.set_private(private)
            shown = self.wg0.show()
            self.assertEqual(shown.private, clamped(private))
            self.assertEqual(shown.public, Keys(private).public)

    def test_of_zeros_unsets_it(self):
        self.assertEqual(self.wg0.show().private, self.wg0.keys.private)
        self.set_private(base64_key(0))
        shown = self.wg0.show()
        self.assertIsNone(shown.private)
        self.assertIsNone(shown.public)
        self.set_private(self.wg0.keys.private)
        self.assertEqual(self.wg0.show().public, self.wg0.keys.public)

    def test_is_unset_by_an_empty_file(self):
        self.wg0.set("private-key", "/dev/null")
        self.assertIsNone(self.wg0.show().private)

    def test_removes_the_peer_that_has_become_ourselves(self):
        other, third = Keys(), Keys()
        self.add(other.public, third.public)
        self.set_private(other.private)
        self.assertEqual(self.peers(), {third.public})
        self.assertEqual(self.wg0.show().public, other.public)

    def test_makes_a_peer_of_our_own_be_ignored(self):
        other = Keys().public
        self.add(self.wg0.keys.public, other)
        self.assertEqual(self.peers(), {other})

    def test_comes_late_and_the_peers_are_there(self):
        self.wg0.set("private-key", "/dev/null")
        other = Keys()
        self.add(self.wg0.keys.public, other.public)
        self.set_private(self.wg0.keys.private)
        self.assertEqual(self.peers(), {other.public})


class Peers(Configuration):
    def test_an_interface_that_is_not_there_is_an_error(self):
        done = self.wg0.wg("show", "doesnotexist", check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_a_preshared_key_is_set_and_unset(self):
        other, psk = Keys().public, preshared()
        self.wg0.set("peer", other, "preshared-key", self.wg0.secret(psk))
        self.assertEqual(self.wg0.show().peers[other].psk, psk)
        self.wg0.set("peer", other, "preshared-key", "/dev/null")
        self.assertIsNone(self.wg0.show().peers[other].psk)

    def test_everything_that_is_set_is_shown(self):
        other = Keys().public
        self.wg0.set("listen-port", 1234, "fwmark", "0x2a", "peer", other, "endpoint",
                     "[2001:db8::7]:65535", "persistent-keepalive", 65535, "allowed-ips",
                     "10.0.0.0/8,::/0,0.0.0.0/0")
        shown = self.wg0.show()
        peer = shown.peers[other]
        self.assertEqual((shown.port, shown.fwmark), (1234, 42))
        self.assertEqual((peer.endpoint, peer.keepalive), ("[2001:db8::7]:65535", 65535))
        self.assertEqual(set(peer.allowed_ips), {"10.0.0.0/8", "0.0.0.0/0", "::/0"})
        self.wg0.set("fwmark", 0, "peer", other, "persistent-keepalive", "off", "allowed-ips", "")
        shown = self.wg0.show()
        peer = shown.peers[other]
        self.assertEqual((shown.fwmark, peer.keepalive, peer.allowed_ips), (0, 0, []))

    def test_removing_a_peer_that_is_not_there_is_no_error(self):
        self.wg0.set("peer", Keys().public, "remove")
        self.assertEqual(self.peers(), set())

    def test_removing_twice_and_adding_again_in_one_go(self):
        other = Keys().public
        self.add(other)
        self.wg0.set("peer", other, "remove", "peer", other, "remove", "peer", other, "allowed-ips",
                     "10.1.0.0/16")
        self.assertEqual(self.wg0.show().peers[other].allowed_ips, ["10.1.0.0/16"])

    def test_thirty_peers_are_all_there(self):
        """... the last of them with as many addresses as do not fit one read of a small buffer."""
        keys = [Keys().public for _ in range(30)]
        text = "[Interface]\nPrivateKey = %s\n" % self.wg0.keys.private
        text += "".join("[Peer]\nPublicKey = %s\n" % k for k in keys)
        addresses = ["abcd:%x::/32" % i for i in range(1, 198)]
        text += "AllowedIPs = %s\n" % ", ".join(addresses)
        self.wg0.setconf(text)
        peers = self.wg0.show().peers
        self.assertEqual(set(peers), set(keys))
        self.assertEqual(set(peers[keys[-1]].allowed_ips), set(addresses))
        self.assertEqual(sum(len(p.allowed_ips) for p in peers.values()), 197)


class AllowedAddresses(Configuration):
    def test_a_hundred_and_thirty_thousand_in_one_go(self):
        other = Keys().public
        prefixes = ["%d.%d.0.0/16" % (i, j) for i in range(1, 256) for j in range(256)]
        prefixes += ["%x:%x::/32" % (i, j) for i in range(1, 256) for j in range(1, 257)]
        text = "[Interface]\nPrivateKey = %s\n[Peer]\nPublicKey = %s\n" \
            % (self.wg0.keys.private, other)
        text += "".join("AllowedIPs = %s\n" % p for p in prefixes)
        self.wg0.setconf(text)
        found = self.wg0.show().peers[other].allowed_ips
        self.assertEqual(len(found), len(prefixes))
        self.assertEqual(set(found), set(prefixes))
        # The same again changes nothing; then all go to another peer, which takes the first's away.
        self.wg0.setconf(text, "addconf")
        self.assertEqual(len(self.wg0.show().peers[other].allowed_ips), len(prefixes))
        heir = Keys().public
        self.wg0.setconf(text.replace(other, heir), "addconf")
        peers = self.wg0.show().peers
        self.assertEqual(peers[other].allowed_ips, [])
        self.assertEqual(set(peers[heir].allowed_ips), set(prefixes))

    def test_forty_peers_with_fifty_two_each(self):
        keys = [Keys().public for _ in range(40)]
        text = "[Interface]\nPrivateKey = %s\n" % self.wg0.keys.private
        wanted = {}
        for i, key in enumerate(keys):
            wanted[key] = ["%d.%d.0.0/16" % (i + 1, j) for j in range(52)]
            text += "[Peer]\nPublicKey = %s\n" % key
            text += "".join("AllowedIPs = %s\n" % p for p in wanted[key])
        self.wg0.setconf(text)
        peers = self.wg0.show().peers
        self.assertEqual({k: sorted(p.allowed_ips) for k, p in peers.items()},
                         {k: sorted(p) for k, p in wanted.items()})

    def test_that_overlap_go_to_who_asked_last(self):
        first, second = Keys().public, Keys().public
        self.wg0.set("peer", first, "allowed-ips", "10.0.0.0/8,fd00::/8,10.0.0.1/32",
                     "peer", second, "allowed-ips", "10.0.0.0/8,10.1.0.0/16")
        peers = self.wg0.show().peers
        self.assertEqual(set(peers[first].allowed_ips), {"fd00::/8", "10.0.0.1/32"})
        self.assertEqual(set(peers[second].allowed_ips), {"10.0.0.0/8", "10.1.0.0/16"})

    def test_lose_the_bits_beyond_their_length(self):
        other = Keys().public
        self.wg0.set("peer", other, "allowed-ips", "10.11.12.13/8,fd00:1234::1/16,1.2.3.4/0")
        self.assertEqual(set(self.wg0.show().peers[other].allowed_ips),
                         {"10.0.0.0/8", "fd00::/16", "0.0.0.0/0"})

    def test_replace_what_was_there(self):
        other = Keys().public
        for prefixes in ({"10.0.0.0/8", "::/0"}, {"10.0.0.0/8"}, {"192.0.2.0/24", "::/0"}, set()):
            self.wg0.set("peer", other, "allowed-ips", ",".join(prefixes))
            self.assertEqual(set(self.wg0.show().peers[other].allowed_ips), prefixes)


class LowOrder(Direct):
    """A peer whose public key is a point of low order can agree on nothing secret: nothing is ever
    sent to it, whatever there is to send."""

    def test_public_keys_make_nothing_be_sent(self):
        one, _ = self.begin()
        self.check_ping(2)
        with self.b.socket() as ear:
            ear.bind((OUTER4[1], 1111))
            for i, number in enumerate(LOW_ORDER):
                one.set("peer", base64_key(number), "endpoint", hostport(OUTER4[1], 1111),
                        "persistent-keepalive", 1, "allowed-ips",
                        "10.66.0.%d/32,fd66::%d/128" % (i, i))
            self.a.ip("route", "add", "10.66.0.0/24", "dev", "wg0")
            self.a.ip("route", "add", "fd66::/64", "dev", "wg0")
            for i in range(len(LOW_ORDER)):
                for address in ("10.66.0.%d" % i, "fd66::%d" % i):
                    traffic.udp_flood(self.a, address, 9, 100, 3)
            # One that is not of low order is told to do the same, afterwards, and does.
            good = Keys().public
            one.set("peer", good, "endpoint", hostport(OUTER4[1], 1111), "persistent-keepalive", 1,
                    "allowed-ips", "10.66.0.99/32")
            ear.settimeout(20)
            first = ear.recv(2048)
            self.assertEqual((len(first), first[0]), (148, 1))
            peers = one.show().peers
            self.assertEqual(peers[good].tx, 148)
            for number in LOW_ORDER:
                if base64_key(number) in peers:
                    self.assertEqual(peers[base64_key(number)].tx, 0)
            ear.settimeout(0)
            with self.assertRaises(BlockingIOError):
                ear.recv(2048)
        self.check_ping(2)


class Pairs(Direct):
    def test_a_preshared_key_on_one_side_only_agrees_on_nothing(self):
        one, two = self.begin()
        one.set("peer", two.keys.public, "preshared-key", one.secret(preshared()))
        self.assertEqual(traffic.ping_once(self.a, INNER4[1], 1, 56), 0)
        self.assertEqual(one.status().handshake, 0)

    def test_without_a_private_key_nothing_is_sent(self):
        one, _ = self.begin()
        one.set("private-key", "/dev/null")
        traffic.udp_flood(self.a, INNER4[1], 9, 100, 3)
        traffic.udp_flood(self.a, INNER6[1], 9, 100, 3)
        self.assertEqual(one.transfer(), (0, 0))
        one.set("private-key", one.secret(one.keys.private))
        traffic.wait_ping(self.a, INNER4[1])
        self.check_ping(2)


if __name__ == "__main__":
    main()
