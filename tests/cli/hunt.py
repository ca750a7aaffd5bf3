#!/usr/bin/env python3
"""Random programs, each with one wrong read or write, under `hakstress run --pages`: the verdict must name the kind of
the mistake and the block.

usage: hunt.py HAKSTRESS WRONG_ACCESS FIRST_SEED COUNT MOST_MISSED [PREFIX...]
PREFIX: a command that runs hakstress, such as no_page_guards. Every fourth program runs with --pages=start.
Exit status: 0 at most MOST_MISSED were missed, 1 more, 2 wrong usage."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

CAUSES = {
    ("read", "past"): "your code read past the end of a block",
    ("write", "past"): "your code wrote past the end of a block",
    ("read", "before"): "your code read before the start of a block",
    ("write", "before"): "your code wrote before the start of a block",
    ("read", "after"): "your code read a block after it was freed",
    ("write", "after"): "your code wrote into a block after it was freed",
    ("read", "empty"): "your code read from a block of zero bytes",
    ("write", "empty"): "your code wrote into a block of zero bytes",
}
EXPECT = re.compile(r"^expect (\w+) (\w+) block=(0x[0-9a-f]+) size=(\d+) distance=(\d+)$", re.MULTILINE)


def verdict_of(folder):
    for path in pathlib.Path(folder).glob("*.crash.json"):
        return json.loads(path.read_text(encoding="utf-8"))["verdict"]
    return None


def hunt(prefix, hakstress, program, seed):
    """What the program did, and None or what is wrong with the verdict."""
    side = "start" if seed % 4 == 3 else "end"
    with tempfile.TemporaryDirectory() as folder:
        command = [*prefix, hakstress, "run", f"--pages={side}", "--results", folder, "--", program, str(seed), side]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        verdict = verdict_of(folder)
    said = EXPECT.search(done.stdout)
    if said is None:
        return "?", f"the program said nothing; status {done.returncode}: {done.stderr[-500:]}"
    access, kind, block, size, distance = said.groups()
    did = f"seed {seed}: {access} {kind}, {size}-byte block, distance {distance}"
    if verdict is None:
        return did, "not noticed" if "not noticed" in done.stdout else f"status {done.returncode}: {done.stderr[-500:]}"
    named = any(re.search(block + r"\b", line) for line in verdict["evidence"])
    if verdict["cause"] == CAUSES[access, kind] and named:
        return did, None
    return did, f"verdict: {verdict['cause']}; {'; '.join(verdict['evidence'])}"


def main():
    if len(sys.argv) < 6:
        print(__doc__, file=sys.stderr)
        return 2
    hakstress, program = sys.argv[1:3]
    first, count, most_missed = map(int, sys.argv[3:6])
    missed = 0
    for seed in range(first, first + count):
        did, wrong = hunt(sys.argv[6:], hakstress, program, seed)
        if wrong is not None:
            missed += 1
            print(f"missed: {did}: {wrong}", flush=True)
    print(f"hunt: {count - missed} of {count} named, seeds {first} to {first + count - 1}")
    return 0 if missed <= most_missed else 1


sys.exit(main())
