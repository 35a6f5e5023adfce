# SPDX-License-Identifier: BSD-2-Clause
"""The configuration socket of a running pipeline, by wg(8) and by hand. The topology is that of Peers, with
wg0 and 10.78.0.x, fd78::x at both ends of the cable; a second peer, c, has a cable of its own to a.
"""
import os
import pathlib
import random
import re
import socket
import struct
import threading

from dropin import OURS, PROGRAM, start_environment
from harness import INNER4, INNER6, OUTER4, Peers, hostport, main, traffic, veth, wait_for
import netns
from wireguard import DEBIAN_GO, VPNCORE, Keys, Node, preshared, private_run, secret_file

# To see that these can pass and fail; beside dropin.py's variable.
KIND = VPNCORE if OURS else DEBIAN_GO
INNER_C = ("10.78.0.3", "fd78::3")
OUTER_C = ("198.51.100.1", "198.51.100.3")


class Pipeline(Peers):
    """One (in a) and two (in b) by `vpncore run`."""

    def setUp(self):
        super().setUp()
        self.one, self.two = (
            Node(self, ns, KIND, [INNER4[i] + "/24", INNER6[i] + "/64"])
            for i, ns in enumerate((self.a, self.b)))
        self.one.add(self.two, endpoint=OUTER4[1])
        self.two.add(self.one, endpoint=OUTER4[0])
        self.one.start()
        self.two.start()
        self.check_ping(2)

    def set(self, *argv, **kwargs):
        return self.one.wg("set", "wg0", *argv, **kwargs)

    def setconf(self, verb, text, **kwargs):
        return self.one.wg(verb, "wg0", secret_file(self.directory, text), **kwargs)

    def third(self):
        """c, which knows of one, and of which one does not know."""
        c = self.namespace("c")
        veth(self.a, "eth1", c, "eth0")
        netns.address(self.a, "eth1", OUTER_C[0] + "/24")
        netns.address(c, "eth0", OUTER_C[1] + "/24")
        node = Node(self, c, KIND, [INNER_C[0] + "/24", INNER_C[1] + "/64"])
        return node.add(self.one, endpoint=OUTER_C[0]).start()

    def socket_path(self, ns=None):
        return "/run/wireguard-%s/wg0.sock" % (ns or self.a).name


class Flow:
    """Numbered datagrams from one inner address to another, one after the other's answer: none is lost, or
    stop() says so."""

    def __init__(self, source, sink, address):
        self.echo = traffic.UdpEcho(sink, address)
        self.socket = source.socket(traffic.family_of(address))
        self.socket.settimeout(20)
        self.socket.connect((address, self.echo.port))
        self.answered = 0
        self._end = threading.Event()
        self._thread = traffic.Thread(self._work)

    def _work(self):
        while not self._end.is_set():
            text = b"%d" % self.answered
            self.socket.send(text)
            got = self.socket.recv(64)
            if got != text:
                raise AssertionError("%r came for %r" % (got, text))
            self.answered += 1

    def wait(self, more):
        goal = self.answered + more
        wait_for(lambda: self.answered >= goal or not self._thread.is_alive(), "datagrams", 20)

    def stop(self):
        self._end.set()
        try:
            self._thread.result()
        finally:
            self.echo.close()
            self.socket.close()

    def __enter__(self):
        self.wait(3)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.wait(20)
        self.stop()


class Show(Pipeline):
    def test_every_field_is_there(self):
        shown = self.one.show()
        self.assertEqual(shown.private, self.one.keys.private)
        self.assertEqual(shown.public, self.one.keys.public)
        self.assertEqual((shown.port, shown.fwmark), (51820, 0))
        peer = self.one.status(self.two)
        self.assertEqual(set(peer.allowed_ips), {INNER4[1] + "/32", INNER6[1] + "/128"})
        self.assertEqual(peer.endpoint, hostport(OUTER4[1]))
        self.assertEqual((peer.psk, peer.keepalive), (None, 0))
        self.assertGreater(min(peer.handshake, peer.rx, peer.tx), 0)
        self.assertEqual(self.two.transfer(), (peer.tx, peer.rx))

    def test_is_readable_for_people(self):
        text = self.one.wg("show").stdout
        for line in ("interface: wg0", "public key: " + self.one.keys.public, "private key: (hidden)",
                     "listening port: 51820", "peer: " + self.two.keys.public,
                     "endpoint: " + hostport(OUTER4[1]), "latest handshake: ", "transfer: "):
            self.assertIn(line, text)
        self.assertEqual(self.one.wg("show", "interfaces").stdout, "wg0\n")

    def test_the_socket_is_only_ours(self):
        path = pathlib.Path(self.socket_path())
        self.assertEqual(path.stat().st_mode & 0o077, 0)


class Set(Pipeline):
    def test_adds_and_removes_a_peer_and_leaves_the_other_alone(self):
        third = self.third()
        before = self.one.handshake_time(self.two)
        with Flow(self.b, self.a, INNER4[0]):
            self.set("peer", third.keys.public, "allowed-ips", ",".join(third.hosts()))
            traffic.wait_ping(third.ns, INNER4[0])
            self.assertEqual(traffic.ping(self.a, INNER_C[1], 3), 3)
            self.set("peer", third.keys.public, "remove")
            self.assertEqual(list(self.one.show().peers), [self.two.keys.public])
            self.assertEqual(traffic.ping_once(third.ns, INNER4[0], 1, 56), 0)
        self.assertEqual(self.one.handshake_time(self.two), before)

    def test_a_preshared_key_holds_from_the_next_handshake_on(self):
        psk = preshared()
        before = self.one.handshake_time(self.two)
        with Flow(self.b, self.a, INNER6[0]):
            for node, other in ((self.one, self.two), (self.two, self.one)):
                node.wg("set", "wg0", "peer", other.keys.public, "preshared-key",
                        secret_file(self.directory, psk))
        self.assertEqual(self.one.handshake_time(self.two), before)
        self.assertEqual(self.one.status(self.two).psk, psk)
        # A new start of the other side makes a new handshake, with the key.
        self.two.peers[0].psk = psk
        self.two.stop()
        self.two.start()
        traffic.wait_ping(self.b, INNER4[0])
        self.one.wait_handshake(self.two, before)

    def test_an_endpoint(self):
        netns.address(self.b, "eth0", "192.0.2.22/24")
        with Flow(self.b, self.a, INNER4[0]):
            self.set("peer", self.two.keys.public, "endpoint", "192.0.2.22:51820")
        self.check_ping(2)

    def test_a_keepalive_begins_at_once(self):
        before = self.two.transfer()[0]
        self.set("peer", self.two.keys.public, "persistent-keepalive", 3600)
        wait_for(lambda: self.two.transfer()[0] == before + 32, "a keepalive")
        self.assertEqual(self.one.status(self.two).keepalive, 3600)

    def test_a_listen_port_changes_under_traffic(self):
        """What is under way at that moment may be lost; the session and the flow go on."""
        before = self.one.handshake_time(self.two)
        stream = traffic.TcpStream(self.a, self.b, INNER4[1])
        try:
            for port in (4711, 4712, 51820):
                stream.wait_moved(1 << 20)
                self.set("listen-port", port)
                self.assertEqual(self.one.show().port, port)
                stream.wait_moved(1 << 20)
                wait_for(lambda p=port: self.two.status(self.one).endpoint == hostport(OUTER4[0], p),
                         "the peer has noticed port %d" % port)
        finally:
            stream.stop()
        self.assertEqual(self.one.handshake_time(self.two), before)

    def test_a_port_in_use_is_refused_and_the_old_one_stays(self):
        with self.a.socket() as taken:
            taken.bind(("0.0.0.0", 4713))
            done = self.set("listen-port", 4713, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("in use", done.stderr)
        self.assertEqual(self.one.show().port, 51820)
        self.check_ping(2)

    def test_a_firewall_mark_is_on_the_messages(self):
        self.set("fwmark", "0x77")
        self.assertEqual(self.one.show().fwmark, 0x77)
        self.a.ip("rule", "add", "fwmark", 0x77, "prohibit")
        self.assertEqual(traffic.ping_once(self.a, INNER4[1], 1, 56), 0)
        self.set("fwmark", 0)
        self.assertEqual(self.one.show().fwmark, 0)
        self.check_ping(2)

    def test_a_private_key(self):
        new = Keys()
        self.two.wg("set", "wg0", "peer", new.public, "allowed-ips", ",".join(self.one.hosts()))
        self.set("private-key", secret_file(self.directory, new.private))
        traffic.wait_ping(self.a, INNER4[1])
        self.assertEqual(self.one.show().public, new.public)
        self.check_ping(2)

    def test_an_unknown_peer_is_not_made_by_update_only(self):
        key = bytes(32 * [7]).hex()
        self.assertEqual(self.ask("set=1\npublic_key=%s\nupdate_only=true\nallowed_ip=10.0.0.0/8\n\n" % key),
                         "errno=0\n\n")
        self.assertEqual(list(self.one.show().peers), [self.two.keys.public])

    def ask(self, text):
        with Conversation(self.socket_path()) as c:
            return c.ask(text)


class Files(Pipeline):
    """setconf, addconf, syncconf, showconf."""

    def test_what_showconf_writes_setconf_takes(self):
        psk = preshared()
        self.set("peer", Keys().public, "preshared-key", secret_file(self.directory, psk),
                 "endpoint", "[2001:db8::5]:5", "allowed-ips", "10.5.0.0/16,fd05::/16",
                 "persistent-keepalive", 25)
        text = self.one.wg("showconf", "wg0").stdout
        self.setconf("setconf", text)
        self.assertEqual(sections(self.one.wg("showconf", "wg0").stdout), sections(text))
        traffic.wait_ping(self.b, INNER4[0], 30)
        self.check_ping(2)

    def test_syncconf_with_what_is_there_disturbs_nobody(self):
        before = self.one.handshake_time(self.two)
        with Flow(self.b, self.a, INNER4[0]) as flow:
            for _ in range(5):
                self.setconf("syncconf", self.one.wg("showconf", "wg0").stdout)
                flow.wait(3)
        self.assertEqual(self.one.handshake_time(self.two), before)

    def test_syncconf_adds_and_removes_others_and_disturbs_nobody(self):
        before = self.one.handshake_time(self.two)
        base = self.one.wg("showconf", "wg0").stdout
        keys = [Keys().public for _ in range(3)]
        with Flow(self.b, self.a, INNER6[0]) as flow:
            for chosen in (keys[:2], keys[1:], []):
                more = "".join("\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.%d.0.0/16\n"
                               % (k, 100 + keys.index(k)) for k in chosen)
                self.setconf("syncconf", base + more)
                self.assertEqual(set(self.one.show().peers), {self.two.keys.public, *chosen})
                flow.wait(3)
        self.assertEqual(self.one.handshake_time(self.two), before)

    def test_addconf_adds(self):
        other = Keys().public
        with Flow(self.b, self.a, INNER4[0]):
            self.setconf("addconf", "[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.0/16\n" % other)
        self.assertEqual(self.one.show().peers[other].allowed_ips, ["10.9.0.0/16"])
        self.assertEqual(len(self.one.show().peers), 2)


def sections(text):
    """A configuration without the order of what has none."""
    found = []
    for section in re.split(r"\n(?=\[)", text.strip()):
        lines = [re.sub(r"(?<== ).*", lambda m: ", ".join(sorted(m[0].split(", "))), line)
                 for line in section.splitlines() if line]
        found.append(sorted(lines))
    return sorted(found)


class Conversation:
    """A connection to the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        # Waits while others are being accepted, as wg(8) does; a timeout would make that an error.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 20, 0))
        self.socket.connect(path)
        self.socket.settimeout(20)

    def send(self, data):
        """False when the other side has hung up."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def ask(self, text):
        """One operation; its answer, or what came before the other side hung up."""
        self.send(text if isinstance(text, bytes) else text.encode("ascii"))
        answer = b""
        while not re.search(rb"errno=-?\d+\n\n\Z", answer):
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            answer += piece
        return answer.decode("ascii")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Hostile(Pipeline):
    """Whatever is written to the socket, the device is unharmed."""

    def check_unharmed(self):
        with Conversation(self.socket_path()) as c:
            self.assertTrue(c.ask("get=1\n\n").endswith("errno=0\n\n"))
        self.check_ping(1)

    def test_errors_have_numbers_that_wg_understands(self):
        key = bytes(range(32)).hex()
        for text, number in (
                ("set=1\nprivate_key=xyz\n\n", 22), ("set=1\nlisten_port=65536\n\n", 22),
                ("set=1\nlisten_port=-1\n\n", 22), ("set=1\nfwmark=4294967296\n\n", 22),
                ("set=1\nreplace_peers=yes\n\n", 22), ("set=1\nnonsense=1\n\n", 22),
                ("set=1\nallowed_ip=10.0.0.0/8\n\n", 22), ("set=1\nno equals sign\n\n", 71),
                ("set=1\npublic_key=%s\nallowed_ip=10.0.0.0/33\n\n" % key, 22),
                ("set=1\npublic_key=%s\nendpoint=10.0.0.1\n\n" % key, 22),
                ("set=1\npublic_key=%s\npersistent_keepalive_interval=65536\n\n" % key, 22),
                ("set=1\npublic_key=%s\nprotocol_version=2\n\n" % key, 22)):
            with Conversation(self.socket_path()) as c:
                self.assertEqual(c.ask(text), "errno=-%d\n\n" % number, text)
        with Conversation(self.socket_path()) as c:
            self.assertRegex(c.ask("get=1\nx\n\n"), r"\Aerrno=\d+\n\n")
        self.check_unharmed()

    def test_several_operations_on_one_connection(self):
        with Conversation(self.socket_path()) as c:
            for mark in (1, 2, 0):
                self.assertEqual(c.ask("set=1\nfwmark=%d\n\n" % mark), "errno=0\n\n")
                self.assertTrue(c.ask("get=1\n\n").endswith("errno=0\n\n"))
        self.check_unharmed()

    def test_garbage(self):
        noise = random.Random(7)
        for n in (1, 2, 100, 4096, 70000):
            with Conversation(self.socket_path()) as c:
                c.send(noise.randbytes(n))
        for text in (b"\n", b"\n\n", b"=\n\n", b"get=2\n\n", b"set=1", b"set=1\n=\n\n", b"get=1\n",
                     b"set=1\npublic_key=", b"set=1\n" + b"a" * 200000, b"\0" * 1000):
            with Conversation(self.socket_path()) as c:
                c.send(text)
        self.check_unharmed()

    def test_a_client_that_hangs_up_or_does_not_read(self):
        lazy = [Conversation(self.socket_path()) for _ in range(20)]
        try:
            for c in lazy:
                c.send(b"get=1\n\n" * 200)
            self.check_unharmed()
        finally:
            for c in lazy:
                c.socket.close()
        self.check_unharmed()

    def test_clients_that_say_nothing_hold_nobody_up(self):
        silent = [Conversation(self.socket_path()) for _ in range(8)]
        try:
            silent[0].send(b"set=1\nfwmark=5\n")  # not complete: nothing may depend on its end
            self.check_unharmed()
        finally:
            for c in silent:
                c.socket.close()


class Life(Pipeline):
    """Of the socket file."""

    def test_is_removed_at_stop(self):
        self.assertTrue(os.path.exists(self.socket_path()))
        self.one.stop()
        self.assertFalse(os.path.exists(self.socket_path()))

    def test_one_that_a_killed_program_left_is_replaced(self):
        self.one.kill()
        self.assertTrue(os.path.exists(self.socket_path()))
        self.one.start()
        self.assertEqual(self.one.show().public, self.one.keys.public)
        traffic.wait_ping(self.a, INNER4[1])

    def test_a_second_interface_of_that_name_is_refused(self):
        """In another network namespace the device's name is free, the socket's is not."""
        elsewhere = self.namespace("elsewhere")
        done = elsewhere.sh(*private_run(self.a), PROGRAM, "-f", "wg0", check=False,
                            env=start_environment(), timeout=30)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"wg0.*(in use|already|busy)")
        self.assertEqual(self.one.show().public, self.one.keys.public)
        self.check_ping(2)


if __name__ == "__main__":
    main()
