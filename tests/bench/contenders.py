# SPDX-License-Identifier: BSD-2-Clause
"""contenders: all that can be measured, by name, in the order of the tables. One more is a class
like its neighbours (see Contender in cable.py) and a line here."""
import amnezia_contenders
from cable import Contender
from kcp_contenders import Datagram, Deadline, Kcptun, KcptunFec, Reliable, ReliableFec, Vpncore
import obfs_contenders
from own import VpncoreWg
from vpns import Fastd, OpenVpn, Tinc
from wireguards import Boringtun, CurrentGo, DebianGo

ALL = {c.name: c for c in (
    Contender, Vpncore, VpncoreWg, CurrentGo, DebianGo, Boringtun, Fastd, OpenVpn, Tinc, Kcptun,
    KcptunFec, Reliable, ReliableFec, Deadline, Datagram, *obfs_contenders.ALL,
    *amnezia_contenders.ALL)}
OURS = ("vpncore-wg", "vpncore", "vpncore-kcp", "vpncore-kcp-fec", "vpncore-kcp-deadline",
        "vpncore-kcp-datagram", *(c.name for c in obfs_contenders.ALL), "vpncore-awg")
QUICK = ("veth", "vpncore", "vpncore-wg", "wireguard-go-current")
