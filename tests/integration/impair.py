# SPDX-License-Identifier: BSD-2-Clause
"""impair: the program tests/tools/impair under way: a UDP relay that treats datagrams as a bad line would.

    line = Impair(ns, "192.0.2.9:7000", "198.51.100.2:7001", directory, "--loss", "5%", "--seed", 7)
    line.statistics()["up"]["lost"]["random"]
    line.stop()
"""
import itertools
import json
import signal

import program
from program import SLOWNESS, wait_for

_serial = itertools.count(1)


def binary():
    return program.BUILD / "bin" / "impair"


class Impair:
    """One relay. `options` are of its command line; see `impair --help`."""

    def __init__(self, ns, listen, to, directory, *options):
        name = directory / ("impair-%d" % next(_serial))
        self._out, self._log = name.with_suffix(".json"), name.with_suffix(".log")
        argv = [binary(), "--listen", listen, "--to", to, *options]
        with open(self._out, "wb") as out, open(self._log, "wb") as log:
            self.process = ns.spawn(*argv, stdout=out, stderr=log, env=program.environment())
        wait_for(lambda: "impair: relays" in self.log() or not self.running(), "impair relays")
        if not self.running():
            raise AssertionError("impair ended with %s: %s" % (self.process.returncode, self.log()))

    def log(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def running(self):
        return self.process.poll() is None

    def _lines(self):
        text = self._out.read_text(encoding="ascii")
        return text[:text.rfind("\n") + 1].splitlines()

    def statistics(self):
        """Of now, while it runs; what --help says of them."""
        before = len(self._lines())
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: len(self._lines()) > before, "statistics of impair")
        return checked(json.loads(self._lines()[-1]))

    def stop(self, number=signal.SIGTERM):
        """Ends it, which has to go well; returns its last statistics."""
        self.process.send_signal(number)
        self.process.wait(10 * SLOWNESS)
        if self.process.returncode != 0:
            raise AssertionError("impair ended with %d: %s" % (self.process.returncode, self.log()))
        return checked(json.loads(self._lines()[-1]))

    def close(self):
        if self.running():
            self.stop()


def checked(found):
    """Statistics in which every datagram has one end."""
    for way in ("up", "down"):
        s = found[way]
        if s["in"] + s["duplicated"] != s["delivered"] + sum(s["lost"].values()) + s["pending"]:
            raise AssertionError("impair has lost count: %s" % s)
    return found
