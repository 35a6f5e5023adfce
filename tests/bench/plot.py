# SPDX-License-Identifier: BSD-2-Clause
"""plot: bar charts as SVG files, of nothing but text.

A chart brings its own background and follows the reader's light or dark setting, so it can be read
on any page. Each bar has its name and figure as text, the whole has a title and a description:
nothing is told by colour alone. The line across a bar's end goes from the lowest to the highest
round.
"""
from dataclasses import dataclass
import statistics
from xml.sax.saxutils import escape

from contenders import ALL, OURS
from lanes import NAME as IN_PROCESS
from measures import MEASURES
from report import number

PANEL, NAMES, FIGURES, GAP = 440, 146, 62, 20  # widths; heights below
LINE, BAR, HEAD, TOP, MARGIN = 21, 13, 38, 52, 16
STYLE = """
.page { fill: #ffffff; stroke: #d0d7de }
text { fill: #24292f; font: 12px system-ui, "DejaVu Sans", sans-serif }
.title { font-size: 16px; font-weight: 600 }
.panel { font-weight: 600 }
.note { fill: #57606a }
.own { fill: #0969da } .own-name { font-weight: 600 }
.cable { fill: #8c959f } .other { fill: #c47a1c }
.range { stroke: #24292f; stroke-width: 1.2; fill: none }
.axis { stroke: #8c959f; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; stroke: #30363d }
text { fill: #e6edf3 }
.note { fill: #9198a1 }
.own { fill: #58a6ff } .cable { fill: #7d8590 } .other { fill: #d29a4a }
.range { stroke: #e6edf3 } .axis { stroke: #7d8590 }
}
"""


@dataclass(frozen=True)
class Chart:
    """A file: a panel for each measure, two beside each other."""
    name: str
    title: str
    measures: tuple
    without: tuple = ()  # contenders that are not shown: a cable would hide what differs


CHARTS = [
    Chart("tcp", "TCP through the tunnel",
          ("tcp", "tcp4", "tcp-up", "tcp4-up", "tcp-both", "tcp4-both")),
    Chart("udp", "UDP delivered through the tunnel", ("udp64", "udp512", "udp1300"), ("veth",)),
    Chart("ping", "Round trips, idle and beside one TCP stream",
          ("ping", "ping-p99", "load", "load-p99")),
    Chart("cost", "What it costs", ("cpu", "rss", "rss-after", "start")),
    Chart("crowd", "With many peers", ("rss-crowd", "tcp-crowd", "ping-crowd", "handshakes")),
    Chart("lanes", "Lanes, in one process",
          ("lanes-1", "lanes-2", "lanes-4", "threads-1", "threads-2")),
    Chart("kcp", "KCP: TCP over a line that loses",
          ("goodput-0", "goodput-1", "goodput-5", "goodput-10", "price-5", "wire-5")),
    Chart("kcp-flow", "KCP: a flow of 100 messages a second over a line that loses",
          ("flow-p99-0", "flow-p99-1", "flow-p99-5", "flow-p99-10")),
]


def kind(name):
    if name in OURS or name == IN_PROCESS:
        return "own"
    return "cable" if name == "veth" else "other"


def tag(name, text=None, **attributes):
    """Underscores stand for what Python has no room for in a name."""
    inside = "".join(' %s="%s"' % (k.rstrip("_").replace("_", "-"),
                                   "%.1f" % v if isinstance(v, float) else escape(str(v)))
                     for k, v in attributes.items())
    return "<%s%s/>" % (name, inside) if text is None else "<%s%s>%s</%s>" % (
        name, inside, escape(text), name)


def panel(measure, bars, x, y):
    """bars: [(name, figures)]"""
    about = MEASURES[measure]
    yield tag("text", "%s, %s" % (about.title.strip(), about.unit), x=x, y=y + 14, class_="panel")
    yield tag("text", "%s is better" % ("more" if about.more_is_better else "less"), x=x, y=y + 29,
              class_="note")
    room = PANEL - NAMES - FIGURES
    most = max(max(values) for _, values in bars) or 1
    left, y = x + NAMES, y + HEAD
    for i, (name, values) in enumerate(bars):
        at = y + i * LINE
        middle = at + LINE / 2
        value, low, high = [v / most * room for v in (statistics.median(values), min(values),
                                                      max(values))]
        yield tag("text", name, x=left - 8, y=middle + 4, text_anchor="end",
                  class_="own-name" if kind(name) == "own" else "name")
        yield tag("rect", x=left, y=at + (LINE - BAR) / 2, width=max(value, 1.0), height=BAR,
                  class_=kind(name))
        if low < high:
            yield tag("path", d="M%.1f %.1fV%.1fM%.1f %.1fH%.1fM%.1f %.1fV%.1f" % (
                left + low, middle - 3, middle + 3, left + low, middle, left + high, left + high,
                middle - 3, middle + 3), class_="range")
        yield tag("text", number(statistics.median(values)), x=left + max(high, value) + 7,
                  y=middle + 4)
    yield tag("line", x1=left, y1=y, x2=left, y2=y + len(bars) * LINE, class_="axis")


def describe(panels):
    """The figures once more, for who does not see them."""
    return " ".join("%s (%s): %s." % (
        MEASURES[m].title.strip(), MEASURES[m].unit,
        ", ".join("%s %s" % (name, number(statistics.median(v))) for name, v in bars))
                    for m, bars in panels)


def draw(chart, panels):
    """The file's text; panels: [(measure, bars)]"""
    columns = min(2, len(panels))
    rows = [panels[i:i + columns] for i in range(0, len(panels), columns)]
    body, y = [], TOP
    for row in rows:
        for column, (measure, bars) in enumerate(row):
            body += panel(measure, bars, MARGIN + column * (PANEL + GAP), y)
        y += HEAD + max(len(bars) for _, bars in row) * LINE + GAP
    width = 2 * MARGIN + columns * PANEL + (columns - 1) * GAP
    height = y + MARGIN
    note = "medians; the line goes from the lowest to the highest round"
    head = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
            'role="img" aria-labelledby="title description">' % (width, height, width, height),
            tag("title", chart.title, id="title"),
            tag("desc", describe(panels), id="description"),
            "<style>%s</style>" % STYLE,
            tag("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=6, class_="page"),
            tag("text", chart.title, x=MARGIN, y=30, class_="title"),
            tag("text", note, x=MARGIN, y=height - 12, class_="note")]
    return "\n".join(head + body + ["</svg>", ""])


def write(directory, samples):
    """Makes a file of each chart that there is anything for; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    order = [name for name in (*ALL, IN_PROCESS) if name in samples]
    paths = []
    for chart in CHARTS:
        panels = [(m, [(name, samples[name][m]) for name in order
                       if m in samples[name] and name not in chart.without])
                  for m in chart.measures]
        panels = [(m, bars) for m, bars in panels if bars]
        if panels:
            paths.append(directory / ("bench-%s.svg" % chart.name))
            paths[-1].write_text(draw(chart, panels), encoding="utf-8")
    return paths
