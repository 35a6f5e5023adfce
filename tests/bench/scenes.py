# SPDX-License-Identifier: BSD-2-Clause
"""scenes: circumstances under which contenders are measured, round by round, by turns.

What a contender cannot do does not end the run: it is said, the contender is left out of what it
failed in, and the run's exit status tells.
"""
from dataclasses import dataclass, field
import subprocess
import sys
import traceback

SETUP_SECONDS = 0.5  # what a measurement takes beside its own time, for the estimate
EXPECTED = (RuntimeError, AssertionError, subprocess.SubprocessError)  # they say enough


@dataclass(frozen=True)
class Measure:
    """One row of the tables."""
    title: str
    unit: str
    more_is_better: bool = True


@dataclass(frozen=True)
class Probe:
    """One experiment. work(contender, seconds) returns {measure: figure}; `needs` is what a
    contender has to offer for it; `quick`: --quick takes it too."""
    name: str
    needs: str
    work: object
    measures: dict
    quick: bool = False


@dataclass
class Run:
    """What has been measured: {contender: {measure: [figure of each round]}}, and what failed."""
    options: object
    directory: object
    samples: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def add(self, name, figures, measures, i):
        for measure, value in figures.items():
            self.samples.setdefault(name, {}).setdefault(measure, []).append(value)
        text = ", ".join("%s %.4g %s" % (m, v, measures[m].unit) for m, v in figures.items())
        print("round %d/%d  %-20s  %s" % (i + 1, self.options.rounds, name, text),
              file=sys.stderr, flush=True)

    def fail(self, name, what, error, logs=""):
        if not isinstance(error, EXPECTED):
            traceback.print_exception(error)
        text = "%s: %s: %s%s" % (name, what, str(error).strip() or type(error).__name__, logs)
        self.failures.append(text)
        print("FAILED  " + text, file=sys.stderr, flush=True)


class Scene:
    """more(options) gives the public keys of further peers of b."""

    def __init__(self, name, probes, *, more=None):
        self.name, self.probes = name, probes
        self.more = more or (lambda options: ())

    def chosen(self, options):
        """Those that --quick takes; when there are none, the scene was asked for by its name."""
        return [p for p in self.probes if p.quick and options.quick] or self.probes

    def takes(self, kind, options):
        return any(p.needs in kind.offers for p in self.chosen(options))

    def seconds(self, kinds, options):
        """An estimate of how long it takes."""
        each = sum(options.seconds + SETUP_SECONDS for k in kinds for p in self.chosen(options)
                   if p.needs in k.offers)
        return options.rounds * each

    def run(self, run, kinds):
        """Adds samples and failures to `run`; kinds: classes of contenders that it takes."""
        raise NotImplementedError

    def begin(self, run, kind):
        """A new contender that is up, or None."""
        try:
            return kind(run.directory, run.options, self.more(run.options))
        except Exception as error:  # pylint: disable=broad-except
            run.fail(kind.name, "does not come up for the scene %s" % self.name, error)
            return None

    def take(self, run, probe, contender, i):
        """Whether it went well."""
        try:
            figures = probe.work(contender, run.options.seconds)
        except Exception as error:  # pylint: disable=broad-except
            run.fail(contender.name, "%s in round %d" % (probe.name, i + 1), error,
                     contender.logs())
            return False
        run.add(contender.name, figures, probe.measures, i)
        return True


class Standing(Scene):
    """All contenders are up all the time, and idle while another one is measured."""

    def run(self, run, kinds):
        contenders = []
        try:
            for kind in kinds:
                contenders.append(self.begin(run, kind))
            contenders = [c for c in contenders if c]
            self.rounds(run, contenders)
        finally:
            for contender in contenders:
                if contender:
                    contender.close()

    def rounds(self, run, contenders):
        out = set()  # (contender, probe) that failed
        for i in range(run.options.rounds):
            for probe in self.chosen(run.options):
                for c in contenders:
                    if probe.needs not in c.offers or (c.name, probe.name) in out:
                        continue
                    if not self.take(run, probe, c, i):
                        out.add((c.name, probe.name))
            for c in [c for c in contenders if c.ended()]:
                run.fail(c.name, "its program ended", RuntimeError("it was not told to"), c.logs())
                contenders.remove(c)
                c.close()


class Fresh(Scene):
    """A contender starts anew for each round, alone."""

    def run(self, run, kinds):
        kinds = list(kinds)
        for i in range(run.options.rounds):
            for kind in list(kinds):
                contender = self.begin(run, kind)
                if not contender:
                    kinds.remove(kind)
                    continue
                try:
                    for probe in self.chosen(run.options):
                        if probe.needs in kind.offers and not self.take(run, probe, contender, i):
                            kinds.remove(kind)
                            break
                finally:
                    contender.close()
