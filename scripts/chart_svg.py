#!/usr/bin/env python3
"""Draws a result of `hakstress compare` for a README: speed relative to the baseline, as one SVG on stdout.

usage: chart_svg.py RESULT.json > CHART.svg

The background is transparent and every colour can be read on white as on GitHub's dark grey.
Exit status: 0 drawn, 1 the result holds nothing to draw or a file cannot be used, 2 wrong usage.
"""
import json
import math
import sys
from xml.sax.saxutils import escape

WIDTH, GUTTER, NAMES = 880, 28, 132  # of the whole, between two columns, for the names of workloads
LANE, WIDE_LANE = 10, 14  # of one allocator; with a number beside it
GAP, HEAD = 10, 26  # between workloads, for the ticks above
ONE_COLUMN = 6  # workloads; more of them stand in two
FARTHEST = 16  # the largest ratio on the axis, and the inverse of the smallest
FONTS = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"
TEXT, GRID = "#727a84", "#727a8455"
# As on the page: the baseline would be the first of each.
COLOURS = ["#767c86", "#2f81c7", "#d9662b", "#1f9d78", "#bf5aa3", "#a0801a", "#3a8fc0", "#9a6fd6"]
SHAPES = [
    None,  # a circle
    [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    [(0, -1.25), (1.15, 0.9), (-1.15, 0.9)],
    [(0, -1.5), (1.1, 0), (0, 1.5), (-1.1, 0)],
    [(-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4)]
    + [(0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4)],
    [(0, 1.25), (1.15, -0.9), (-1.15, -0.9)],
    [(-1.4, -0.6), (1.4, -0.6), (1.4, 0.6), (-1.4, 0.6)],
]
TICKS = [
    [0.9, 0.95, 1, 1.05, 1.1],
    [0.5, 0.7, 1, 1.4, 2],
    [0.25, 0.5, 1, 2, 4],
    [0.1, 0.3, 1, 3, 10],
]
NO_CLAIM = ("no difference shown", "too few rounds to claim")


def clean(words):
    """As XML text, without the control characters that XML cannot represent."""
    return escape("".join(c for c in words if c >= " " and c not in "\ufffe\uffff"), {'"': "&quot;"})


def text(x, y, words, size=12.5, anchor="start", bold=False):
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{TEXT}"{weight}>{clean(words)}</text>'


def line(x1, y1, x2, y2, colour, width=1.0, dash=None):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def mark(index, x, y, hollow=False, r=3.8):
    """Of the allocator of this number: it can be told without its colour."""
    colour, points = COLOURS[index % len(COLOURS)], SHAPES[index % len(SHAPES)]
    fill = f'fill="none" stroke="{colour}" stroke-width="1.5"' if hollow else f'fill="{colour}"'
    if points is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" {fill}/>'
    path = "L".join(f"{x + dx * r:.1f} {y + dy * r:.1f}" for dx, dy in points)
    return f'<path d="M{path}Z" {fill}/>'


class Group:
    """A workload, or the geometric mean: what it is called, and (name, ratio) of each allocator."""

    def __init__(self, where, rows, bold=False):
        self.where, self.rows, self.bold = where, rows, bold


class Panel:
    """Groups below each other on one axis."""

    def __init__(self, groups, ends, allocators, x, width, values):
        self.groups, self.allocators, self.values = groups, allocators, values
        self.lane = WIDE_LANE if values else LANE
        self.x, self.left, self.right = x, x + NAMES, x + width - (50 if values else 8)
        # One far outlier must not squeeze all others together: it is drawn at the edge, with its number.
        self.low = max(min(ends + [0.95]), 1 / FARTHEST) / 1.05
        self.high = min(max(ends + [1.05]), FARTHEST) * 1.05

    def at(self, ratio):
        ratio = min(max(ratio, self.low), self.high)
        return self.left + (self.right - self.left) * math.log(ratio / self.low) / math.log(self.high / self.low)

    def group_height(self, group):
        return self.lane * len(group.rows) + GAP

    def height(self):
        return HEAD + sum(map(self.group_height, self.groups))

    def grid(self, top):
        bottom = top + self.height()
        for tick in next((t for t in TICKS if t[0] <= self.low * 1.3 and t[-1] >= self.high / 1.3), TICKS[-1]):
            if self.low <= tick <= self.high:
                x, one = self.at(tick), tick == 1
                yield line(x, top + HEAD, x, bottom, TEXT if one else GRID, 1.5 if one else 1)
                yield text(x, top + HEAD - 8, f"{tick:g}×", 12, "middle", one)

    def ratio(self, where, name, ratio, y):
        index = self.allocators.index(name)
        ends = [ratio["low"] or self.low, ratio["high"] or self.high]  # null: no end that is known
        claim = ratio.get("claim", "")
        hollow = claim in NO_CLAIM or (not claim and ends[0] <= 1 <= ends[1])
        interval = "–".join(f"{end:.2f}" if end else "…" for end in (ratio["low"], ratio["high"]))
        yield f"<g><title>{clean(where)}, {clean(name)}: {ratio['ratio']:.2f} ({interval}) {clean(claim)}</title>"
        low, high = map(self.at, ends)
        yield line(low, y, high, y, COLOURS[index % len(COLOURS)], 1.5 if hollow else 2.2, "3 2" if hollow else None)
        yield mark(index, self.at(ratio["ratio"]), y, hollow) + "</g>"
        if ratio["ratio"] < self.low:
            yield text(self.left + 8, y + 4, f"{ratio['ratio']:.2g}×", 10)
        elif ratio["ratio"] > self.high:
            yield text(self.right - 8, y + 4, f"{ratio['ratio']:.3g}×", 10, "end")
        if self.values:
            yield text(self.right + 46, y + 4, f"{ratio['ratio']:.2f}×", 11, "end")

    def draw(self, top):
        yield from self.grid(top)
        y = top + HEAD
        for group in self.groups:
            short = group.where if len(group.where) <= 19 else group.where[:18] + "…"
            yield text(self.x, y + self.group_height(group) / 2 + 4, short, 12.5, bold=group.bold)
            for i, (name, ratio) in enumerate(group.rows):
                yield from self.ratio(group.where, name, ratio, y + GAP / 2 + self.lane * (i + 0.5))
            y += self.group_height(group)
            yield line(self.x, y, self.right, y, GRID)


def groups_of(result):
    for workload in result["workloads"]:
        rows = [(a["name"], a["ratio"]["speed"]) for a in workload["allocators"] if a["ratio"] and a["ratio"]["speed"]]
        if rows:
            yield Group(workload["name"], rows)


def ends_of(groups):
    return [r[k] for group in groups for _, r in group.rows for k in ("ratio", "low", "high") if r[k]]


def panels_of(result, allocators):
    """(panel, row of panels): the means above, the workloads in one column or two, which have the same axis."""
    means = [Group("geometric mean", [(m["name"], m["speed"]) for m in result["geometric_mean"] if m["speed"]], True)]
    groups = list(groups_of(result))
    if means[0].rows:
        yield Panel(means, ends_of(means), allocators, 0, WIDTH, True), 0
    if len(groups) <= ONE_COLUMN:
        columns = [groups]
    else:
        columns = [groups[: (len(groups) + 1) // 2], groups[(len(groups) + 1) // 2 :]]
    width = (WIDTH - GUTTER * (len(columns) - 1)) / len(columns)
    for i, column in enumerate(columns):
        if column:
            yield Panel(column, ends_of(groups), allocators, i * (width + GUTTER), width, len(columns) == 1), 1


def legend(allocators, y):
    x = 0.0
    for index, name in enumerate(allocators[1:], 1):
        yield mark(index, x + 6, y - 4, r=4.6)
        yield text(x + 16, y, name)
        x += 34 + 7.4 * len(name)


def note_of(result):
    machine = result["machine"]
    words = f"{machine.get('processor', '')}, {machine.get('processors', '?')} processors, {result['started'][:10]}, "
    words += f"up to {result['rounds']} rounds. Log scales. "
    words += "Hollow and dashed: no difference shown, or 1 in the interval."
    if not result["complete"]:
        words += " Incomplete."
    return words


def draw(result):
    baseline = result["baseline"]
    named = [a["name"] for a in result["allocators"]]
    allocators = [baseline, *(name for name in named if name != baseline)]
    title = f"Speed relative to {baseline}, with intervals; right of 1 is faster"
    parts, top = [f"<title>{clean(title)}</title>", text(0, 18, title, 16, bold=True), *legend(allocators, 42)], 54
    panels = list(panels_of(result, allocators))
    for row in (0, 1):
        beside = [panel for panel, at in panels if at == row]
        for panel in beside:
            parts += panel.draw(top)
        top += max((panel.height() for panel in beside), default=0)
    parts.append(text(0, top + 22, note_of(result), 11.5))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 {WIDTH + 8} {top + 32:.0f}" role="img" '
        f'aria-label="{clean(title)}" font-family="{FONTS}">'
    )
    return "\n".join([head, *parts, "</svg>", ""]) if panels else None


def main():
    if len(sys.argv) != 2:
        print("usage: chart_svg.py RESULT.json > CHART.svg", file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            chart = draw(json.load(file))
        if chart is None:
            print(f"chart_svg.py: {sys.argv[1]} holds no ratio to draw", file=sys.stderr)
            return 1
        sys.stdout.buffer.write(chart.encode())
        sys.stdout.buffer.flush()
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"chart_svg.py: {sys.argv[1]} cannot be drawn: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
