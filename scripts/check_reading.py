#!/usr/bin/env python3
"""Every stop of docs/READING.md exists: the file below lib, and the function in it.

A stop is a file and a function beside each other, each in backticks.

usage: check_reading.py [ROOT]     ROOT: the folder that holds lib and docs, default this script's folder's parent
Exit status: 0 fine, 1 a stop that is not there, 2 wrong usage."""

import pathlib
import re
import sys

import findings

STOP = re.compile(r"`([a-z_]+/[\w.]+)`\s+`(\w+)`")


def stops_not_there(root):
    text = (root / "docs/READING.md").read_text()
    stops = [(m, *m.groups()) for m in STOP.finditer(text)]
    if not stops:
        yield "docs/READING.md: no stop: write `folder/file.c` `function`"
    for match, file, function in stops:
        where = f"docs/READING.md:{text.count(chr(10), 0, match.start()) + 1}"
        path = root / "lib" / file
        if not path.is_file():
            yield f"{where}: there is no lib/{file}"
        elif not re.search(rf"^[A-Za-z_].*\b{function}\([^;]*\{{", path.read_text(), re.M):
            yield f"{where}: lib/{file} has no function {function}"


if __name__ == "__main__":
    sys.exit(findings.run(__doc__, "check_reading", stops_not_there))
