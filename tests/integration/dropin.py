# SPDX-License-Identifier: BSD-2-Clause
"""dropin: the program that takes its whole configuration from wg(8): `vpncore-wg [-f] IFNAME`.

VPNCORE_WG_PROGRAM names another program of that kind, such as wireguard-go: to see that a test can pass,
and can fail, with one that is not ours.
"""
import os
import pathlib
import subprocess

from harness import BUILD, INNER4, INNER6, OUTER4, OUTER6, Peers, environment, sanitizer
from program import SLOWNESS
from wireguard import Node, Program, private_run, secret_file

PROGRAM = pathlib.Path(os.environ.get("VPNCORE_WG_PROGRAM") or BUILD / "bin" / "vpncore-wg")
OURS = PROGRAM.name.startswith("vpncore")
BIG_MTU = 34736  # the device's, in the kernel's selftest; its messages fit the 64 KiB of `lo`


def start_environment(**more):
    """wireguard-go wants to be asked twice where it believes that the kernel has the driver."""
    return environment(WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1", **more)


class Process(Program):
    """The program in the foreground. What ours may not do is checked when it ends."""

    def __init__(self, ns, ifname, directory, args=()):  # pylint: disable=super-init-not-called
        self.ns, self.ifname, self.name = ns, ifname, PROGRAM.name
        self.killed = False
        serial = sum(1 for _ in directory.glob("%s-*.log" % ifname))
        self.log_file = directory / ("%s-%d.log" % (ifname, serial))
        argv = ["setarch", os.uname().machine, "-R"] if sanitizer() == "tsan" else []
        argv += [PROGRAM, "-f", *args, ifname]
        with open(self.log_file, "wb") as log:
            self.process = ns.spawn(*private_run(ns), *argv, stdout=log, stderr=log,
                                    env=start_environment(LOG_LEVEL="verbose"))

    def kill(self):
        self.killed = True
        super().kill()

    def close(self):
        if self.killed:
            return
        if self.running():
            self.process.terminate()
        try:
            self.process.wait(15 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("%s has not ended" % self.name) from None
        if OURS:
            self.check()

    def check(self):
        """A sanitizer's report ends the program with a status of its own."""
        if "packets were not released" in self.log():
            raise AssertionError("%s: packets were not released" % self.name)
        if self.process.returncode != 0:
            raise AssertionError("%s ended with status %d" % (self.name, self.process.returncode))


class Interface(Node):
    """An interface made in the namespace `outer`, where its sockets and wg(8) stay, and used in `ns`,
    to which it is moved when that is another one. `options` are the program's own, for ours."""

    def __init__(self, test, ns, addresses, *, outer=None, options=(), **kwargs):
        super().__init__(test, outer or ns, "drop-in", addresses, **kwargs)
        self.inside = ns
        self.options = options if OURS else ()

    def start(self):
        self.program = Process(self.ns, self.ifname, self.test.directory, self.options)
        self.test.programs.append(self.program)
        self.test.addCleanup(self.program.close)
        self.program.wait_up()
        self.setconf()
        if self.inside is not self.ns:
            self.ns.ip("link", "set", self.ifname, "netns", self.inside.name)
        for a in self.addresses:
            self.inside.ip("addr", "add", a, "dev", self.ifname, *(["nodad"] if ":" in a else []))
        self.inside.ip("link", "set", self.ifname, "mtu", self.mtu, "up")
        return self

    def setconf(self, text=None, verb="setconf", **kwargs):
        """`wg setconf`, `syncconf` or `addconf` with this text, or what conf() says."""
        return self.wg(verb, self.ifname, secret_file(self.test.directory, text or self.conf()),
                       **kwargs)

    def set(self, *argv, **kwargs):
        """`wg set` with these words."""
        return self.wg("set", self.ifname, *argv, **kwargs)

    def secret(self, text):
        """A file to give to `wg set ... private-key` or `preshared-key`."""
        return secret_file(self.test.directory, text)


class Direct(Peers):
    """The cable of Peers, with an interface at each end:

        namespace a                                    namespace b
        wg0 10.78.0.1/24   . . . . WireGuard . . . .   wg0 10.78.0.2/24
            fd78::1/64                                     fd78::2/64
        eth0 192.0.2.1/24  -------- veth -----------   eth0 192.0.2.2/24
             2001:db8:1::1/64                               2001:db8:1::2/64
    """

    def begin(self, family=4, *, mtu=1420, start=True, a=None, b=None):
        """Makes both interfaces, which know each other's endpoint. a and b are arguments of
        Node.add() for what one end says of the other."""
        self.one, self.two = (
            Interface(self, ns, [INNER4[i] + "/24", INNER6[i] + "/64"], mtu=mtu)
            for i, ns in enumerate((self.a, self.b)))
        outer = OUTER4 if family == 4 else OUTER6
        self.one.add(self.two, **{"endpoint": outer[1], **(a or {})})
        self.two.add(self.one, **{"endpoint": outer[0], **(b or {})})
        if start:
            self.one.start()
            self.two.start()
        return self.one, self.two


def nft(ns, rules):
    """Loads rules into a namespace."""
    with ns.entered():
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
