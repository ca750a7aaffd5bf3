#!/usr/bin/env python3
"""Copies the scenarios of hakstress explore into a folder of their own, which is made anew.

usage: copy_scenarios.py FROM TO DEPFILE
DEPFILE tells ninja of each scenario, and of FROM, where a new one may appear.
Exit status: 0 fine, 2 wrong usage."""

import pathlib
import shutil
import sys


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    source, target, depfile = map(pathlib.Path, sys.argv[1:])
    scenarios = sorted(source.glob("*.scenario"))
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for scenario in scenarios:
        shutil.copy(scenario, target)
    needed = " ".join(str(path).replace(" ", "\\ ") for path in [source, *scenarios])
    depfile.write_text(f"{target}: {needed}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
