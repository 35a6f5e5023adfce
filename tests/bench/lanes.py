# SPDX-License-Identifier: BSD-2-Clause
"""lanes: how a pipeline without a network gets faster with more lanes; bench_scale measures, in a
process of its own.

Beside it what bare threads gain that do nothing but seal and open: no pipeline gains more than the
machine.
"""
import json

from netns import sh
import program
from scenes import Measure, Probe, Scene

NAME = "in-process"
SECONDS = 3  # of a round
LANES, THREADS = (1, 2, 4), (1, 2)


def bench_scale():
    return program.BUILD / "bin" / "bench_scale"


def rates():
    """{measure: 1000 packets a second}"""
    done = sh(bench_scale(), "--json", "--only", "lanes", "--rounds", 1, timeout=60)
    found = json.loads(done.stdout)
    result = {"lanes-%d" % n: found["lanes"][str(n)]["pps"] / 1e3 for n in LANES}
    result.update({"threads-%d" % n: found["ceiling"]["cipher"][str(n)]["pps"] / 1e3
                   for n in THREADS})
    return result


class Lanes(Scene):
    """No contender takes part. Without bench_scale there are no figures, which is said."""

    def __init__(self, name):
        measures = {"lanes-%d" % n: Measure("wireguard in process, %d lane%s" % (n, "s"[:n - 1]),
                                            "1000/s") for n in LANES}
        measures.update({"threads-%d" % n: Measure("the cipher alone, %d thread%s" % (
            n, "s"[:n - 1]), "1000/s") for n in THREADS})
        super().__init__(name, [Probe(name, "", None, measures, quick=True)])

    def seconds(self, kinds, options):
        return SECONDS * options.rounds if bench_scale().exists() else 0

    def run(self, run, kinds):
        if not bench_scale().exists():
            run.notes.append("%s is not built: lanes are not measured" % bench_scale())
            return
        for i in range(run.options.rounds):
            try:
                run.add(NAME, rates(), self.probes[0].measures, i)
            except Exception as error:  # pylint: disable=broad-except
                run.fail(NAME, "bench_scale in round %d" % (i + 1), error)
                return
