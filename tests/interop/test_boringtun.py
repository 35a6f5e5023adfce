# SPDX-License-Identifier: BSD-2-Clause
"""A vpncore peer with boringtun. The cases, with their topologies, are in
tests/integration/wireguard_cases.py. Left out: equal counts, for it counts bytes of packets."""
import wireguard_cases as cases
from harness import main
from wireguard import BORINGTUN

GROUPS = tuple(g for g in cases.GROUPS if g is not cases.Counting) + (cases.SlowRestart,)
globals().update(cases.groups("Boringtun", BORINGTUN, GROUPS))

if __name__ == "__main__":
    main()
