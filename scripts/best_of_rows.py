#!/usr/bin/env python3
"""Compares one allocator with the best other one of each workload, from a result of `hakstress compare`.

Prints a Markdown table.

usage: best_of_rows.py RESULT.json [ALLOCATOR]    (default: hakmem)

The rounds with odd numbers choose the best other allocator, those with even numbers compare with it: in the rounds that
chose it, an allocator looks better than it is. Speed above 1 is faster than that one, memory below 1 is less than that
of the leanest. Intervals of 95 % by the bootstrap.
Exit status: 0, 1 the result has no such allocator or cannot be read, 2 wrong usage.
"""
import json
import math
import random
import statistics
import sys

RESAMPLES = 2000


def by_round(allocator, key, parity):
    return {s["round"]: s[key] for s in allocator["samples"] if s["round"] % 2 == parity and s[key]}


def estimate(mine, theirs, key):
    """Median and interval of the ratios of the rounds that both have."""
    a, b = by_round(mine, key, 0), by_round(theirs, key, 0)
    ratios = [a[r] / b[r] for r in a if r in b]
    if len(ratios) < 2:
        return None
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return statistics.median(ratios), medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES) - 1]


def best(others, key, better):
    odd = {a["name"]: statistics.median(by_round(a, key, 1).values()) for a in others if by_round(a, key, 1)}
    return better(others, key=lambda a: odd.get(a["name"], -math.inf if better is max else math.inf)) if odd else None


def cells(mine, others, key, better):
    peer = best(others, key, better)
    found = peer and estimate(mine, peer, key)
    if not found:
        return None, ["", ""]
    middle, low, high = found
    return middle, [peer["name"], f"{middle:.2f} [{low:.2f} .. {high:.2f}]"]


def mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def main():
    if not 2 <= len(sys.argv) <= 3 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    name = sys.argv[2] if len(sys.argv) == 3 else "hakmem"
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            rows = json.load(file)["workloads"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"best_of_rows.py: {sys.argv[1]} is no result of compare: {error}", file=sys.stderr)
        return 1
    speeds, sizes = [], []
    lines = ["| workload | fastest other | speed to it | leanest other | peak memory to it |", "|---|---|---|---|---|"]
    for row in rows:
        mine = next((a for a in row["allocators"] if a["name"] == name), None)
        if mine is None:
            print(f"best_of_rows.py: no allocator {name} in {sys.argv[1]}", file=sys.stderr)
            return 1
        others = [a for a in row["allocators"] if a is not mine]
        key = "ops_per_sec" if row["command"] is None else "seconds"
        speed, fast = cells(mine, others, key, max if row["command"] is None else min)
        size, lean = cells(mine, others, "rss_peak_kib", min)
        speeds += [speed if row["command"] is None else 1 / speed] if speed else []
        sizes += [size] if size else []
        lines.append("| " + " | ".join([row["name"], *fast, *lean]) + " |")
    lines.append(f"| **geometric mean** | | **{mean(speeds):.2f}** | | **{mean(sizes):.2f}** |")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
