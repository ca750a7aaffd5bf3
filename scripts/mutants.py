#!/usr/bin/env python3
"""Tries the explorer on mistakes: each patch of tests/explore/mutants goes into a copy of the sources, and the
scenarios must find it.

The head of a patch says what it stands for:
    kind: publish                   what it concerns
    mistake: WORDS                  what is wrong
    found by: SCENARIO...           the scenarios that are tried first
    search: OPTIONS                 of the explorer, for those scenarios, where their own bounds are not enough
    equivalent: WORDS               instead of `found by`: why no run can show a difference
    open: WORDS                     instead of both: nothing finds it yet, and what is known about that
Lines that begin with two blanks continue the line before. Of an equivalent one only the build is tried, unless it is
named with --only; then the scenarios must find nothing in it.

usage: mutants.py [--build DIR] [--jobs N] [--only NAME[,NAME...]] [--seconds N] [--json FILE] [--every N] [--fast]
                  [--minimise] [--folder DIR] [--check]
--build    a build folder of this source tree, default build
--only     these mutants; a name may have * in it
--seconds  for each scenario and search, default 4
--every    only each N-th mutant
--fast     only the scenarios of `found by`
--minimise makes each schedule that finds a mutant short, as hakstress explore does, and prints the median and the most
           switches of them
--folder   of the patches, default tests/explore/mutants
--check    only whether each patch applies, and its head is complete
Exit status: 0 every mutant that is not equivalent was found, 1 one was not, or does not apply, 2 wrong usage."""

import argparse
import concurrent.futures
import dataclasses
import fnmatch
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "tests/explore/mutants"
SCENARIOS = ROOT / "tests/explore"
TARGET = "cli/hakstress-explore"
SOURCES = ("lib", "include", "explore", "page", "code", "scripts")
REGENERATE = re.compile(r"^build build\.ninja:.*?(?=^\S|\Z)(?:^ .*\n)*", re.M | re.S)


# Not somewhere near, and not in reverse: it would be another mistake.
PATCH = ["patch", "-p1", "--batch", "--forward", "--fuzz=0", "--no-backup-if-mismatch"]


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: pathlib.Path
    head: dict

    @property
    def name(self):
        return self.path.stem

    @property
    def expected(self):
        return [s for s in self.head.get("found by", "").split() if s != "-"]

    @property
    def equivalent(self):
        return "equivalent" in self.head

    @property
    def open(self):
        return "open" in self.head


@dataclasses.dataclass
class Verdict:
    """What became of a mutant: found, missed, equivalent, broken."""

    mutant: Mutant
    what: str
    scenario: str = ""
    check: str = ""
    schedules: int = 0
    replay: str = ""
    text: str = ""
    seconds: float = 0.0
    switches: int = -1  # of the short schedule; -1: it was not made short

    def is_wrong(self):
        if self.mutant.equivalent:
            return self.what not in ("equivalent", "missed")
        if self.mutant.open:
            return self.what != "missed"  # found: the patch has to say so
        return self.what != "found"


# ---- patches


def read_head(path):
    head, key = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("--- ") or not line:
            break
        if line.startswith("  ") and key:
            head[key] += " " + line.strip()
        else:
            key, _, words = line.partition(": ")
            head[key] = words.strip()
    return head


def head_findings(mutant, scenarios):
    if not mutant.head.get("kind") or not mutant.head.get("mistake"):
        yield "its head lacks `kind` or `mistake`"
    if len({"found by", "equivalent", "open"} & mutant.head.keys()) != 1:
        yield "its head has to say one of `found by`, `equivalent` and `open`"
    for name in mutant.expected:
        if name not in scenarios:
            yield f"there is no scenario {name}"
    patched = run_quietly([*PATCH, "--dry-run", "-d", ROOT, "-i", mutant.path])
    if patched.returncode != 0:
        yield "it does not apply: " + patched.stdout.strip().replace("\n", "; ")


# ---- building


class Workshop:
    """Copies what the program is built from, and builds a copy with a patch."""

    def __init__(self, build):
        self.build = build
        asked = subprocess.run(
            ["ninja", "-C", build, "-t", "inputs", TARGET], capture_output=True, text=True, check=False
        )
        if asked.returncode != 0:
            sys.exit(f"mutants: {build} does not build {TARGET}: {asked.stdout}{asked.stderr}")
        made = (build / line.strip() for line in asked.stdout.splitlines())
        self.outputs = [p for p in made if p.is_file() and build in p.resolve().parents] + [build / TARGET]

    def copy(self, to):
        """A tree with the sources and everything that was built from them, with the times of the originals."""
        for name in SOURCES:
            shutil.copytree(ROOT / name, to / name)
        there = to / self.build.name
        for path in [*self.outputs, self.build / ".ninja_log", self.build / ".ninja_deps"]:
            copy = there / path.relative_to(self.build)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        (there / "build.ninja").write_text(REGENERATE.sub("", (self.build / "build.ninja").read_text()))
        return there

    def make(self, mutant, to):
        """The mutant's program; or None, and why there is none."""
        there = self.copy(to)
        patched = run_quietly([*PATCH, "-d", to, "-i", mutant.path])
        if patched.returncode != 0:
            return None, "the patch does not apply: " + patched.stdout.strip().replace("\n", "; ")
        built = run_quietly(["ninja", "-C", there, "-j1", TARGET])
        if built.returncode != 0:
            return None, "it does not compile: " + "\n".join(built.stdout.splitlines()[-15:])
        return there / TARGET, ""


def run_quietly(command, timeout=600):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


# ---- searching

FAULT = re.compile(
    r"^fault scenario=(?P<scenario>\S+) check=(?P<check>\S+) schedules=(?P<schedules>\d+) "
    r"switches=(?P<switches>\d+) replayed=(?P<replayed>\d+)/\d+ replay=(?P<replay>\S+)\ntext (?P<text>.*)",
    re.M,
)
SETUP = re.compile(r"(?P<scenario>\S+): the setup fails: check=(?P<check>\S+) (?P<text>.*)")


# As the scenarios say themselves; and with loads that read an older store.
SEARCHES = ([], ["--preemptions", "1", "--stale", "1"])


# Random scenarios, a few random schedules of each.
RANDOM = [f"random-{n}" for n in range(1, 3001)]
RANDOM_SEARCH = ["--strategy", "random", "--schedules", "10", "--seed", "1"]


def search(mutant, program, scenarios, bounds, options):
    """Explores the scenarios, one after the other, up to the first fault."""
    files = [SCENARIOS / f"{name}.scenario" for name in scenarios]
    how = ["--strategy", "exhaustive", "--seconds", str(options.seconds), *bounds]
    return explore(mutant, [program, *files, *how], options.seconds * 20 * len(files) + 60)


def explore(mutant, command, timeout):
    try:
        done = run_quietly(command, timeout)
    except subprocess.TimeoutExpired:
        return Verdict(mutant, "broken", text=f"no end within {timeout} s")
    match = FAULT.search(done.stdout) or SETUP.search(done.stdout)
    if match:
        fault = match.groupdict()
        if fault.get("replayed") == "0":
            text = f"a fault does not replay: {fault['scenario']}, {fault['replay']}"
            return Verdict(mutant, "broken", text=text)
        schedules = int(fault.get("schedules", 0))
        replay = fault.get("replay", "-")
        return Verdict(mutant, "found", fault["scenario"], fault["check"], schedules, replay, fault["text"])
    if done.returncode != 0:
        return Verdict(mutant, "broken", text=f"exit status {done.returncode}: {done.stdout[-500:]}")
    return Verdict(mutant, "missed")


def judge(mutant, program, scenarios, options):
    """Every schedule within the bounds of the scenarios that are named, then of the others; random ones in between."""
    first = [s for s in mutant.expected if s in scenarios]
    rest = [] if options.fast else [s for s in scenarios if s not in first]
    deep = mutant.head.get("search", "").split()
    verdict = search(mutant, program, first, deep, options) if deep else Verdict(mutant, "missed")
    if verdict.what != "missed":
        return verdict
    for group, bounds in itertools.product(filter(None, (first, rest)), SEARCHES):
        if group is rest and bounds == SEARCHES[-1]:
            verdict = explore(mutant, [program, *RANDOM, *RANDOM_SEARCH], 600)
        if verdict.what == "missed":
            verdict = search(mutant, program, group, bounds, options)
        if verdict.what != "missed":
            break
    return verdict


# As long as hakstress explore takes for it, and a little longer on a busy machine.
MINIMISE_SECONDS = 10


def make_short(program, verdict):
    """A setup that fails has no schedule: it has no switches."""
    verdict.switches = 0
    if verdict.replay == "-":
        return
    is_random = verdict.scenario.startswith("random-")
    scenario = verdict.scenario if is_random else SCENARIOS / f"{verdict.scenario}.scenario"
    command = [program, "--minimise", verdict.replay, "--seconds", str(MINIMISE_SECONDS), scenario]
    match = FAULT.search(run_quietly(command).stdout)
    if not match:
        verdict.what, verdict.text = "broken", f"its schedule cannot be made short: {verdict.replay}"
        return
    verdict.switches, verdict.replay = int(match["switches"]), match["replay"]


def try_one(mutant, workshop, scenarios, options):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        program, why = workshop.make(mutant, pathlib.Path(folder) / "tree")
        if program is None:
            verdict = Verdict(mutant, "broken", text=why)
        elif mutant.equivalent and not options.only:
            verdict = Verdict(mutant, "equivalent", text=mutant.head["equivalent"])
        else:
            verdict = judge(mutant, program, scenarios, options)
            if options.minimise and verdict.what == "found":
                make_short(program, verdict)
    verdict.seconds = time.monotonic() - start
    return verdict


# ---- telling


def tell(verdict):
    kind = verdict.mutant.head.get("kind", "-")
    line = f"{verdict.what:10} {verdict.mutant.name:32} {kind:16} {verdict.seconds:5.1f} s"
    if verdict.what == "found":
        line += f" {verdict.check} in {verdict.scenario}, {verdict.schedules} schedules"
        line += f", {verdict.switches} switches" if verdict.switches >= 0 else ""
        line += f"  {verdict.replay}"
    elif verdict.text:
        line += " " + verdict.text
    print(line, flush=True)


def summary(verdicts, seconds):
    count = lambda what: sum(v.what == what for v in verdicts)
    wrong = [v.mutant.name for v in verdicts if v.is_wrong()]
    if wrong:
        print("not as it should be:", " ".join(wrong))
    switches = [v.switches for v in verdicts if v.switches >= 0]
    if switches:
        print(f"minimised: {len(switches)} median={statistics.median(switches):g} most={max(switches)}")
    print(
        f"mutants: {'ok' if not wrong else 'fault'} tried={len(verdicts)} found={count('found')} "
        f"equivalent={count('equivalent')} missed={count('missed')} "
        f"open={sum(v.mutant.open for v in verdicts)} broken={count('broken')} seconds={seconds:.0f}"
    )
    return 1 if wrong else 0


def write_json(path, verdicts):
    rows = [
        {**{k: v for k, v in dataclasses.asdict(verdict).items() if k != "mutant"}, "name": verdict.mutant.name}
        for verdict in verdicts
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n")


# ---- the command


def chosen(options):
    mutants = [Mutant(path, read_head(path)) for path in sorted(options.folder.glob("*.patch"))]
    if options.only:
        patterns = options.only.split(",")
        mutants = [m for m in mutants if any(fnmatch.fnmatch(m.name, p) for p in patterns)]
    return mutants[:: options.every]


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count())
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=positive, default=4)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--every", type=positive, default=1)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path, default=MUTANTS)
    options = parser.parse_args()
    options.build = options.build.resolve()
    is_build = (options.build / "build.ninja").is_file() and options.build.parent == ROOT
    if not is_build and not options.check:
        parser.error(f"{options.build} is no build folder of this source tree: run scripts/build.sh")
    return parser, options


def main():
    parser, options = parse_arguments()
    scenarios = sorted(path.stem for path in SCENARIOS.glob("*.scenario"))
    mutants = chosen(options)
    if not mutants:
        parser.error("there is no such mutant")
    findings = [f"{m.path.name}: {text}" for m in mutants for text in head_findings(m, scenarios)]
    if findings:
        print("\n".join(findings))
        return 1
    if options.check:
        print(f"mutants: {len(mutants)} patches apply")
        return 0
    start, verdicts = time.monotonic(), []
    workshop = Workshop(options.build)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tries = [pool.submit(try_one, mutant, workshop, scenarios, options) for mutant in mutants]
        try:
            for done in concurrent.futures.as_completed(tries):
                verdict = done.result()
                tell(verdict)
                verdicts.append(verdict)
                if options.json:
                    write_json(options.json, verdicts)
        finally:
            pool.shutdown(cancel_futures=True)  # nothing more is begun when the command is stopped
    return summary(verdicts, time.monotonic() - start)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
