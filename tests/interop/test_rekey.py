# SPDX-License-Identifier: BSD-2-Clause
"""A session that becomes 120 s old under traffic gets a successor, and no packet is lost for it.

All tunnels run at the same time, each in two namespaces of its own, as in wireguard_cases.py:

    namespace a (first)                           namespace b (second)
    wg0 10.78.0.1/24 fd78::1/64 . . tunnel . . .  wg0 10.78.0.2/24 fd78::2/64
    eth0 192.0.2.1/24  ---------- veth ---------  eth0 192.0.2.2/24

The first one opens the session; the initiator is who renews it. Two of every kind, so that we open
one and they open one. Pings go over IPv4 from a to b, and over IPv6 from b to a.
"""
import re
import signal

import netns
from harness import OUTER4, Test, main, traffic, veth, wait_for
from wireguard import BORINGTUN, CURRENT_GO, VPNCORE, Node
from wireguard_cases import both

REKEY_AFTER_SECONDS = 120
PINGS_PER_SECOND = 10
LATEST_SECONDS = 135  # 120 and the time in which the next packet is sent, on a busy machine
NEAR_SECONDS = 3

PAIRS = [(VPNCORE, VPNCORE), (VPNCORE, CURRENT_GO), (CURRENT_GO, VPNCORE), (VPNCORE, BORINGTUN),
         (BORINGTUN, VPNCORE)]


class Pinger:
    """A ping that goes on and says when each answer came, into a file: a pipe would fill."""

    def __init__(self, ns, address, directory):
        self.file = directory / ("ping-" + ns.name)
        with open(self.file, "wb") as out:
            self.process = ns.spawn("ping", "-n", "-D", "-i", 1 / PINGS_PER_SECOND, address,
                                    stdout=out, stderr=out)

    def end(self):
        """Returns ([(time, sequence number) of each answer], number sent)."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        text = self.file.read_text(encoding="ascii")
        answers = [(float(t), int(n)) for t, n in
                   re.findall(r"^\[([\d.]+)\] \d+ bytes from .*icmp_seq=(\d+)", text, re.MULTILINE)]
        sent = int(re.search(r"^(\d+) packets transmitted", text, re.MULTILINE)[1])
        return answers, sent


def gaps(answers):
    """(when, how many) of the answers that are missing before the last one."""
    found = []
    for (_, before), (at, seq) in zip(answers, answers[1:]):
        if seq > before + 1:
            found.append((at, seq - before - 1))
    return found


class Rekey(Test):
    def tunnel(self, kinds):
        spaces = [self.namespace(label) for label in "ab"]
        veth(spaces[0], "eth0", spaces[1], "eth0")
        for side, ns in enumerate(spaces):
            netns.address(ns, "eth0", OUTER4[side] + "/24")
        nodes = [Node(self, ns, kind, both(side))
                 for side, (ns, kind) in enumerate(zip(spaces, kinds))]
        # only the first knows where the second is until the session stands: it is the initiator
        nodes[0].add(nodes[1], endpoint=OUTER4[1])
        nodes[1].add(nodes[0])
        for node in nodes:
            node.start()
        traffic.wait_ping(spaces[0], nodes[1].inner(4))
        return nodes

    def check(self, what, first, second, begun, pingers):
        at = first.handshake_time(second)
        age = at - begun
        print("    %s: renewed after %.1f s" % (what, age))
        self.assertGreater(age, REKEY_AFTER_SECONDS - 1)
        self.assertLess(age, LATEST_SECONDS)
        for pinger in pingers:
            answers, sent = pinger.end()
            missing = gaps(answers)
            if missing:
                print("    %s: unanswered: %s" % (what, missing))
            self.assertGreater(len(answers), REKEY_AFTER_SECONDS * PINGS_PER_SECOND * 3 // 4)
            self.assertEqual([g for g in missing if abs(g[0] - at) < NEAR_SECONDS], [],
                             "lost when the key changed")
            self.assertLess(sent - len(answers), sent // 100 + 2)

    def test_a_session_under_traffic_is_renewed_after_120_s_without_a_loss(self):
        tunnels = []
        for kinds in PAIRS:
            first, second = self.tunnel(kinds)
            begun = first.wait_handshake(second)
            pingers = [Pinger(first.ns, second.inner(4), self.directory),
                       Pinger(second.ns, first.inner(6), self.directory)]
            tunnels.append(("%s to %s" % kinds, first, second, begun, pingers))
        for _, first, second, begun, _ in tunnels:
            first.wait_handshake(second, after=begun, timeout=LATEST_SECONDS + 10)
        # and some traffic under every new key
        last = tunnels[-1]
        goal = last[1].transfer()[1] + 2 * NEAR_SECONDS * PINGS_PER_SECOND * 128
        wait_for(lambda: last[1].transfer()[1] >= goal, "pings under the new key", 60)
        for tunnel in tunnels:
            with self.subTest(tunnel[0]):
                self.check(*tunnel)


if __name__ == "__main__":
    main()
