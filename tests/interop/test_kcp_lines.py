# SPDX-License-Identifier: BSD-2-Clause
"""A kcp stage and kcp-go on lines of other kinds than loss alone, with layers on one side only, and
with ends that begin anew. Topology: kcp_go.py.
"""
import contextlib
import signal
import time

from harness import Test, main, total, traffic, wait_for
from kcp_go import CLIENT_PORT, CURRENT, DEBIAN, INNER4, Case, Tunnel, exchange

GOS = (CURRENT, DEBIAN)
ROLES = ("client", "server")
PACKETS = 300


class Tunnels(Test):
    @contextlib.contextmanager
    def tunnel(self, case, seed=1):
        """A tunnel at work; a failure tells what its programs have said."""
        tunnel = Tunnel(case, self.directory, seed)
        with self.subTest(str(case)):
            try:
                yield tunnel.start()
            except BaseException as e:
                raise AssertionError("%s\n%s" % (e, tunnel.text())) from e
            finally:
                tunnel.close()


class Lines(Tunnels):
    def check(self, case, more=None):
        with self.tunnel(case) as tunnel:
            exchange(tunnel.spaces, case.mtu, PACKETS)
            ours = tunnel.ours.counters()
            theirs = tunnel.stop()
            if more:
                more(ours, theirs)

    def test_damaged_datagrams_are_noticed_by_what_has_a_checksum(self):
        def both_saw(ours, theirs):
            self.assertGreater(total(ours, "kcp", "drop_crypt"), 0)
            self.assertGreater(theirs["InCsumErrors"], 0)
        for go in GOS:
            for crypt in ("none", "salsa20", "aes") + (("aes-128-gcm",) if go == CURRENT else ()):
                self.check(Case(go, "client", crypt, line=("--corrupt", "10%")), both_saw)
        self.check(Case(CURRENT, "server", "aes", (10, 3), line=("--corrupt", "10%")), both_saw)

    def test_a_line_that_doubles_and_reorders(self):
        line = ("--delay", "10ms", "--duplicate", "20%", "--reorder", "20%,by=8ms")
        for go in GOS:
            for role in ROLES:
                self.check(Case(go, role, fec=(10, 3) if role == "client" else (), line=line,
                                loss=0.02))

    def test_bursts_of_loss(self):
        line = ("--delay", "5ms", "--burst", "p=2%,r=20%")
        for go in GOS:
            for role in ROLES:
                self.check(Case(go, role, "salsa20", (10, 3), line=line))

    def test_a_long_way(self):
        line = ("--delay", "100ms", "--jitter", "20ms,free")
        for role in ROLES:
            self.check(Case(CURRENT, role, mode="fast3", line=line, loss=0.03))

    def test_fec_on_our_side_only(self):
        def they_used_it(_, theirs):
            self.assertGreater(theirs["FECRecovered"], 0)
        self.check(Case(CURRENT, "client", our_fec=(10, 3), loss=0.1), they_used_it)
        # Debian's takes no parity unless it sends some
        self.check(Case(DEBIAN, "client", our_fec=(10, 3), loss=0.1))

    def test_fec_on_their_side_only(self):
        def we_used_it(ours, _):
            self.assertGreater(total(ours, "kcp", "fec_recovered"), 0)
        for go in GOS:
            for role in ROLES:
                self.check(Case(go, role, fec=(10, 3), our_fec=(), loss=0.1), we_used_it)

    def test_fec_of_different_shapes(self):
        def both_used_it(ours, theirs):
            self.assertGreater(total(ours, "kcp", "fec_recovered"), 0)
            self.assertGreater(theirs["FECRecovered"], 0)
        for go in GOS:
            self.check(Case(go, "server", "none", fec=(4, 2), our_fec=(6, 3), loss=0.08),
                       both_used_it)

    def test_windows_that_are_smaller_than_what_we_send(self):
        for go in GOS:
            for role in ROLES:
                self.check(Case(go, role, windows=16, ours=(("snd_wnd", 1024), ("rcv_wnd", 1024)),
                                loss=0.02))
                self.check(Case(go, role, windows=1024, ours=(("snd_wnd", 8), ("rcv_wnd", 16)),
                                loss=0.02))

    def test_every_congestion_control(self):
        for congestion in ("none", "reno", "rate"):
            self.check(Case(CURRENT, "client", loss=0.05, ours=(("congestion", congestion),)))

    def test_tcp_through_the_tunnel(self):
        for go in GOS:
            for stream in (False, True):
                case = Case(go, "client", "aes", (10, 3), windows=1024, stream=stream, loss=0.02,
                            line=("--delay", "5ms"))
                with self.tunnel(case) as tunnel:
                    a, b = tunnel.spaces
                    traffic.tcp(a, b, INNER4[1], 2 << 20)
                    traffic.tcp(b, a, INNER4[0], 2 << 20)
                    tunnel.stop()

    def test_a_line_that_stands_still_for_a_while(self):
        for role in ROLES:
            with self.tunnel(Case(CURRENT, role, mode="fast2")) as tunnel:
                thread = traffic.Thread(exchange, tunnel.spaces, 1280, 400, 0.01)
                begun = total(tunnel.ours.counters(), "kcp", "segments_received")
                wait_for(lambda: total(tunnel.ours.counters(), "kcp", "segments_received")
                         >= begun + 50, "traffic")
                tunnel.impair.process.send_signal(signal.SIGSTOP)
                time.sleep(3)  # is the pause itself
                tunnel.impair.process.send_signal(signal.SIGCONT)
                thread.result(90)
                tunnel.stop()


class Restarts(Tunnels):
    """Neither side says goodbye in plain KCP; who begins anew has another conversation."""

    BEFORE = (20, 600)  # packets: within the first window, and far beyond it

    def begin(self, tunnel, packets):
        exchange(tunnel.spaces, tunnel.case.mtu, packets)

    def check_again(self, tunnel):
        tunnel.wait_client()
        exchange(tunnel.spaces, tunnel.case.mtu, PACKETS)
        tunnel.stop()

    def test_their_client_begins_anew_at_the_same_port(self):
        for go in GOS:
            for before in self.BEFORE:
                with self.tunnel(Case(go, "server")) as tunnel:
                    self.begin(tunnel, before)
                    tunnel.theirs.stop()
                    tunnel.start_theirs("client")
                    tunnel.wait_client()
                    self.assertEqual(total(tunnel.ours.counters(), "kcp", "peer_restarts"), 1)
                    self.check_again(tunnel)

    def test_their_client_begins_anew_at_another_port(self):
        with self.tunnel(Case(CURRENT, "server")) as tunnel:
            self.begin(tunnel, 100)
            tunnel.theirs.stop()
            tunnel.start_theirs("client", CLIENT_PORT + 1)
            self.check_again(tunnel)

    def test_their_server_begins_anew(self):
        for go in GOS:
            for before in self.BEFORE:
                with self.tunnel(Case(go, "client", ours=(("dead_after", "3s"),))) as tunnel:
                    self.begin(tunnel, before)
                    tunnel.theirs.stop()
                    tunnel.start_theirs("server")
                    self.check_again(tunnel)

    def test_our_client_begins_anew(self):
        for go in GOS:
            for before in self.BEFORE:
                with self.tunnel(Case(go, "client")) as tunnel:
                    self.begin(tunnel, before)
                    tunnel.ours.stop()
                    tunnel.start_ours()
                    self.check_again(tunnel)

    def test_a_peer_that_is_gone_is_declared_dead(self):
        with self.tunnel(Case(CURRENT, "client", ours=(("dead_after", "2s"),))) as tunnel:
            self.begin(tunnel, 20)
            tunnel.theirs.stop()
            pinger = tunnel.spaces[0].spawn("ping", "-n", "-q", "-i", 0.2, INNER4[1])
            try:
                wait_for(lambda: total(tunnel.ours.counters(), "kcp", "sessions_dead"),
                         "the peer's death", 15)
            finally:
                pinger.kill()
                pinger.wait(10)
            tunnel.start_theirs("server")
            self.check_again(tunnel)


if __name__ == "__main__":
    main()
