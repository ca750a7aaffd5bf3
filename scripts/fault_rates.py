#!/usr/bin/env python3
"""How surely a missing change is found, how surely nothing is found without one, and what the checks cost.

Runs hakstress over seeds 1 to N and prints a Markdown table of the measured values and their bars. Exit status: 0 every
bar was met, 1 one was missed, 2 wrong usage, 3 hakstress cannot run here.
"""
import argparse
import collections
import functools
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITES = {
    "superslab_refill": "2-6",
    "alloc_superslab": "1,3-6",
    "sticky": "1-2,4-6",
    "hot": "1-3,5-6",
    "bench": "1-4,6",
    "mmap_gate": "1-5",
}
PARTS = ("none", "each", "all", "cost")
AT_THE_LINK = "SIGSEGV at 0x6261"


class Speed(collections.namedtuple("Speed", "wall cpu")):
    def against(self, slower):
        return self.wall / slower.wall, self.cpu / slower.cpu


class Rates:
    def __init__(self, options):
        self.options = options
        self.hakstress = options.build / "cli" / "hakstress"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}
        self.rows = []
        self.missed = False

    def say(self, text):
        if not self.options.quiet:
            print(text, file=sys.stderr, flush=True)

    def row(self, what, measured, bar="", met=None):
        """met None: reported, not judged."""
        self.rows.append((what, measured, bar, {None: "", True: "yes", False: "NO"}[met]))
        self.missed = self.missed or met is False
        self.say(f"{what}: {measured}")

    def run(self, mode, seconds, threads, changes, seed, profile=None):
        """What a run of repro or guard wrote."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "result.json")
            command = [self.hakstress, mode, str(seconds), str(threads), "--changes", changes, "--seed", str(seed)]
            command += ["--profile", profile or mode, "--quiet", "--results", directory, "--json", path]
            done = subprocess.run(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            if done.returncode not in (0, 1, 5):
                sys.stderr.write(done.stderr)
                raise SystemExit(3)
            with open(path) as file:
                return json.load(file)

    # Faults

    def hunt(self, mode, seconds, changes, is_found):
        """When the fault was found in each run, and how all runs ended."""
        times, ends = [], collections.Counter()
        for seed in range(1, self.options.seeds + 1):
            result = self.run(mode, seconds, 4, changes, seed)
            ends[how(result)] += 1
            if is_found(result):
                times.append(result["seconds"])
        return times, ends

    def found_row(self, what, bar, times, ends, enough=True):
        count = self.options.seeds
        time = f", median {tell_time(statistics.median(times))}, longest {tell_time(max(times))}" if times else ""
        ways = ", ".join(f"{n} x {end}" for end, n in ends.most_common())
        self.row(what, f"{len(times)} of {count}{time}: {ways}", bar, enough and len(times) == count)

    def part_none(self):
        times, ends = self.hunt("repro", 30, "none", is_damage)
        quick = bool(times) and statistics.median(times) < 5
        crashes = ends[AT_THE_LINK] >= 0.8 * self.options.seeds
        bar = "each, median below 5 s; 8 of 10 SIGSEGV at 0x6261"
        self.found_row("repro 30 4 --changes none", bar, times, ends, quick and crashes)

    def part_each(self):
        for number, (site, changes) in enumerate(SITES.items(), 1):
            missing = f"change {number} ({site}) missing"
            self.found_row(f"{missing}, repro", "each within 60 s", *self.hunt("repro", 60, changes, is_damage))
            at_site = functools.partial(is_stop_at, site=site)
            named = f"each within 15 s, naming {site}"
            self.found_row(f"{missing}, guard", named, *self.hunt("guard", 15, changes, at_site))

    def part_all(self):
        seconds, runs = self.options.seconds, self.options.runs
        for mode, profile in (("repro", None), ("guard", None), ("repro", "fast0")):
            faults = collections.Counter()
            for seed in range(1, runs + 1):
                result = self.run(mode, seconds, 20, "all", seed, profile)
                if result["outcome"] != "ok" or any(result["foreign_drains"].values()):
                    faults[how(result)] += 1
            rest = "".join(f"; {n} x {end}" for end, n in faults.items())
            what = f"{profile or mode} {seconds:g} 20, all changes"
            self.row(what, f"{sum(faults.values())} faults in {runs} runs{rest}", "no fault", not faults)

    # Cost

    def larson(self, library, **variables):
        """Operations per second, and per second of processor time, which is meaningful on a busy machine, too."""
        preload = {"LD_PRELOAD": str(library), **variables}
        worker = self.options.build / "cli" / "hakstress-worker"
        command = [worker, "larson", f"seconds={self.options.round_seconds}", "threads=4", "seed=1"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {**self.environment, **preload}
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
        if done.returncode != 0 or "ops_per_sec" not in words:
            sys.stderr.write(done.stderr)
            raise SystemExit(3)
        cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Speed(float(words["ops_per_sec"]), float(words["ops"]) / cpu_seconds)

    def part_cost(self):
        release, checked = (self.options.build / "lib" / name for name in ("libhakmem.so", "libhakmem-checked.so"))
        with_assertions, with_guard = [], []
        for _ in range(self.options.rounds):
            base = self.larson(release)
            with_assertions.append(base.against(self.larson(checked, HAKMEM_DEBUG_OWNERSHIP="1")))
            with_guard.append(base.against(self.larson(checked, HAKMEM_DEBUG_OWNERSHIP="1", HAKMEM_GUARD="1")))
        bars = self.options.checked_bar, self.options.guard_bar
        builds = "ring and assertions", "ring, assertions and guard"
        for what, ratios, bar in zip(builds, (with_assertions, with_guard), bars):
            walls, cpus = zip(*ratios)
            median = statistics.median(walls)
            measured = f"{median:.2f} times slower ({min(walls):.2f} to {max(walls):.2f} in {len(walls)} rounds)"
            measured += f"; by processor time {statistics.median(cpus):.2f} ({min(cpus):.2f} to {max(cpus):.2f})"
            met = median <= bar if bar else None
            self.row(f"Larson, checked against release: {what}", measured, f"at most {bar:g}" if bar else "", met)

    def table(self):
        lines = ["| what | measured | bar | met |", "|---|---|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])


def how(result):
    """How a run ended, in a few words."""
    fault = result.get("fault") or {}
    sign = fault.get("signal", {})
    if sign.get("fault_addr"):  # another thread may have failed a check in the same moment
        return f"{sign['name']} at {sign['fault_addr']}"
    if fault.get("check"):
        return f"check={fault['check']} site={fault['site']}"
    return sign.get("name") or fault.get("died_of") or result["outcome"]


def is_damage(result):
    """Any fault, or a hang."""
    return result["outcome"] in ("fault", "hang") and any(result["foreign_drains"].values())


def is_stop_at(result, site):
    fault = result.get("fault") or {}
    return fault.get("check") == "ownership" and fault.get("site") == site


def tell_time(seconds):
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds:.4f} s"


def at_least(low, kind):
    def convert(text):
        value = kind(text)
        if not low <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"wants a number of {low} or more, not {text}")
        return value

    convert.__name__ = "whole number" if kind is int else "number"
    return convert


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all of them")
    parser.add_argument("--build", type=Path, default=ROOT / "build", metavar="DIR")
    count, seconds, times = at_least(1, int), at_least(0.1, float), at_least(1, float)
    parser.add_argument("--seeds", type=count, default=10, metavar="N", help="none, each: seeds 1 to N (default 10)")
    parser.add_argument("--runs", type=count, default=20, metavar="N", help="all: runs of each kind (default 20)")
    parser.add_argument("--seconds", type=seconds, default=30, metavar="S", help="all: length of a run (default 30)")
    parser.add_argument("--rounds", type=count, default=7, metavar="N", help="cost: interleaved rounds (default 7)")
    parser.add_argument("--round-seconds", type=seconds, default=2, metavar="S", help="cost: length of one (default 2)")
    parser.add_argument("--checked-bar", type=times, metavar="X", help="cost: the checked build at most X times slower")
    parser.add_argument("--guard-bar", type=times, metavar="X", help="cost: guard at most X times slower")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    options = parser.parse_args()
    unknown = [part for part in options.part if part not in PARTS]
    if unknown:
        parser.error(f"no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    options.build = options.build.resolve()
    if not os.access(options.build / "cli" / "hakstress", os.X_OK):
        parser.error(f"no hakstress in {options.build}; scripts/build.sh makes it")
    return options


def main():
    options = parse()
    rates = Rates(options)
    try:
        for part in options.part or PARTS:
            getattr(rates, f"part_{part}")()
    except KeyboardInterrupt:
        print(rates.table())
        raise SystemExit(128 + signal.SIGINT) from None
    print(rates.table())
    return 1 if rates.missed else 0


if __name__ == "__main__":
    sys.exit(main())
