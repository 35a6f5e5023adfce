# SPDX-License-Identifier: BSD-2-Clause
"""A vpncore peer with another one and with Debian's wireguard-go. The cases, with their topologies,
are in wireguard_cases.py; tests/interop runs them with more programs."""
import wireguard_cases as cases
from harness import main
from wireguard import DEBIAN_GO, VPNCORE

globals().update(cases.groups("Vpncore", VPNCORE))
globals().update(cases.groups("WireguardGo", DEBIAN_GO))

if __name__ == "__main__":
    main()
