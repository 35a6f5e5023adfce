# SPDX-License-Identifier: BSD-2-Clause
"""Signals, the end of a run, what it leaves, and what it tells the service manager.

    namespace a                                  namespace b
    vpn0 10.78.0.1, fd78::1  . . tunnel . . . .  vpn0 10.78.0.2, fd78::2
    eth0 192.0.2.1  ------------ veth ---------  eth0 192.0.2.2
"""
import json
import os
import pathlib
import re
import signal
import socket

from harness import (INNER4, SLOWNESS, Peers, main, manifest, not_under_sanitizers, total, traffic,
                     wait_for)
from program import parse_counters


class Ends(Peers):
    def setUp(self):
        super().setUp()
        self.side_a, self.side_b = self.tunnel()

    def check_nothing_left(self, ns):
        self.assertFalse(ns.has("vpn0"))
        self.assertNotIn("10.78.0.", ns.ip("route", "show", "table", "all").stdout)
        again = ns.socket()  # the port is free
        again.bind(("0.0.0.0", 51820))
        again.close()

    def test_sigterm_in_the_middle_of_traffic_ends_it_cleanly(self):
        streams = [traffic.TcpStream(self.a, self.b, INNER4[1]),
                   traffic.TcpStream(self.b, self.a, INNER4[0])]
        for s in streams:
            s.wait_moved(4 << 20)
        self.side_a.stop(timeout=5)
        self.check_nothing_left(self.a)
        self.side_b.stop(timeout=5)
        self.check_nothing_left(self.b)
        for s in streams:
            s.stop()

    def test_sigint_ends_it_cleanly(self):
        self.side_a.stop(signal.SIGINT)
        self.check_nothing_left(self.a)

    def test_two_signals_in_a_row_do_no_harm(self):
        self.side_a.process.send_signal(signal.SIGTERM)
        self.side_a.process.send_signal(signal.SIGTERM)
        self.side_a.wait_end(0)
        self.check_nothing_left(self.a)

    def test_a_clean_end_prints_the_counters(self):
        self.assertEqual(traffic.ping(self.a, INNER4[1], 3), 3)
        self.side_a.stop()
        counters = parse_counters(self.side_a.log().splitlines())
        self.assertGreaterEqual(total(counters, "udp", "down", "packets"), 3)

    def test_a_killed_run_leaves_no_device_and_a_new_one_starts_at_once(self):
        stream = traffic.TcpStream(self.a, self.b, INNER4[1])
        stream.wait_moved(1 << 20)
        self.side_a.kill()
        stream.stop()
        self.check_nothing_left(self.a)
        self.vpncore(self.a, manifest(0)).wait_up()
        traffic.wait_ping(self.a, INNER4[1])
        self.check_tcp(1 << 20)

    def test_sighup_does_not_end_it(self):
        start = len(self.side_a.log())
        self.side_a.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "SIGHUP" in self.side_a.log()[start:], "a word about SIGHUP")
        self.check_ping(2)

    def test_sigusr1_prints_counters_as_often_as_asked(self):
        last = -1
        for _ in range(3):
            self.assertEqual(traffic.ping(self.a, INNER4[1], 3), 3)
            counters = self.side_a.counters()
            self.assertEqual({stage for _, stage in counters},
                             {stage for _, stage in self.side_b.counters()})
            now = total(counters, "udp", "down", "packets")
            self.assertGreaterEqual(now, last + 3)
            last = now


class Streams(Peers):
    def test_stops_when_its_output_is_closed(self):
        # a log reader that has gone: a write fails, the run goes on and ends well
        read_end, write_end = os.pipe()
        os.close(read_end)
        a = self.vpncore(self.a, manifest(0), pass_fds=(write_end,),
                         before=["bash", "-c", 'exec "$@" 2>&%d' % write_end, "sh"])
        os.close(write_end)
        wait_for(lambda: self.a.has("vpn0") and "UP" in self.a.flags("vpn0"), "the device")
        self.vpncore(self.b, manifest(1)).wait_up()
        traffic.wait_ping(self.b, INNER4[0])
        a.process.send_signal(signal.SIGUSR1)
        self.assertEqual(traffic.ping(self.b, INNER4[0], 3), 3)
        a.stop()

    def test_json_logs_are_one_object_per_line(self):
        a = self.vpncore(self.a, manifest(0), args=["--log-format", "json"]).wait_up()
        a.stop()
        # the problems of the manifest come before the log is set up; counters are an answer, no log
        lines = [line for line in a.log().splitlines() if not re.match(r"counters:|\S+\.json:\d", line)]
        self.assertGreater(len(lines), 1)
        for line in lines:
            self.assertEqual({"time", "level", "from", "text"} - set(json.loads(line)), set(), line)


class ServiceManager(Peers):
    """$NOTIFY_SOCKET, as systemd gives it."""

    def listen(self, address):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(address)
        s.settimeout(20 * SLOWNESS)
        self.addCleanup(s.close)
        return s

    def lifetime(self, s, variable):
        a = self.vpncore(self.a, manifest(0), env={"NOTIFY_SOCKET": variable})
        self.assertIn("READY=1", s.recv(4096).decode().splitlines())
        # ready means ready: the device is there
        self.assertIn("UP", self.a.flags("vpn0"))
        a.process.send_signal(signal.SIGTERM)
        self.assertIn("STOPPING=1", s.recv(4096).decode().splitlines())
        a.wait_end(0)

    def test_a_socket_in_the_file_system_is_told(self):
        path = str(self.directory / "notify")
        self.lifetime(self.listen(path), path)

    def test_an_abstract_socket_is_told(self):
        # abstract names belong to the network namespace
        s = self.a.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(s.close)
        s.bind("\0vpncore-test")
        s.settimeout(20 * SLOWNESS)
        self.lifetime(s, "@vpncore-test")

    def test_a_socket_that_is_not_there_is_survived(self):
        a = self.vpncore(self.a, manifest(0), env={"NOTIFY_SOCKET": str(self.directory / "none")})
        a.wait_up()
        a.stop()


class Footprint(Peers):
    @not_under_sanitizers
    def test_an_idle_run_takes_less_than_20_mebibytes(self):
        for program in self.tunnel():
            self.assertLess(program.resident_bytes(), 20 << 20)

    def test_no_descriptor_is_lost_over_traffic(self):
        a, _ = self.tunnel()

        def descriptors():
            return len(list(pathlib.Path("/proc/%d/fd" % a.pid).iterdir()))
        self.check_ping(2)
        before = descriptors()
        self.check_tcp(1 << 20)
        self.b.ip("link", "set", "eth0", "down")
        traffic.udp_flood(self.a, INNER4[1], 9, 100, 50)
        self.b.ip("link", "set", "eth0", "up")
        traffic.wait_ping(self.a, INNER4[1], 30)
        self.assertEqual(descriptors(), before)


if __name__ == "__main__":
    main()
