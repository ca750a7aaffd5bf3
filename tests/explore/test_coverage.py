#!/usr/bin/env python3
"""All scenarios together reach every named step, each branch of it, and each ordered pair of steps of two threads on one
slab, except what uncovered.txt explains.

usage: test_coverage.py HAKSTRESS [SECONDS]"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

EXPLAINED = pathlib.Path(__file__).with_name("uncovered.txt")
Explanation = collections.namedtuple("Explanation", "line pattern reason")


def explanations(text):
    """Each line of the list: KIND WORDS: reason. A word is alternatives with |, or *; `same` in a pair: the word before."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        item, colon, reason = line.partition(": ")
        if not colon or not reason.strip():
            raise ValueError(f"{EXPLAINED.name}:{number}: expected KIND WORDS: REASON")
        words = [r"\S+" if word == "*" else f"(?:{word})" for word in item.split()]
        yield Explanation(number, re.compile(" ".join(words) + "$"), reason)


def explored(hakstress, seconds):
    with tempfile.TemporaryDirectory() as folder:
        command = [hakstress, "explore", "--coverage", "--quiet", "--seconds", seconds]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def main():
    hakstress, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    listed = list(explanations(EXPLAINED.read_text()))
    result = explored(hakstress, seconds)
    if result.returncode != 0:
        print(result.stdout[-2000:], result.stderr[-500:])
        return 1
    print("\n".join(re.findall(r"^covered .*", result.stdout, re.M)))
    uncovered = re.findall(r"^uncovered (.*)", result.stdout, re.M)
    unexplained = [item for item in uncovered if not any(e.pattern.match(item) for e in listed)]
    for item in unexplained:
        print(f"uncovered, and not explained in {EXPLAINED.name}: {item}")
    for e in listed:
        if not any(e.pattern.match(item) for item in uncovered):
            print(f"{EXPLAINED.name}:{e.line}: all of this is covered by now")
    return 1 if unexplained or not re.search(r"^covered step: \d+", result.stdout, re.M) else 0


if __name__ == "__main__":
    sys.exit(main())
