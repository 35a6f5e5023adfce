# SPDX-License-Identifier: BSD-2-Clause
"""A vpncore peer with AmneziaWG's own program, for several sets of its parameters, whoever begins. The
topology is in tests/integration/amnezia.py."""
from amnezia import AMNEZIA_2, FIRST, SECOND, SETS, AmneziaTunnel
from harness import main
from wireguard import VPNCORE


class WeBegin(AmneziaTunnel):
    """Their program answers."""


class TheyBegin(AmneziaTunnel):
    """Their program sends the first message."""


def we_begin(awg, family):
    def run(self):
        own, _ = self.opened((VPNCORE, AMNEZIA_2), awg, family=family)
        lead = sum(k in awg for k in ("i1", "i2", "i3", "i4", "i5")) + awg.get("jc", 0)
        self.assertEqual(self.count(own, "awg_lead"),
                         lead * self.count(own, "initiations_sent", "wireguard"))
        self.assertEqual(self.count(own, "drop_awg_unknown"), 0)
        self.assertEqual(self.count(own, "drop_awg_above"), 0)
    return run


def they_begin(awg, family):
    def run(self):
        own, other = self.opened((VPNCORE, AMNEZIA_2), awg, family=family, dialler="b")
        self.assertGreater(other.talk.counts()["last_handshake_time_sec"], 0)
        if awg is FIRST:  # where ranges are wide, junk looks like a message now and then
            unknown = self.count(own, "drop_awg_unknown")
            self.assertGreater(unknown, 0)
            self.assertEqual(unknown % awg["jc"], 0)
        self.assertEqual(self.count(own, "drop_bad_mac1", "wireguard"), 0)
    return run


def add_cases():
    for case, make in ((WeBegin, we_begin), (TheyBegin, they_begin)):
        for number, (name, parameters) in enumerate(SETS.items()):
            family = 4 if number % 2 == 0 else 6
            setattr(case, "test_%s_over_ipv%d" % (name, family), make(parameters, family))
        case.test_second_over_ipv4 = make(SECOND, 4)


add_cases()

if __name__ == "__main__":
    main()
