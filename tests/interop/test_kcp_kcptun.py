# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kcptun carries TCP through two kcp stages that stand between its ends as a relay.

    namespace c                 namespace r                                  namespace s
    TCP client                                                               TCP server
      | 127.0.0.1                                                              | 127.0.0.1
    kcptun-client ----veth---- [udp, kcp, pipe] == [pipe, kcp, udp] ----veth---- kcptun-server
    192.0.2.1                  192.0.2.2            198.51.100.2                 198.51.100.1
                               and impair before it

A kcp stage has messages, kcptun a stream of its own (smux) cut into KCP's segments. So a tunnel of
ours and a kcptun cannot be the two ends of one connection; but each segment is a message, and what
comes out of one stage, in order, is put into the next.
"""
import random
import socket

import netns
from harness import Test, Vpncore, main, total, traffic, wait_for
from kcp_go import BUILD, PEERS_DIR, Program
from wireguard import secret_file

KEY = "it's a secrect"
PORT = 29900
IMPAIR_PORT = 29901
LISTEN = 12948
DATAGRAM = 1350
HEADERS = 24 + 20  # of KCP and crypt
FEC_HEADER = 8
BYTES = 3 << 20


class Relay(Test):
    def stage(self, name, ns, fd, udp, accept, crypt, fec, directory):
        kcp = {"transport": "kcp", "reliability": "reliable", "mode": "fast3", "crypt": crypt,
               "mtu": DATAGRAM, "queue": "0s", "snd_wnd": 1024, "rcv_wnd": 1024}
        if crypt != "none":
            kcp["password"] = {"file": secret_file(directory, KEY)}
        if fec:
            kcp["fec"] = {"data": 10, "parity": 3}
        if accept:
            kcp["accept"] = 1
        device = {"device": "org.vpncore.pipe", "plugin": str(PEERS_DIR / "bin" / "pipe.so"),
                  "fd": fd.fileno(), "mtu": DATAGRAM - HEADERS - (FEC_HEADER if fec else 0)}
        spec = {"vpncore": 1, "name": name, "allow_insecure": True,
                "pipeline": [device, kcp, {"transport": "udp", **udp}]}
        program = Vpncore(ns, spec, directory, pass_fds=(fd.fileno(),))
        self.programs.append(program)
        self.addCleanup(program.close)
        return program.wait_up()

    def start(self, ns, directory, *argv):
        program = Program(ns, directory, str(argv[0]).rsplit("/", 1)[-1], argv)
        self.programs.append(program)
        self.addCleanup(program.process.wait, 10)
        self.addCleanup(program.process.kill)
        return program

    def relay(self, crypt, fec):
        c, r, s = [self.namespace(label) for label in "crs"]
        netns.veth(c, "eth0", r, "eth0")
        netns.veth(r, "eth1", s, "eth0")
        netns.address(c, "eth0", "192.0.2.1/24")
        netns.address(r, "eth0", "192.0.2.2/24")
        netns.address(r, "eth1", "198.51.100.2/24")
        netns.address(s, "eth0", "198.51.100.1/24")
        directory = self.directory / ("%s-%s" % (crypt, fec))
        directory.mkdir()
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with left, right:
            ours = [self.stage("left", r, left, {"listen": "192.0.2.2:%d" % PORT}, True, crypt, fec,
                               directory),
                    self.stage("right", r, right, {"remote": "198.51.100.1:%d" % PORT}, False,
                               crypt, fec, directory)]
        common = ["--key", KEY, "--crypt", crypt, "--mode", "fast3", "--mtu", DATAGRAM,
                  "--sndwnd", 1024, "--rcvwnd", 1024, "--datashard", 10 if fec else 0,
                  "--parityshard", 3 if fec else 0]
        self.start(r, directory, BUILD / "bin" / "impair", "--listen", "192.0.2.2:%d" % IMPAIR_PORT,
                   "--to", "192.0.2.2:%d" % PORT, "--loss", "2%")
        self.start(s, directory, "kcptun-server", "-l", ":%d" % PORT,
                   "-t", "127.0.0.1:%d" % LISTEN, *common)
        client = self.start(c, directory, "kcptun-client", "-r", "192.0.2.2:%d" % IMPAIR_PORT,
                            "-l", "127.0.0.1:%d" % LISTEN, *common)
        wait_for(lambda: "listening on" in client.log(), "kcptun-client")
        return c, s, ours

    def serve(self, s, n):
        """A TCP server of one connection that gives back what it gets."""
        listener = s.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", LISTEN))
        listener.listen(4)
        listener.settimeout(30)

        def echo():
            with listener, listener.accept()[0] as connection:
                connection.settimeout(60)
                left = n
                while left:
                    data = connection.recv(1 << 16)
                    if not data:
                        raise AssertionError("the stream ended %d bytes too early" % left)
                    connection.sendall(data)
                    left -= len(data)
        return traffic.Thread(echo)

    def check(self, crypt, fec):
        with self.subTest("%s, %s FEC" % (crypt, "with" if fec else "no")):
            c, s, ours = self.relay(crypt, fec)
            content = random.Random(crypt).randbytes(BYTES)  # snappy makes nothing of it
            server = self.serve(s, len(content))
            with c.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
                client.settimeout(60)
                client.connect(("127.0.0.1", LISTEN))
                sender = traffic.Thread(client.sendall, content)
                got = bytearray()
                while len(got) < len(content):
                    data = client.recv(1 << 16)
                    self.assertTrue(data, "the stream ended after %d bytes" % len(got))
                    got += data
                sender.result()
                self.assertTrue(got == content, "not what was sent")
                server.result()
            for program in ours:
                counters = program.counters()
                self.assertGreater(total(counters, "kcp", "segments_received"), BYTES // DATAGRAM)
                for name in ("drop_crypt", "drop_queue_old", "drop_queue_full", "drop_message",
                             "drop_too_big"):
                    self.assertEqual(total(counters, "kcp", name), 0, name)

    def test_a_stream_of_kcptun_passes_through_both_roles(self):
        for crypt, fec in (("none", False), ("aes", False), ("salsa20", True)):
            self.check(crypt, fec)


if __name__ == "__main__":
    main()
