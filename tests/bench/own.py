# SPDX-License-Identifier: BSD-2-Clause
"""own: our own stacks as contenders. One more is a class with a name, a title and a manifest."""
import subprocess

from cable import MTU, PORT, SIDES, Contender, inner, outer
import program
import wireguard


class Vpncore(Contender):
    name = "vpncore"
    title = "vpncore, TUN over UDP"
    target = inner(2)
    offers = Contender.offers | {"program"}

    @classmethod
    def missing(cls, options):
        return None if program.BINARY.exists() else "%s is not built" % program.BINARY

    @classmethod
    def version(cls, options):
        text = subprocess.run([program.BINARY, "--version"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.splitlines()
        commit = subprocess.run(["git", "-C", program.TOP, "describe", "--always", "--dirty"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                check=False).stdout.strip()
        built = [line for line in text if line.startswith("built with")]
        return ", ".join(text[:1] + [commit or "not in a repository"] + built)

    def device_stage(self, side):
        return {"device": "auto", "name": self.device(side), "mtu": MTU,
                "addresses": ["%s/24" % inner(side)]}

    def udp_stage(self, side):
        return {"transport": "udp", "listen": "%s:%d" % (outer(side), PORT),
                "remote": "%s:%d" % (outer(3 - side), PORT)}

    def transports(self, side):
        """What is between the device and udp."""
        del side
        return []

    def manifest(self, side):
        return {"vpncore": 1, "name": "side%d" % side, "allow_insecure": True,
                "pipeline": [self.device_stage(side), *self.transports(side),
                             self.udp_stage(side)]}

    def prepare(self):
        self.manifests = {side: self.manifest(side) for side in SIDES}

    def launch(self, side):
        p = program.Vpncore(self.namespace(side), self.manifests[side], self.directory,
                            args=["--log-level", "info"])
        self.processes[side] = p.process
        if side == 2:
            p.wait_up()


class VpncoreWg(Vpncore):
    name = "vpncore-wg"
    title = "vpncore, wireguard"
    offers = Vpncore.offers | {"wireguard"}

    def prepare(self):
        self.keys = {side: wireguard.Keys() for side in SIDES}
        super().prepare()

    def manifest(self, side):
        return wireguard.manifest(
            self.directory, "side%d" % side, self.keys[side], peers_of(self, side),
            ["%s/24" % inner(side)], ifname=self.device(side), mtu=MTU,
            listen="%s:%d" % (outer(side), PORT))


def peers_of(contender, side):
    """a knows b's endpoint; b has, after a, all the others."""
    other = 3 - side
    peer = wireguard.Peer(contender.keys[other].public, ["%s/32" % inner(other)],
                          endpoint="%s:%d" % (outer(other), PORT) if side == 1 else None)
    return [peer] + (contender.more if side == 2 else [])
