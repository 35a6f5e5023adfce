# SPDX-License-Identifier: BSD-2-Clause
"""A vpncore peer with a current wireguard-go. The cases, with their topologies, are in
tests/integration/wireguard_cases.py."""
import wireguard_cases as cases
from harness import main
from wireguard import CURRENT_GO

globals().update(cases.groups("CurrentGo", CURRENT_GO, cases.GROUPS + (cases.SlowRestart,)))

if __name__ == "__main__":
    main()
