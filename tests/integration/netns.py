# SPDX-License-Identifier: BSD-2-Clause
"""netns: network namespaces, veth pairs, and sockets inside of them.

Every test file runs in its own mount, network and process namespace (see run.py), with a private
/run. The namespaces that are made here live in there and are gone when the file's run ends.
"""
import contextlib
import ctypes
import itertools
import json
import os
import socket
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_serial = itertools.count(1)


def sh(*argv, check=True, timeout=60, **kwargs):
    """Runs a command to its end; raises with its output when it fails and check is true."""
    argv = [str(a) for a in argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, **kwargs)
    if check and done.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s%s" % (" ".join(argv), done.returncode, done.stdout,
                                                  done.stderr))
    return done


class Namespace:
    """A network namespace with `lo` up. close() removes it."""

    def __init__(self, label):
        self.label = label
        self.name = "vc%d-%d-%s" % (os.getpid(), next(_serial), label)
        sh("ip", "netns", "add", self.name)
        self.path = "/run/netns/" + self.name
        # No waiting for duplicate address detection, no router solicitations.
        for scope in ("all", "default"):
            self.sysctl("net/ipv6/conf/%s/accept_dad" % scope, 0)
            self.sysctl("net/ipv6/conf/%s/router_solicitations" % scope, 0)
        self.ip("link", "set", "lo", "up")

    def close(self):
        sh("ip", "netns", "del", self.name, check=False)

    def command(self, *argv):
        """The argument list that runs argv in here; the process keeps its id over the exec."""
        return ["ip", "netns", "exec", self.name] + [str(a) for a in argv]

    def sh(self, *argv, **kwargs):
        return sh(*self.command(*argv), **kwargs)

    def ip(self, *argv, **kwargs):
        return sh("ip", "-n", self.name, *argv, **kwargs)

    def spawn(self, *argv, **kwargs):
        return subprocess.Popen(self.command(*argv), stdin=subprocess.DEVNULL, **kwargs)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in this namespace; what it opens stays here for good."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(home)
            os.close(there)
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, proto=0):
        with self.entered():
            return socket.socket(family, kind, proto)

    def sysctl(self, name, value):
        with self.entered(), open("/proc/sys/" + name, "w", encoding="ascii") as f:
            f.write(str(value))

    # -- what is in here ---------------------------------------------------------------------

    def devices(self):
        lines = self.ip("-o", "link", "show").stdout.splitlines()
        return [line.split(": ")[1].split("@")[0] for line in lines]

    def has(self, device):
        return device in self.devices()

    def flags(self, device):
        """The set of words between < and > of `ip link`, such as UP and LOWER_UP."""
        out = self.ip("-o", "link", "show", "dev", device).stdout
        return set(out.split("<")[1].split(">")[0].split(","))

    def addresses(self, device):
        lines = self.ip("-o", "addr", "show", "dev", device).stdout.splitlines()
        return [line.split()[3] for line in lines]

    def link(self, device):
        """What `ip -json -statistics -details link show` says of a device."""
        out = self.ip("-j", "-s", "-d", "link", "show", "dev", device).stdout
        return json.loads(out)[0]


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        e = ctypes.get_errno()
        raise OSError(e, "setns: " + os.strerror(e))


def veth(left, left_name, right, right_name, mtu=1500):
    """A cable between two namespaces. Both ends are made where they belong and are up."""
    sh("ip", "link", "add", left_name, "netns", left.name, "mtu", mtu, "type", "veth",
       "peer", "name", right_name, "netns", right.name, "mtu", mtu)
    left.ip("link", "set", left_name, "up")
    right.ip("link", "set", right_name, "up")


def address(ns, device, *prefixes):
    for prefix in prefixes:
        extra = ["nodad"] if ":" in prefix else []
        ns.ip("addr", "add", prefix, "dev", device, *extra)
