# SPDX-License-Identifier: BSD-2-Clause
"""contenders: all that can be measured, by name, in the order of the tables. One more is a class
like its neighbours (see Contender in cable.py) and a line here."""
from cable import Contender
from forwarders import Kcptun
from own import Vpncore, VpncoreWg
from vpns import Fastd, OpenVpn, Tinc
from wireguards import Boringtun, CurrentGo, DebianGo

ALL = {c.name: c for c in (
    Contender, Vpncore, VpncoreWg, CurrentGo, DebianGo, Boringtun, Fastd, OpenVpn, Tinc, Kcptun)}
OURS = ("vpncore-wg", "vpncore")
QUICK = ("veth", "vpncore", "vpncore-wg", "wireguard-go-current")
