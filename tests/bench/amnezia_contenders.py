# SPDX-License-Identifier: BSD-2-Clause
"""amnezia_contenders: AmneziaWG's own program, and ours with the same parameters: those of version 2, which
both know."""
import os

from amnezia import AmneziaTalk, stage
from cable import MTU, PORT, inner
import netns
import own
from wireguards import Built

AWG = {"jc": 4, "jmin": 10, "jmax": 50, "s1": 40, "s2": 64, "s3": 24, "s4": 12, "h1": "1000-2000",
       "h2": "3000-4000", "h3": "5000-6000", "h4": "7000-8000"}


class AmneziaGo(Built):
    name = "amneziawg-go"
    title = "amneziawg-go 0.2"
    peer = "amneziawg-go-0.2"
    offers = own.Vpncore.offers

    def prepare(self):
        self.keys = {side: own.wireguard.Keys() for side in (1, 2)}
        self.talks = {side: AmneziaTalk("/run/amneziawg/%s.sock" % self.device(side))
                      for side in (1, 2)}

    def launch(self, side):
        ns, device, talk = self.namespace(side), self.device(side), self.talks[side]
        self.spawn(side, *self.argv(self.options), device, env=dict(os.environ, LOG_LEVEL="error"))
        self.wait(side, talk.exists, "its socket")
        talk.configure(self.keys[side], PORT, AWG, own.peers_of(self, side))
        netns.address(ns, device, "%s/24" % inner(side))
        ns.ip("link", "set", device, "mtu", MTU, "up")

    def settle(self):
        """It answers its socket before it is configured."""


class VpncoreAwg(own.VpncoreWg):
    name = "vpncore-awg"
    title = "vpncore, wireguard, obfs awg as amneziawg-go 0.2"
    offers = own.Vpncore.offers

    def manifest(self, side):
        spec = super().manifest(side)
        spec["pipeline"].insert(2, {"transport": "obfs", **stage(AWG)})
        return spec


ALL = (AmneziaGo, VpncoreAwg)
