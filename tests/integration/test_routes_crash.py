# SPDX-License-Identifier: BSD-2-Clause
"""kill -9, and everything that routes/linux made is gone: by the reaper, by the next start, by cleanup.
Topology: routed.py."""
import glob
import os

from harness import BUILD, main, wait_for
from program import BINARY, environment
from routed import OUT4, Routed, state
from wireguard import private_run

ASKS = BUILD / "test-plugins" / "dns-test-asks.so"
FULL = {"default": True, "exclude": ["10.50.0.0/16"], "kill_switch": "on", "nat": True}


class Crash(Routed):
    def setUp(self):
        super().setUp()
        for ns in (self.client, self.server):
            ns.sysctl("net/ipv4/ip_forward", 0)
            ns.sysctl("net/ipv6/conf/all/forwarding", 0)
        self.client.sysctl("net/ipv4/conf/eth0/forwarding", 1)
        self.before = state(self.client)

    def client_manifest(self, routes, **more):
        spec = super().client_manifest(routes, **more)
        spec["dns"] = {"backend": "test-asks", "plugin": str(ASKS), "first": "block 10.0.0.53/32"}
        return spec

    def check_forwarding(self):
        """It is not on without its limits."""
        now = state(self.client)
        for switch, limit in (("ipv4/ip_forward:1", "meta nfproto ipv4 drop"),
                              ("ipv6/conf/all/forwarding:1", "meta nfproto ipv6 drop")):
            if switch in now:
                self.assertIn(limit, now)
        return "ipv4/ip_forward:1" in now

    def kill_all(self, program):
        """The main process and its reaper, so that nobody is left to undo."""
        children = self.children(program.pid)
        reapers = self.reapers()
        program.process.kill()
        for pid in children + reapers:
            self.client.sh("kill", "-9", pid, check=False)
        program.killed = True
        program.process.wait(30)
        wait_for(lambda: not self.client.has("wg0"), "the end of the device")

    @staticmethod
    def children(pid):
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return f.read().split()

    @staticmethod
    def reapers():
        """Processes of our program that stand alone."""
        found = []
        for file in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(file, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"vpncore") and any(b"reap" in w for w in words[1:]):
                found.append(file.split("/")[2])
        return found

    def test_a_stop_leaves_nothing(self):
        client = self.run_client(FULL)
        self.assertNotEqual(state(self.client), self.before)
        client.stop()
        self.assertEqual(state(self.client), self.before)

    def test_the_reaper_alone_undoes_everything(self):
        client = self.run_client(FULL)
        client.kill()
        wait_for(lambda: state(self.client) == self.before, "everything as before")

    def journal_file(self):
        """Where the journal of the client is, while it runs."""
        (file,) = glob.glob("/run/vpncore/client*/undo.log")
        return file

    def test_a_death_at_any_step_of_the_journal_leaves_nothing(self):
        """With each run the death comes a record later, until the start is through."""
        first = self.run_client(FULL)
        file = self.journal_file()
        first.stop()

        def size_now():
            try:
                return os.stat(file).st_size
            except OSError:
                return 0
        deaths = set()
        for size in range(1, 100000, 190):  # a little more than a record
            client = self.vpncore(self.client, self.client_manifest(FULL),
                                  before=private_run(self.client))
            reached = polls = 0
            up = False
            while reached < size and not up:
                reached, polls = size_now(), polls + 1
                up = polls % 1000 == 0 and "is up" in client.log()
            client.kill()
            deaths.add(reached)
            wait_for(lambda: state(self.client) == self.before, "everything as before")
            if up:
                break
        self.assertGreater(len(deaths), 2, "the deaths were all at the same step")

    def test_forwarding_is_at_no_step_on_without_its_limits(self):
        client = self.run_client(FULL)
        file = self.journal_file()
        whole = os.stat(file).st_size
        client.stop()
        found = set()
        for size in range(300, whole, 380):  # two records
            client = self.vpncore(self.client, self.client_manifest(FULL),
                                  before=private_run(self.client))
            wait_for(lambda size=size: os.path.exists(file) and os.stat(file).st_size >= size,
                     "a journal of %d bytes" % size)
            self.kill_all(client)
            found.add(self.check_forwarding())
            self.client.sh(BINARY, "cleanup", "--all", env=environment())
            self.assertEqual(state(self.client), self.before)
        self.assertIn(True, found, "forwarding was never on")

    def test_cleanup_alone_undoes_everything(self):
        client = self.run_client(FULL)
        self.kill_all(client)
        self.assertTrue(self.check_forwarding())
        self.assertNotEqual(state(self.client), self.before)
        self.client.sh(BINARY, "cleanup", "--all", env=environment())
        self.assertEqual(state(self.client), self.before)

    def test_the_next_start_alone_undoes_everything(self):
        client = self.run_client(FULL)
        self.kill_all(client)
        again = self.run_client(FULL)
        again.stop()
        self.assertEqual(state(self.client), self.before)

    def test_what_others_changed_meanwhile_stays(self):
        client = self.run_client(FULL)
        self.kill_all(client)
        self.client.sysctl("net/ipv4/conf/all/src_valid_mark", 2)
        self.client.ip("route", "add", "10.51.0.0/16", "via", "192.168.5.1")
        self.client.sh(BINARY, "cleanup", "--all", env=environment())
        now = state(self.client)
        self.assertIn("src_valid_mark:2", now)
        self.assertIn("10.51.0.0/16 via 192.168.5.1", now)
        self.assertNotIn("proto 190", now)

    def test_the_tunnel_works_after_a_crash(self):
        self.run_server({"nat": True})
        for _ in range(3):
            self.run_client({"default": True}).kill()
        self.run_client({"default": True})
        self.assertEqual(self.seen_at_site(), OUT4)


if __name__ == "__main__":
    main()
