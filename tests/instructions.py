#!/usr/bin/env python3
"""How many instructions malloc and free take on a hit, `ret` included, counted by running them step by step.

usage: instructions.py [--update] SINGLE_STEP LIBRARY GOLDEN

The counts must stay within LIMITS. The instructions must be those of the golden file, so that a reviewer sees a change
of the fast path; --update writes the golden file anew. Exit status: 0 fine, 1 not, 77 cannot be counted here."""

import collections
import difflib
import pathlib
import re
import subprocess
import sys

LIMITS = {"malloc": 18, "free": 26}
SIZES = ["16", "64", "200", "1000", "1024"]
SHOWN = "64"  # the size whose instructions stand in the golden file


def executed(single_step, library):
    """{(function, size): [offset, ...]} of one hit each."""
    result = subprocess.run([single_step, library, *SIZES], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stdout + result.stderr)
        sys.exit(77 if result.returncode == 77 else 1)
    steps = collections.defaultdict(list)
    for line in result.stdout.splitlines():
        function, size, offset = line.split()
        steps[function, size].append(int(offset, 16))
    return steps


def disassembly(library):
    """{offset: instruction}, without what differs between builds: addresses, offsets in the TLS and jump targets."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
    ).stdout
    instructions = {}
    for line in text.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
        if match:
            plain = re.sub(r"\s*[#<].*", "", match.group(2)).strip()
            plain = re.sub(r"^(j\w+|call)\s+[0-9a-f]+$", r"\1", plain)
            plain = re.sub(r"-?0x[0-9a-f]+\(%rip\)", "(%rip)", plain)
            instructions[int(match.group(1), 16)] = re.sub(r"\s+", " ", plain)
    return instructions


def main():
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    update = "--update" in sys.argv
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    single_step, library, golden = arguments
    steps = executed(single_step, library)
    if len(steps) != len(LIMITS) * len(SIZES):
        print(f"expected malloc and free of {len(SIZES)} sizes, saw {sorted(steps)}")
        return 1
    failed = False
    for (function, size), offsets in steps.items():
        verdict = "ok" if len(offsets) <= LIMITS[function] else f"FAILED: at most {LIMITS[function]} are allowed"
        failed |= verdict != "ok"
        print(f"{function}({size} bytes): {len(offsets)} instructions: {verdict}")
    code = disassembly(library)
    listing = []
    for function in LIMITS:
        offsets = steps[function, SHOWN]
        listing.append(f"{function}: {len(offsets)} instructions on a hit")
        listing += [f"    {code.get(offset, '?')}" for offset in offsets]
    if update:
        pathlib.Path(golden).write_text("\n".join(listing) + "\n")
    known = pathlib.Path(golden).read_text().splitlines() if pathlib.Path(golden).exists() else []
    difference = list(difflib.unified_diff(known, listing, golden, "this build", lineterm=""))
    if difference:
        print("\n".join(difference))
        print("The fast path changed. If that is meant, run this with --update and commit the golden file.")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
