# SPDX-License-Identifier: BSD-2-Clause
"""kcp_contenders: what stands on bad lines: our kcp stage in its three reliabilities, plain UDP, and kcptun.

                namespace a                          namespace b
    contender   10.78.0.1 . . . . . . . . . . . . .  10.78.0.2
    cable       eth0 192.0.2.1 -------- veth ------  eth0 192.0.2.2:7000 impair 192.0.2.2:7100 --> side b

A scene gives each contender a `line`, options of tests/tools/impair; without one they stand on the bare cable. What
offers "line" takes part in those scenes.
"""
from cable import PORT, outer
import forwarders
from forwarders import KCP_PORT
from impair import Impair, binary
from loads import IPERF_PORT
import own

ENTRY_PORT, EXIT_PORT = 7000, 7100
WINDOW = 2048  # packets; of ours and of kcptun


class Lined:
    """A contender that may stand on a line. `port` is where its b listens, `fixed` whether b has to
    know where its peer is."""

    line = None
    impair = None
    port = PORT
    fixed = True

    @classmethod
    def missing(cls, options):
        return super().missing(options) or (
            None if binary().exists() else "%s is not built" % binary())

    def prepare(self):
        super().prepare()
        if self.line is None:
            return
        fixed = ["--source", "%s:%d" % (outer(2), EXIT_PORT),
                 "--client", "%s:%d" % (outer(1), PORT)] if self.fixed else []
        self.impair = Impair(self.b, "%s:%d" % (outer(2), ENTRY_PORT),
                             "%s:%d" % (outer(2), self.port), self.directory, *fixed, *self.line)

    def entry(self):
        """(address, port) to which a sends."""
        return outer(2), self.port if self.line is None else ENTRY_PORT

    def exit(self):
        """From where b is written to."""
        return (outer(1), PORT) if self.line is None else (outer(2), EXIT_PORT)

    def close(self):
        if self.impair:
            self.impair.close()
        super().close()


class Vpncore(Lined, own.Vpncore):
    """The plain UDP tunnel of own.py, which may stand on a line."""

    offers = own.Vpncore.offers | {"line"}
    datagrams = True  # carries UDP

    def udp_stage(self, side):
        return {"transport": "udp", "listen": "%s:%d" % (outer(side), PORT),
                "remote": "%s:%d" % (self.entry() if side == 1 else self.exit())}


class Reliable(Vpncore):
    """With all that kcptun has on a clean line: a checksum, its fastest preset, its window."""

    name = "vpncore-kcp"
    title = "vpncore, kcp, reliable"
    offers = frozenset(("line", "program"))
    kcp = {"reliability": "reliable", "mode": "fast3", "crypt": "none", "snd_wnd": WINDOW,
           "rcv_wnd": WINDOW}

    def transports(self, side):
        del side
        return [{"transport": "kcp", **self.kcp}]


class ReliableFec(Reliable):
    """The same with the parity that kcptun has by itself, and our own windows."""

    name = "vpncore-kcp-fec"
    title = "vpncore, kcp, reliable, FEC 10/3"
    kcp = {"reliability": "reliable", "mode": "fast3", "crypt": "none",
           "fec": {"data": 10, "parity": 3}}


class Deadline(Reliable):
    """As the stage is by itself."""

    name = "vpncore-kcp-deadline"
    title = "vpncore, kcp, deadline of 300 ms"
    kcp = {"reliability": "deadline"}


class Datagram(Reliable):
    name = "vpncore-kcp-datagram"
    title = "vpncore, kcp, datagram"
    kcp = {"reliability": "datagram"}


class Kcptun(Lined, forwarders.Kcptun):
    """As in forwarders.py, on a line if there is one."""

    offers = forwarders.Kcptun.offers | {"line"}
    port = KCP_PORT
    fixed = False
    datagrams = False

    def launch(self, side):
        if side == 1:
            self.spawn(side, "kcptun-client", "-r", "%s:%d" % self.entry(), "-l",
                       "127.0.0.1:%d" % IPERF_PORT, *self.common)
        else:
            super().launch(side)


class KcptunFec(Kcptun):
    """With the parity that kcptun has by itself: 3 for 10."""

    name = "kcptun-fec"
    title = "kcptun, crypt none, FEC 10/3, fast3"
    offers = frozenset(("line", "program"))
    common = ["--crypt", "none", "--mode", "fast3", "--datashard", "10", "--parityshard", "3",
              "--nocomp", "--sndwnd", str(WINDOW), "--rcvwnd", str(WINDOW), "--quiet"]


ALL = (Vpncore, Reliable, ReliableFec, Deadline, Datagram, Kcptun, KcptunFec)
