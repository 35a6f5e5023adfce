# SPDX-License-Identifier: BSD-2-Clause
"""harness: what a test file needs: the base class, the usual topology and the usual manifests."""
import itertools
import pathlib
import shutil
import tempfile
import unittest

import netns
from netns import sh, veth
from program import (BUILD, PLUGINS, SLOWNESS, TOP, Vpncore, environment, sanitizer, total,
                     wait_for)
import traffic

__all__ = ["BUILD", "INNER4", "INNER6", "OUTER4", "OUTER6", "PLUGINS", "PORT", "Peers", "SLOWNESS",
           "TOP", "Test", "Vpncore", "each", "environment", "hostport", "main", "manifest",
           "not_under_sanitizers", "sanitizer", "sh", "total", "traffic", "veth", "wait_for"]

PORT = 51820

# Addresses of the cable and of the tunnel; side 0 is "a", side 1 is "b".
OUTER4 = ("192.0.2.1", "192.0.2.2")
OUTER6 = ("2001:db8:1::1", "2001:db8:1::2")
INNER4 = ("10.78.0.1", "10.78.0.2")
INNER6 = ("fd78::1", "fd78::2")


def not_under_sanitizers(test):
    """Leaves a test out where a sanitizer falsifies what it looks at, and says so."""
    if not sanitizer():
        return test
    print("not run under sanitizers: %s" % test.__name__, flush=True)
    return None


def hostport(address, port=PORT):
    return "[%s]:%d" % (address, port) if ":" in address else "%s:%d" % (address, port)


def outer(family):
    return OUTER4 if family == 4 else OUTER6


def manifest(side, *, family=4, layer="ip", mtu=1420, lanes=None, device=None, udp=None):
    """The manifest of a plain UDP tunnel. `device` and `udp` add to or replace keys of the
    stages; a value of None takes the key away."""
    own, other = outer(family)[side], outer(family)[1 - side]
    stages = [
        {"device": "auto", "name": "vpn0", "layer": layer, "mtu": mtu,
         "addresses": [INNER4[side] + "/24", INNER6[side] + "/64"]},
        {"transport": "udp", "listen": hostport(own), "remote": hostport(other)},
    ]
    for stage, changes in zip(stages, (device or {}, udp or {})):
        stage.update(changes)
        for key in [k for k, v in stage.items() if v is None]:
            del stage[key]
    result = {"vpncore": 1, "name": "ab"[side], "allow_insecure": True, "pipeline": stages}
    if lanes:
        result["lanes"] = lanes
    return result


def each(*choices):
    """Of a method of a Test that takes arguments: one test for every combination of the choices."""
    def mark(method):
        method.choices = list(itertools.product(*choices))
        return method
    return mark


class Test(unittest.TestCase):
    """Namespaces, processes and files that are gone when the test ends."""

    def __init_subclass__(cls):
        super().__init_subclass__()
        for name, method in list(vars(cls).items()):
            for choice in getattr(method, "choices", ()):
                def test(self, method=method, choice=choice):
                    method(self, *choice)
                setattr(cls, "%s, %s" % (name, ", ".join(map(str, choice))), test)
            if hasattr(method, "choices"):
                delattr(cls, name)

    def setUp(self):
        self.programs = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vpncore-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def namespace(self, label):
        ns = netns.Namespace(label)
        self.addCleanup(ns.close)
        return ns

    def vpncore(self, ns, spec, **kwargs):
        """Starts `vpncore run`. At the end of the test it is stopped and has to end with 0."""
        program = Vpncore(ns, spec, self.directory, **kwargs)
        self.programs.append(program)
        self.addCleanup(program.close)
        return program

    def told(self):
        """What the programs have said, for a failed test."""
        return "".join(p.text() for p in self.programs)


class Peers(Test):
    """The topology of most tests:

        namespace a                                   namespace b
        vpn0 10.78.0.1/24  . . . . tunnel . . . . .   vpn0 10.78.0.2/24
             fd78::1/64                                    fd78::2/64
        eth0 192.0.2.1/24  ------- veth ----------    eth0 192.0.2.2/24
             2001:db8:1::1/64                              2001:db8:1::2/64
    """

    outer_mtu = 1500

    def setUp(self):
        super().setUp()
        self.a, self.b = self.namespace("a"), self.namespace("b")
        veth(self.a, "eth0", self.b, "eth0", self.outer_mtu)
        for side, ns in enumerate((self.a, self.b)):
            netns.address(ns, "eth0", OUTER4[side] + "/24", OUTER6[side] + "/64")

    def tunnel(self, a=None, b=None, **both):
        """Starts both sides; a and b are arguments of manifest() for one side. Returns both."""
        pair = [self.vpncore(ns, manifest(side, **{**both, **(own or {})}))
                for side, (ns, own) in enumerate(((self.a, a), (self.b, b)))]
        for program in pair:
            program.wait_up()
        return pair

    def check_ping(self, count=5):
        """Both families, from both sides."""
        for ns, other in ((self.a, 1), (self.b, 0)):
            for address in (INNER4[other], INNER6[other]):
                self.assertEqual(traffic.ping(ns, address, count), count, "ping " + address)

    def check_tcp(self, n=4 << 20, streams=1):
        """Both families, both directions, by content."""
        traffic.tcp(self.a, self.b, INNER4[1], n, streams)
        traffic.tcp(self.b, self.a, INNER4[0], n, streams)
        traffic.tcp(self.a, self.b, INNER6[1], n, streams)
        traffic.tcp(self.b, self.a, INNER6[0], n, streams)


def main():
    unittest.main(verbosity=2)
