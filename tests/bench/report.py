# SPDX-License-Identifier: BSD-2-Clause
"""report: medians, ratios, and whether a ratio means anything.

A ratio is that of two medians. It is printed as "~" instead when the difference of the medians is not larger
than the noise: the larger one of the two contenders' distances between the quartiles of their rounds. With
one round nothing is known of the noise, and everything is "~".
"""
import statistics

from measures import MEASURES

OURS = ("vpncore-wg", "vpncore")


def noise(values):
    if len(values) < 2:
        return float("inf")
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def compare(own, other):
    """(ratio, whether the difference is larger than the noise)"""
    a, b = statistics.median(own), statistics.median(other)
    return a / b, abs(a - b) > max(noise(own), noise(other))


def medians(samples):
    return {n: {m: statistics.median(v) for m, v in s.items()} for n, s in samples.items()}


def ratios(samples):
    """{ours: {other: {measure: {"ratio": .., "significant": ..}}}}"""
    found = {}
    for own in OURS:
        for other in samples:
            if own not in samples or other in OURS:
                continue
            both = {m: compare(samples[own][m], samples[other][m])
                    for m in samples[own] if m in samples[other]}
            if both:
                found.setdefault(own, {})[other] = {
                    m: {"ratio": r, "significant": s} for m, (r, s) in both.items()}
    return found


def cell(values):
    if not values:
        return "-"
    return "%.2f (%.2f..%.2f)" % (statistics.median(values), min(values), max(values))


def table(samples):
    names = list(samples)
    rows = [["median (lowest..highest)", ""] + names]
    for m, measure in MEASURES.items():
        if any(m in s for s in samples.values()):
            rows.append([measure.title, measure.unit] + [cell(samples[n].get(m)) for n in names])
    print_rows(rows)
    for own, others in ratios(samples).items():
        measured = [m for m in MEASURES if any(m in v for v in others.values())]
        rows = [["%s /" % own] + ["%s %s" % (m, "+" if MEASURES[m].more_is_better else "-")
                                  for m in measured]]
        for other, values in others.items():
            rows.append([other] + [ratio(values.get(m)) for m in measured])
        print()
        print_rows(rows)
    print("\n+: more is better, -: less is better; ~: the rounds differ more than the contenders")


def ratio(found):
    if found is None:
        return "-"
    return "%.2f" % found["ratio"] if found["significant"] else "~"


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])]
                        + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]).rstrip())
