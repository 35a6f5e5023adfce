# SPDX-License-Identifier: BSD-2-Clause
"""goals: what vpncore wants to be, and whether a run says that it is.

A goal bounds the ratio of two medians of one run. Whether it is reached is not said where the two
are not comparable (see report.py). Nothing depends on it: no figure makes a run fail.
"""
from dataclasses import dataclass

from lanes import NAME as IN_PROCESS
from report import NOISY, compare, number

WG, PLAIN, CABLE, GO = "vpncore-wg", "vpncore", "veth", "wireguard-go-current"
KCP, KCP_FEC, DEADLINE = "vpncore-kcp", "vpncore-kcp-fec", "vpncore-kcp-deadline"
TUN, FEC = "kcptun", "kcptun-fec"


@dataclass(frozen=True)
class Goal:
    """own and other: (contender, measure)."""
    title: str
    own: tuple
    other: tuple
    at_least: float = None
    at_most: float = None

    def bound(self):
        return ">= %g" % self.at_least if self.at_most is None else "<= %g" % self.at_most

    def reached(self, ratio):
        return ratio >= self.at_least if self.at_most is None else ratio <= self.at_most


def against(title, measure, own, other, **bound):
    return Goal(title, (own, measure), (other, measure), **bound)


GOALS = [
    against("TCP, 1 stream, wireguard, against wireguard-go", "tcp", WG, GO, at_least=2.5),
    against("TCP, 1 stream, wireguard, against the cable", "tcp", WG, CABLE, at_least=0.4),
    against("TCP, 1 stream, plain, against the cable", "tcp", PLAIN, CABLE, at_least=0.6),
    against("UDP, 1300 bytes, against wireguard-go", "udp1300", WG, GO, at_least=2.2),
    against("UDP, 64 bytes, against wireguard-go", "udp64", WG, GO, at_least=2.0),
    against("ping, idle, against wireguard-go", "ping", WG, GO, at_most=0.45),
    against("ping beside a TCP stream, against wireguard-go", "load", WG, GO, at_most=0.45),
    Goal("ping beside a TCP stream, against our own idle", (WG, "load"), (WG, "ping"), at_most=3.0),
    against("processor time per GB, against wireguard-go", "cpu", WG, GO, at_most=0.45),
    against("memory, idle, against wireguard-go", "rss", WG, GO, at_most=0.3),
    Goal("two lanes against one, in process", (IN_PROCESS, "lanes-2"), (IN_PROCESS, "lanes-1"),
         at_least=1.8),
    against("kcp reliable, clean, against kcptun: TCP", "goodput-clean", KCP, TUN, at_least=3.0),
    against("kcp reliable, clean, against kcptun: processor time", "price-clean", KCP, TUN,
            at_most=0.3),
]
# What an obfs mode may cost wireguard.
OBFS = {"salamander": 0.75, "veil": 0.9}
GOALS += [against("TCP, 1 stream, wireguard and obfs %s, against wireguard" % mode, "tcp",
                  "vpncore-wg-" + mode, WG, at_least=least) for mode, least in OBFS.items()]
GOALS += [
    against("TCP, 1 stream, obfs awg, against amneziawg-go", "tcp", "vpncore-awg", "amneziawg-go",
            at_least=2.0),
]
for _loss in (1, 5, 10):
    for _title, _own in (("kcp reliable with FEC", KCP_FEC), ("kcp deadline", DEADLINE)):
        _line = "%s, %d %% lost, against kcptun's FEC" % (_title, _loss)
        GOALS += [
            against(_line + ": TCP", "goodput-%d" % _loss, _own, FEC, at_least=1.5),
            against(_line + ": bytes on the wire", "wire-%d" % _loss, _own, FEC, at_most=1.0),
            against(_line + ": processor time", "price-%d" % _loss, _own, FEC, at_most=0.3),
            against(_line + ": p99 of a flow", "flow-p99-%d" % _loss, _own, FEC, at_most=1.0),
        ]


def judge(goal, samples):
    """(ratio or None, "yes", "no", "not comparable" or "not measured")"""
    own, other = [samples.get(name, {}).get(measure) for name, measure in (goal.own, goal.other)]
    found = own and other and compare(own, other)
    if not found:
        return None, "not measured"
    ratio, significant = found
    if not significant:
        return ratio, "not comparable"
    return ratio, "yes" if goal.reached(ratio) else "no"


def table(samples):
    """(note, rows), as report.tables() has them."""
    rows = [["goals", "ratio", "goal", "reached"]]
    doubtful = False
    for goal in GOALS:
        ratio, verdict = judge(goal, samples)
        doubtful = doubtful or verdict == "not comparable"
        shown = number(ratio) if verdict in ("yes", "no") else "~" if ratio is not None else "-"
        rows.append([goal.title, shown, goal.bound(), verdict])
    note = "wireguard-go is the current one"
    return note + "; " + NOISY if doubtful else note, rows


def results(samples):
    found = []
    for goal in GOALS:
        ratio, verdict = judge(goal, samples)
        found.append({"goal": goal.title.strip(), "own": goal.own, "other": goal.other,
                      "bound": goal.bound(), "ratio": ratio, "reached": verdict})
    return found
