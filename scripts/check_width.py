#!/usr/bin/env python3
"""No line of a text file has more than 120 columns: code, documents, scripts, build files.

usage: check_width.py [ROOT [PATH...]]     ROOT: the checkout, default above this script's folder
                                           PATH: files or folders below it, default all that git tracks
Exit status: 0 fine, 1 a line is too long, 2 wrong usage."""

import collections
import fnmatch
import pathlib
import re
import subprocess
import sys

MOST = 120
# Files that are left out, and why. A pattern's * also stands for slashes.
LEFT_OUT = [
    ("results/kept/*", "data that programs wrote"),
    ("third_party/*", "files of others, as they were released"),
    ("*.svg", "drawn by scripts/chart_svg.py"),
    ("*.golden", "output of programs, compared as it is"),
    ("*.abi", "written by abidw"),
    ("tests/*corpus/*", "input of parsers, compared as it is"),
    ("tests/explore/mutants/*.patch", "changes that are not made"),
    ("tests/explore/weaken.txt", "output of a program"),
]
# Lines that may be longer: (files, what the line looks like, why).
LONG_LINES = [
    ("docs/VERDICTS.md", re.compile(r"\| "), "a row begins with a message of hakstress, word by word"),
    ("docs/OWNERSHIP.md", re.compile(r"\| \w+ \| "), "a row by scripts/weaken_table.py"),
    ("*", re.compile(r".*https?://"), "an address cannot be broken; the rest of the line counts"),
]


def files_below(root, paths):
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *paths]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return sorted(name for name in listed.stdout.split("\0") if name)
    # Not a checkout: whatever is there.
    found = [file for path in paths or ["."] for file in [root / path, *(root / path).rglob("*")]]
    return sorted(str(file.relative_to(root)) for file in found if file.is_file())


def may_be_long(name, line):
    for pattern, looks, _ in LONG_LINES:
        if fnmatch.fnmatch(name, pattern) and looks.match(line):
            return pattern != "*" or len(re.sub(r"https?://\S+", "", line)) <= MOST
    return False


def too_long(root, name):
    """(line number, columns) of each line that is too long; nothing of what is no text."""
    if any(fnmatch.fnmatch(name, pattern) for pattern, _ in LEFT_OUT) or not (root / name).is_file():
        return
    try:
        text = (root / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MOST and not may_be_long(name, line):
            yield number, len(line)


def main():
    if sys.argv[1:2] == ["--help"]:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    paths = sys.argv[2:]
    missing = [path for path in paths if not (root / path).exists()]
    if missing or not root.is_dir():
        print(f"check_width: no {missing[0] if missing else root}\n{__doc__}", file=sys.stderr)
        return 2
    names = files_below(root, paths)
    by_folder = collections.Counter()
    for name in names:
        for number, columns in too_long(root, name):
            print(f"{name}:{number}: {columns} columns, at most {MOST}")
            by_folder[name.split("/")[0] if "/" in name else "."] += 1
    where = "".join(f", {count} in {folder}" for folder, count in sorted(by_folder.items()))
    print(f"check_width: {len(names)} files, {sum(by_folder.values())} lines too long{where}")
    return 1 if by_folder else 0


if __name__ == "__main__":
    sys.exit(main())
