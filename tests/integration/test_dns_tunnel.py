# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/dns.md: a client with all of its traffic and all of its names in the tunnel, a server that
puts it on the internet. Topology: routed.py. Name servers: at the server's end of the tunnel, at the site behind
it, and at the gateway of the client's own network; each gives another address for the same name."""
import json
import pathlib
import socket
import struct

from dns_responder import Responder
from harness import main, wait_for
from program import TOP
from routed import GATE4, INNER4, OUT4, SITE4, Routed, state
from wireguard import private_run, secret_file

FILE = pathlib.Path("/etc/resolv.conf")
NAME = "host.corp.example"
AT_TUNNEL, AT_SITE, AT_GATE = "10.9.9.1", "10.9.9.2", "198.51.100.99"
BEFORE = "# of a DHCP client\nsearch home.example\nnameserver %s\n" % GATE4


def query(name):
    labels = b"".join(bytes([len(x)]) + x.encode("ascii") for x in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


class Tunnel(Routed):
    def setUp(self):
        super().setUp()
        self.addCleanup(FILE.write_text, "", encoding="ascii")
        FILE.write_text(BEFORE, encoding="ascii")
        self.at = {}
        for ns, address, answer in ((self.server, INNER4[0], AT_TUNNEL), (self.site, SITE4, AT_SITE),
                                    (self.gate, GATE4, AT_GATE)):
            self.at[address] = Responder(ns, [address], {NAME: answer})
            self.addCleanup(self.at[address].close)

    def example(self, name, mine, other):
        spec = json.loads((TOP / "docs" / "examples" / (name + ".json")).read_text("utf-8"))
        session = spec["pipeline"][1]
        session["private_key"] = {"file": secret_file(self.directory, mine.private)}
        session["peers"][0]["public_key"] = other.public
        return spec

    def run_both(self, **dns):
        server = self.example("routes-server", self.keys[0], self.keys[1])
        self.vpncore(self.server, server, before=private_run(self.server)).wait_up()
        client = self.example("dns-client", self.keys[1], self.keys[0])
        client["dns"].update(dns)
        client["dns"]["backend"] = "file"  # the machine's own systemd-resolved, if any, is not asked
        return self.vpncore(self.client, client, before=private_run(self.client)).wait_up()

    def look_up(self, name=NAME):
        done = self.client.sh("timeout", "20", "getent", "ahostsv4", name, check=False)
        return done.stdout.split()[0] if done.returncode == 0 else ""

    def ask(self, address):
        """The error number of a query to a server that the system does not name, 0 when it is answered."""
        with self.client.socket(socket.AF_INET) as s:
            s.settimeout(5)
            try:
                s.connect((address, 53))
                s.send(query(NAME))
                s.recv(512)
            except OSError as e:
                return e.errno
        return 0

    def test_names_and_traffic_go_through_the_tunnel_and_nothing_else_does(self):
        self.assertEqual(self.look_up(), AT_GATE)
        before = state(self.client)
        outside = self.capture(self.client, "eth0")
        client = self.run_both()
        outside.packets()
        asked = len(self.at[GATE4].asked)
        self.assertEqual(self.look_up(), AT_TUNNEL)
        self.assertEqual(self.look_up("host"), AT_TUNNEL)  # by "search"
        self.assertEqual(self.seen_at_site(), OUT4)
        self.assertNotEqual(self.ask(GATE4), 0)  # "block_outside", although it is of the local network
        self.check_only_the_tunnel(outside.packets())
        self.assertEqual(len(self.at[GATE4].asked), asked)
        client.stop()
        self.assertEqual(state(self.client), before)
        self.assertEqual(FILE.read_text("ascii"), BEFORE)
        self.assertEqual(self.look_up(), AT_GATE)

    def test_a_server_on_the_internet_is_asked_through_the_tunnel(self):
        self.run_both(servers=[SITE4])
        self.assertEqual(self.look_up(), AT_SITE)
        self.assertEqual(self.ask(SITE4), 0)

    def test_a_server_in_the_local_network_is_asked_through_the_tunnel_too(self):
        """lan_access leaves the local network outside, but the route of one host is narrower."""
        outside = self.capture(self.client, "eth0")
        self.run_both(servers=[GATE4], block_outside=False)
        outside.packets()
        self.assertEqual(self.look_up(), AT_GATE)
        self.check_only_the_tunnel(outside.packets())

    def test_without_block_outside_the_local_server_can_be_asked(self):
        self.run_both(block_outside=False)
        self.assertEqual(self.look_up(), AT_TUNNEL)
        self.assertEqual(self.ask(GATE4), 0)

    def test_after_kill_9_everything_is_as_before(self):
        before = state(self.client)
        self.run_both().kill()
        wait_for(lambda: state(self.client) == before and FILE.read_text("ascii") == BEFORE,
                 "everything as before")
        self.assertEqual(self.look_up(), AT_GATE)


if __name__ == "__main__":
    main()
