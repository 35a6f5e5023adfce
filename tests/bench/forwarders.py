# SPDX-License-Identifier: BSD-2-Clause
"""forwarders: programs that forward TCP connections instead of packets.

They see bytes where a VPN sees packets: they answer TCP's acknowledgements themselves, and can
carry nothing but TCP. So only the measures of TCP streams, memory and start are taken of them.
"""
import socket
import threading
import time

from cable import Answers, Contender, have, outer
from debian import installed_version
from loads import IPERF_PORT

KCP_PORT = 29900


class Kcptun(Contender):
    """As fast as kcptun goes on a clean link: no cipher, no parity, no compression, the fastest
    preset, windows that do not bound it. Version 2 of its multiplexer, with room for each stream's
    window: else a stream that nobody reads at the moment holds up all others, and iperf3, which
    stops reading before it says so, never ends."""

    name = "kcptun"
    title = "kcptun, crypt none, no FEC, fast3"
    target = "127.0.0.1"
    listen = "127.0.0.1"
    offers = frozenset(("tcp", "program"))
    packages = ("kcptun",)
    common = ["--crypt", "none", "--mode", "fast3", "--datashard", "0", "--parityshard", "0",
              "--nocomp", "--sndwnd", "2048", "--rcvwnd", "2048", "--quiet",
              "--smuxver", "2", "--smuxbuf", str(32 << 20)]

    @classmethod
    def missing(cls, options):
        return None if have("kcptun-client") and have("kcptun-server") else "kcptun is not here"

    @classmethod
    def version(cls, options):
        return installed_version("kcptun")

    def launch(self, side):
        remote = "%s:%d" % (outer(2), KCP_PORT)
        local = "127.0.0.1:%d" % IPERF_PORT
        if side == 1:
            self.spawn(side, "kcptun-client", "-r", remote, "-l", local, *self.common)
        else:
            self.spawn(side, "kcptun-server", "-l", remote, "-t", local, *self.common)
            self.wait(side, lambda: ":%d" % KCP_PORT in self.b.sh("ss", "-Hlun").stdout,
                      "its socket")

    def answers(self):
        return Echo(self)


class Echo(Answers):
    """A byte that comes back from b by a connection through the forwarder."""

    def __init__(self, contender):
        super().__init__(contender)
        self.server = contender.b.socket(kind=socket.SOCK_STREAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind((contender.listen, IPERF_PORT))
        self.server.listen()
        self.echoing = threading.Thread(target=self.echo, daemon=True)
        self.echoing.start()

    def echo(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return  # __exit__ has ended it
            with connection:
                connection.settimeout(5)
                try:
                    connection.sendall(connection.recv(1))
                except OSError:
                    continue

    def __exit__(self, *_):
        super().__exit__()
        self.server.shutdown(socket.SHUT_RDWR)
        self.echoing.join()
        self.server.close()

    def ask(self):
        with self.contender.a.socket(kind=socket.SOCK_STREAM) as s:
            s.settimeout(2)
            try:
                s.connect((self.contender.target, IPERF_PORT))
                s.sendall(b"?")
                return s.recv(1) == b"?"
            except OSError:
                time.sleep(0.001)
                return False
