# SPDX-License-Identifier: BSD-2-Clause
"""wireguards: other people's WireGuard in user space: programs that wg(8) configures."""
import os
import subprocess

from cable import MTU, PORT, SIDES, Contender, have, inner
from debian import installed_version
import netns
from own import peers_of
from program import wait_for
import wireguard


class WireGuard(Contender):
    target = inner(2)
    offers = Contender.offers | {"program", "wireguard"}

    @classmethod
    def argv(cls, options):
        raise NotImplementedError

    @classmethod
    def missing(cls, options):
        found = cls.argv(options)[0]
        return None if have(found) else "%s is not here" % found

    def prepare(self):
        self.keys = {side: wireguard.Keys() for side in SIDES}
        self.settings = {}
        for side in SIDES:
            text = "[Interface]\nPrivateKey = %s\nListenPort = %d\n" % (self.keys[side].private,
                                                                       PORT)
            text += "".join(peer.section() for peer in peers_of(self, side))
            self.settings[side] = wireguard.secret_file(self.directory, text)

    def launch(self, side):
        """The steps of wg-quick(8), without its shell."""
        ns, device = self.namespace(side), self.device(side)
        self.spawn(side, *self.argv(self.options), device,
                   env=dict(os.environ, LOG_LEVEL="error", WG_LOG_LEVEL="error",
                            WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1"))
        self.wait(side, lambda: os.path.exists("/run/wireguard/%s.sock" % device),
                  "the socket of wg(8)")
        ns.sh("wg", "setconf", device, self.settings[side])
        netns.address(ns, device, "%s/24" % inner(side))
        ns.ip("link", "set", device, "mtu", MTU, "up")

    def settle(self):
        """A program that is still busy with many peers does not answer wg(8)."""
        wait_for(lambda: self.b.sh("wg", "show", self.device(2), "peers").stdout,
                 "the peers of %s" % self.name, 60)


class DebianGo(WireGuard):
    name = "wireguard-go"
    title = "wireguard-go, Debian's"
    packages = ("wireguard-go",)

    @classmethod
    def argv(cls, options):
        return ["/usr/bin/wireguard-go", "-f"]

    @classmethod
    def version(cls, options):
        return installed_version("wireguard-go")


class Built(WireGuard):
    """By tests/interop/build-peers."""

    arguments = ["-f"]

    @classmethod
    def argv(cls, options):
        return [str(options.peers / "bin" / cls.peer)] + cls.arguments

    @classmethod
    def version(cls, options):
        stamp = options.peers / (cls.peer + ".stamp")
        if stamp.exists():
            return stamp.read_text(encoding="utf-8").strip()
        done = subprocess.run([cls.argv(options)[0], "--version"], stdout=subprocess.PIPE,
                              text=True, check=True)
        return done.stdout.splitlines()[0]


class CurrentGo(Built):
    name = "wireguard-go-current"
    title = "wireguard-go, current"
    peer = "wireguard-go"


class Boringtun(Built):
    name = "boringtun"
    title = "boringtun"
    peer = "boringtun-cli"
    arguments = ["-f", "--disable-drop-privileges", "--verbosity", "error"]
