#!/usr/bin/env python3
"""How many instructions of the library the longest single call takes, counted by callgrind.

usage: longest_call.py PROGRAM LIBRARY [SCENARIO...]

The program drives malloc, free and realloc through their slow paths (longest_call.c says how). System calls count as
one instruction each, and what the C library copies and clears for us is not counted. Prints the longest call of each
scenario, with its functions if it is too long. Exit status: 0 all are within MOST, 1 not, 77 no callgrind here."""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

MOST = 20000


def parts(lines):
    """(what was called, {function: instructions of the library}) of each dump. Names stand only where they come
    first."""
    names, what, costs, ours, function, skip = {}, None, collections.Counter(), False, "", False
    for line in lines:
        position = re.match(r"(ob|fn|cob|cfn)=(\(\d+\))(?: (.*))?", line)
        if line.startswith("part:"):
            if what is not None:
                yield what, costs
            what, costs = "", collections.Counter()
        elif line.startswith("desc: Trigger:"):
            what = line.split(": ", 2)[2].replace("Client Request: ", "").strip()
        elif position:
            kind, number, name = position.groups()
            table = "ob" if kind.endswith("ob") else "fn"
            if name:
                names[table, number] = name
            if kind == "ob":
                ours = "libhakmem" in names["ob", number]
            elif kind == "fn":
                function = names["fn", number]
        elif line.startswith("calls="):
            skip = True  # the next line has what the callee cost
        elif re.match(r"[+*\d-]", line):
            if ours and not skip:
                costs[function] += int(line.split()[1])
            skip = False
    if what is not None:
        yield what, costs


def longest(program, library, scenario, directory):
    """(instructions, what was called, costs), or an exit status."""
    environment = dict(os.environ, LD_PRELOAD=library, TEST_ALLOCATOR="hakmem")
    out = os.path.join(directory, scenario)
    command = [
        *("valgrind", "--tool=callgrind", "--collect-atstart=no", "--combine-dumps=yes", "--dump-line=no"),
        *(f"--callgrind-out-file={out}", "--trace-children=no", program, scenario),
    ]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stdout + result.stderr)
        return result.returncode
    with open(out) as file:
        dumped = [(sum(costs.values()), what, costs) for what, costs in parts(file)]
    return max(dumped, key=lambda part: part[0], default=(0, "no call that was worth a dump", {}))


def main():
    program, library, *chosen = sys.argv[1:]
    if shutil.which("valgrind") is None:
        print("longest_call: skipped: valgrind is not installed")
        return 77
    listed = subprocess.run([program], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        print(listed.stdout)
        return listed.returncode
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for scenario in chosen or listed.stdout.split():
            found = longest(program, library, scenario, directory)
            if isinstance(found, int):
                return found
            count, what, costs = found
            print(f"{scenario:28} {count:8} instructions at most: {what}", flush=True)
            if count > MOST:
                failed = True
                for function, cost in sorted(costs.items(), key=lambda item: -item[1])[:12]:
                    print(f"    {cost:8} {function}")
    if failed:
        print(f"a single call may take at most {MOST} instructions")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
