# SPDX-License-Identifier: BSD-2-Clause
"""obfs_contenders: wireguard with an obfs stage below it, one contender for each mode of MODES in
tests/integration/obfs.py; to be looked at beside wireguard alone."""
import obfs
import own


class Obfs(own.VpncoreWg):
    """One class for each mode is derived from this."""

    offers = own.Vpncore.offers
    mode = None

    def manifest(self, side):
        spec = super().manifest(side)
        spec["pipeline"].insert(2, obfs.stage(self.mode))
        return spec


def contender(mode):
    return type("Obfs_" + mode, (Obfs,), {
        "name": "vpncore-wg-" + mode, "title": "vpncore, wireguard, obfs " + mode, "mode": mode})


ALL = tuple(contender(mode) for mode in obfs.MODES)
