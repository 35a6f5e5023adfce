# SPDX-License-Identifier: BSD-2-Clause
"""contenders: what is measured: a cable, our programs, and other people's.

                namespace a                          namespace b
    contender   10.78.0.1 . . . . . . . . . . . . .  10.78.0.2
    cable       eth0 192.0.2.1 -------- veth ------  eth0 192.0.2.2

Each has a pair of namespaces and a cable of its own. a always is one peer of b; with `more`, b has so many
peers beside it, who never come, or come from where measures.py says.
"""
import base64
import os
import random
import subprocess

import netns
import program
import wireguard
from program import wait_for

PORT = 51820
MTU = 1420
SIDES = (1, 2)


def outer(side):
    return "192.0.2.%d" % side


def memory(pid, kind):
    """Of a process, in MiB: VmRSS, all that is resident; RssAnon, what is not pages of files."""
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        for line in status:
            if line.startswith(kind + ":"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("no " + kind)


def strangers(public_keys):
    """Peers of b beside a: each has an address of its own."""
    return [wireguard.Peer(key, ["10.%d.%d.%d/32" % (128 + (i >> 16), i >> 8 & 255, i & 255)])
            for i, key in enumerate(public_keys)]


def some_keys(n):
    """Public keys that nobody has the private keys of; always the same ones."""
    noise = random.Random(n)
    return [base64.b64encode(noise.randbytes(32)).decode("ascii") for _ in range(n)]


class Contender:
    """The bare cable, and what all have in common. `target` is b's address on what is measured."""

    name = "veth"
    target = outer(2)
    secure = False  # speaks WireGuard
    serial = 0

    def __init__(self, directory, options, more=()):
        Contender.serial += 1
        self.directory = directory / ("%d-%s" % (Contender.serial, self.name))
        self.directory.mkdir()
        self.options = options
        self.more = strangers(more)
        self.processes = {}  # by side
        self.a, self.b = netns.Namespace("a"), netns.Namespace("b")
        try:
            netns.veth(self.a, "eth0", self.b, "eth0")
            for side, ns in zip(SIDES, (self.a, self.b)):
                netns.address(ns, "eth0", outer(side) + "/24")
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        pass

    def ends(self):
        """(side, namespace, the other side)"""
        return ((1, self.a, 2), (2, self.b, 1))

    def device(self, side):
        """Sockets of wg(8) are by name, and all contenders share one directory of them."""
        return "%s%d-%d" % (self.name[:4].replace("-", ""), Contender.serial, side)

    def memory(self, kind):
        """MiB of b's process."""
        return memory(self.processes[2].pid, kind)

    def close(self):
        for p in self.processes.values():
            p.terminate()
        for p in self.processes.values():
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.a.close()
        self.b.close()

    @classmethod
    def missing(cls, options):
        """What is not there, as a message; None when all is."""
        del options
        return None


class Vpncore(Contender):
    """TUN and UDP: not a VPN, but what the framework itself costs."""

    name = "vpncore"
    target = "10.78.0.2"

    def manifest(self, side, other):
        return {"vpncore": 1, "name": "side%d" % side, "allow_insecure": True, "pipeline": [
            {"device": "auto", "name": self.device(side), "mtu": MTU,
             "addresses": ["10.78.0.%d/24" % side]},
            {"transport": "udp", "listen": "%s:%d" % (outer(side), PORT),
             "remote": "%s:%d" % (outer(other), PORT)}]}

    def start(self):
        for side, ns, other in self.ends():
            p = program.Vpncore(ns, self.manifest(side, other), self.directory,
                                args=["--log-level", "info"])
            self.processes[side] = p.process
            p.wait_up()

    @classmethod
    def missing(cls, options):
        return None if program.BINARY.exists() else "no program at %s" % program.BINARY


class VpncoreWg(Vpncore):
    """TUN, wireguard and UDP."""

    name = "vpncore-wg"
    secure = True

    def start(self):
        self.keys = {side: wireguard.Keys() for side in SIDES}
        super().start()

    def manifest(self, side, other):
        return wireguard.manifest(
            self.directory, "side%d" % side, self.keys[side], peers_of(self, side, other),
            ["10.78.0.%d/24" % side], ifname=self.device(side), mtu=MTU,
            listen="%s:%d" % (outer(side), PORT))


def peers_of(contender, side, other):
    """a knows b's endpoint; b has, after a, all the others."""
    peer = wireguard.Peer(contender.keys[other].public, ["10.78.0.%d/32" % other],
                          endpoint="%s:%d" % (outer(other), PORT) if side == 1 else None)
    return [peer] + (contender.more if side == 2 else [])


class Foreign(Contender):
    """A program that wg(8) configures."""

    target = "10.78.0.2"
    secure = True

    @classmethod
    def argv(cls, options):
        raise NotImplementedError

    @classmethod
    def missing(cls, options):
        found = cls.argv(options)[0]
        if subprocess.run(["sh", "-c", 'command -v "$0"', found], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0:
            return None
        return "%s is not here: install it, or choose with --only" % found

    def start(self):
        self.keys = {side: wireguard.Keys() for side in SIDES}
        env = dict(os.environ, LOG_LEVEL="error", WG_LOG_LEVEL="error",
                   WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1")
        for side, ns, other in self.ends():
            device = self.device(side)
            with open(self.directory / (device + ".log"), "wb") as log:
                self.processes[side] = ns.spawn(*self.argv(self.options), device, stdout=log,
                                                stderr=log, env=env)
            wait_for(lambda d=device: os.path.exists("/run/wireguard/%s.sock" % d), device)
            text = "[Interface]\nPrivateKey = %s\nListenPort = %d\n" % (self.keys[side].private, PORT)
            text += "".join(p.section() for p in peers_of(self, side, other))
            ns.sh("wg", "setconf", device, wireguard.secret_file(self.directory, text), timeout=300)
            ns.ip("addr", "add", "10.78.0.%d/24" % side, "dev", device)
            ns.ip("link", "set", device, "mtu", MTU, "up")


class DebianGo(Foreign):
    name = "wireguard-go"

    @classmethod
    def argv(cls, options):
        return ["wireguard-go", "-f"]


class FromPeers(Foreign):
    """Built by tests/interop/build-peers."""

    file = ""
    arguments = ["-f"]

    @classmethod
    def argv(cls, options):
        return [str(options.peers / "bin" / cls.file)] + cls.arguments

    @classmethod
    def missing(cls, options):
        if not options.peers:
            return "%s needs --peers DIR (see tests/interop/build-peers)" % cls.name
        return super().missing(options)


class CurrentGo(FromPeers):
    name = "wireguard-go-current"
    file = "wireguard-go"


class Boringtun(FromPeers):
    name = "boringtun"
    file = "boringtun-cli"
    arguments = ["-f", "--disable-drop-privileges", "--verbosity", "error"]


ALL = {c.name: c for c in (Contender, Vpncore, VpncoreWg, DebianGo, CurrentGo, Boringtun)}
