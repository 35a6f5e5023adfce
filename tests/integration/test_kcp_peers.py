# SPDX-License-Identifier: BSD-2-Clause
"""Peers of a kcp stage that die, come back, vanish and move. Topology: kcp.py."""
import signal
import time

import netns
from harness import INNER4, main, traffic, wait_for
from kcp import (CLIENT, DATAGRAM, DEADLINE, EXIT, PIPELINES, PLAIN, RELIABILITIES, RELIABLE, KcpTest,
                 dead_said, each)

DELAY = ("--delay", "5ms")
QUICK = {"dead_after": "2s"}
NEW_CLIENT = "192.0.2.5"


SAME_PORT, NEW_PORT = PORTS = ("same port", "new port")


class Restart(KcpTest):
    """kill -9, and the same program again."""

    def again(self, side, pipeline, reliability, program):
        ns = (self.a, self.b)[side]
        program.kill()
        wait_for(lambda: not ns.has("vpn0"), "the end of vpn0")
        return self.start(side, pipeline, reliability, QUICK)

    def check(self, side, pipeline, reliability):
        pair = list(self.tunnel(pipeline, reliability, QUICK))
        traffic.tcp(self.a, self.b, INNER4[1], 1 << 18)
        pair[side] = self.again(side, pipeline, reliability, pair[side])
        traffic.wait_ping(self.a, INNER4[1], 30)
        traffic.wait_ping(self.b, INNER4[0], 30)
        traffic.tcp(self.a, self.b, INNER4[1], 1 << 18)
        traffic.tcp(self.b, self.a, INNER4[0], 1 << 18)
        return pair[1 - side]

    @each(PIPELINES, RELIABILITIES, PORTS)
    def test_a_client_that_was_killed_comes_back(self, pipeline, reliability, port):
        self.client_port = 51821 if port == SAME_PORT else None
        self.line(*DELAY, source=EXIT if port == SAME_PORT else None)
        b = self.check(0, pipeline, reliability)
        noticed = self.count(b, "peer_restarts", "resets", "sessions_begun")
        self.assertGreater(noticed, 1, "nobody has noticed")

    @each(PIPELINES, RELIABILITIES)
    def test_a_server_that_was_killed_comes_back(self, pipeline, reliability):
        self.line(*DELAY)
        a = self.check(1, pipeline, reliability)
        noticed = self.count(a, "peer_restarts", "resets", "sessions_begun")
        self.assertGreater(noticed, 1, "nobody has noticed")


class Vanished(KcpTest):
    @each(RELIABILITIES)
    def test_a_peer_that_is_gone_is_told_and_taken_again_when_it_is_back(self, reliability):
        self.line(*DELAY)
        a, b = self.tunnel(PLAIN, reliability, QUICK)
        self.assertEqual(dead_said(a), 0)
        b.process.send_signal(signal.SIGSTOP)
        asking = self.a.spawn("ping", "-q", "-i", "0.2", INNER4[1])
        try:
            a.wait_log(r"kcp: peer does not answer", 30)
            self.assertGreater(self.count(a, "sessions_dead"), 0)
        finally:
            asking.kill()
            asking.wait()
        b.process.send_signal(signal.SIGCONT)
        traffic.wait_ping(self.a, INNER4[1], 30)
        traffic.tcp(self.b, self.a, INNER4[0], 1 << 18)

    @each(RELIABILITIES)
    def test_an_idle_peer_is_not_dead(self, reliability):
        """Nothing is sent for longer than dead_after; what asks for signs of life gets them."""
        line = self.line(*DELAY)
        pair = self.tunnel(PLAIN, reliability, {"dead_after": "1s"})
        for ns in (self.a, self.b):
            ns.sysctl("net/ipv6/conf/vpn0/disable_ipv6", 1)  # the kernel says something now and then
        begin = time.monotonic()
        before = line.statistics()
        wait_for(lambda: time.monotonic() > begin + 4, "four times dead_after", 5)
        after = line.statistics()
        for way in ("up", "down"):
            self.assertGreater(after[way]["in"] - before[way]["in"], 2)
        for program in pair:
            self.assertEqual(dead_said(program), 0)
            self.assertEqual(self.count(program, "sessions_dead"), 0)
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3), 3)


class Mixed(KcpTest):
    @each((DATAGRAM, DEADLINE))
    def test_sides_of_the_own_wire_may_differ(self, client):
        """Each direction is as its sender has it."""
        kinds = (client, DEADLINE if client == DATAGRAM else DATAGRAM)
        self.line(*DELAY, "--loss", "5%")
        pair = self.tunnel(PLAIN, kinds[0], server={"reliability": kinds[1]})
        traffic.tcp(self.a, self.b, INNER4[1], 1 << 20)
        traffic.tcp(self.b, self.a, INNER4[0], 1 << 20)
        for program, kind in zip(pair, kinds):
            self.assertEqual(self.count(program, "data_resent") > 0, kind == DEADLINE)


class Roaming(KcpTest):
    """A TCP stream lives on when its carrier moves."""

    def check(self, pipeline, reliability, move):
        line = self.line(*DELAY, source=None)
        a, b = self.tunnel(pipeline, reliability)
        stream = traffic.TcpStream(self.a, self.b, INNER4[1])
        try:
            stream.wait_moved(1 << 18)
            move(line)
            stream.wait_moved(1 << 20)
        finally:
            stream.stop()
        self.assertEqual(traffic.ping(self.b, INNER4[0], 3), 3)
        self.assertGreater(self.count(b, "roamed"), 0)
        # it is the same session: nobody has begun anew
        self.assertEqual(self.count(a, "sessions_begun"), 1)
        for program in (a, b):
            self.assertEqual(self.count(program, "peer_restarts", "resets", "sessions_dead"), 0)

    @each(PIPELINES, RELIABILITIES)
    def test_a_client_whose_address_changes_is_followed(self, pipeline, reliability):
        def move(line):
            del line
            self.a.ip("addr", "del", CLIENT + "/24", "dev", "eth0")
            netns.address(self.a, "eth0", NEW_CLIENT + "/24")
        self.check(pipeline, reliability, move)

    @each(PIPELINES, RELIABILITIES)
    def test_a_client_whose_port_is_translated_anew_is_followed(self, pipeline, reliability):
        def move(line):
            line.stop()
            self.line(*DELAY, source=None)
        self.check(pipeline, reliability, move)


class ManyClients(KcpTest):
    def test_sessions_that_nobody_uses_end_and_leave_room(self):
        """With accept 1 there is room for the next client when the first has been idle."""
        line = self.line(*DELAY)
        a, b = self.tunnel(PLAIN, RELIABLE, server={"accept": 1, "idle": "2s", "dead_after": "1s"})
        a.kill()
        line.stop()
        wait_for(lambda: self.count(b, "sessions_idle", "sessions_dead") > 0, "an end", 30)
        self.line(*DELAY, source=None)
        self.start(0, PLAIN, RELIABLE)
        traffic.wait_ping(self.a, INNER4[1], 30)


if __name__ == "__main__":
    main()
