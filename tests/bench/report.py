# SPDX-License-Identifier: BSD-2-Clause
"""report: medians, ratios, and whether a ratio means anything; as text and as Markdown.

A ratio is that of two medians. It is printed as "~" instead when the difference of the medians is
not larger than the noise: the larger one of the two distances between the quartiles of their
rounds. With one round nothing is known of the noise, and everything is "~".
"""
import statistics

from contenders import OURS
from measures import MEASURES

NOISY = "~: not compared: the rounds of one of the two differ more than the two do"


def noise(values):
    """The distance between the quartiles."""
    if len(values) < 2:
        return float("inf")
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def compare(own, other):
    """(ratio, whether the difference is larger than the noise); None where the other has 0"""
    a, b = statistics.median(own), statistics.median(other)
    if b == 0:
        return None
    return a / b, abs(a - b) > max(noise(own), noise(other))


def medians(samples):
    return {n: {m: statistics.median(v) for m, v in s.items()} for n, s in samples.items()}


def ratios(samples):
    """{ours: {other: {measure: {"ratio": .., "significant": ..}}}}"""
    result = {}
    for own in [name for name in OURS if name in samples]:
        for other in [name for name in samples if name not in OURS]:
            both = {m: compare(samples[own][m], samples[other][m])
                    for m in samples[own] if m in samples[other]}
            both = {m: {"ratio": c[0], "significant": c[1]} for m, c in both.items() if c}
            if both:
                result.setdefault(own, {})[other] = both
    return result


def number(value):
    """Three digits that matter, none of them after a large number's point."""
    if abs(value) >= 100:
        return "%.0f" % value
    return "%.*f" % (1 if abs(value) >= 10 else 2, value)


def spread(values):
    """The median and, in per cent of it, half the noise: short enough for a terminal."""
    middle = statistics.median(values)
    if len(values) < 2 or middle == 0:
        return number(middle)
    return "%s \u00b1%.0f%%" % (number(middle), 50 * noise(values) / middle)


def extent(values):
    """The median (lowest-highest)."""
    if len(values) < 2 or min(values) == max(values):
        return number(statistics.median(values))
    return "%s (%s-%s)" % (number(statistics.median(values)), number(min(values)),
                           number(max(values)))


def tables(samples, cell=spread):
    """[(note, rows)]: what was measured, then each of ours against the others."""
    names = list(samples)
    rows = [["median \u00b1 half the quartiles' distance" if cell is spread
             else "median (lowest-highest)", ""] + names]
    for m in [m for m in MEASURES if any(m in s for s in samples.values())]:
        rows.append([MEASURES[m].title, MEASURES[m].unit]
                    + [cell(samples[n][m]) if m in samples[n] else "-" for n in names])
    found = [("", rows)]
    for own, others in ratios(samples).items():
        rows = [["%s as a ratio to" % own, "better is"] + list(others)]
        for m in [m for m in MEASURES if any(m in v for v in others.values())]:
            rows.append([MEASURES[m].title, "more" if MEASURES[m].more_is_better else "less"]
                        + [ratio(v.get(m)) for v in others.values()])
        found.append(("", rows))
    if len(found) > 1:
        found[-1] = (NOISY, rows)
    return found


def ratio(found):
    if found is None:
        return "-"
    return number(found["ratio"]) if found["significant"] else "~"


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])]
                        + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]).rstrip())


def print_tables(found):
    for note, rows in found:
        print()
        print_rows(rows)
        if note:
            print("\n" + note)


def markdown(found):
    text = []
    for note, rows in found:
        head, *rest = rows
        lines = ["| %s |" % " | ".join(head), "|%s" % ("---|" * len(head))]
        lines += ["| %s |" % " | ".join(c.strip() for c in row) for row in rest]
        text.append("\n".join(lines) + ("\n\n%s" % note if note else ""))
    return "\n\n".join(text) + "\n"
