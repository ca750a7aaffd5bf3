#!/usr/bin/env python3
"""Runs the fault gallery and compares what happens with the table in README.md.

usage: gallery.py release|close PROGRAMS LIBHAKMEM.so | gallery.py guard|pages PROGRAMS HAKSTRESS
PROGRAMS: the folder of the compiled programs. Exit status: 0 all as the table says, 1 a difference, 2 wrong usage."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).with_name("README.md")


def rows(columns):
    """The rows of the tables with so many columns."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == columns and re.fullmatch(r"\w+", cells[0]) and cells[0] != "program":
            yield cells


def run(command, **environment):
    """Exit status as a shell counts it, stdout, stderr."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return status, done.stdout, done.stderr


def as_expected(expected, status, err):
    if expected == "not noticed":
        return status == 0 and not err
    if expected.startswith("SIG"):
        return status == 128 + signal.Signals[expected]
    first = (err.splitlines() or [""])[0]
    return status == 128 + signal.SIGABRT and f" check={expected} " in first


def release(program, library, expected, **options):
    if expected == "set aside":
        status, out, err = run([program], LD_PRELOAD=library, HAKMEM_STATS="json", **options)
        set_aside = re.search(r'"free_set_aside": ?(\d+)', err)
        return status == 0 and set_aside is not None and set_aside[1] == "1", f"status {status}: {out}{err}"
    status, out, err = run([program], LD_PRELOAD=library, **options)
    right = any(as_expected(one, status, err) for one in expected.split(" or "))
    return right, f"status {status}: {out}{err}"


def guard(program, hakstress, option, expected, words):
    with tempfile.TemporaryDirectory() as results:
        fill = {"HAKMEM_GUARD_FILL": "1"} if option == "--guard" else {}
        status, out, err = run([hakstress, "run", option, "--results", results, "--", program], **fill)
        seen = f"status {status}: {out}{err}"
        reports = [name for name in os.listdir(results) if name.endswith(".crash.json")]
        if len(reports) != 1:
            return False, f"{len(reports)} reports; {seen}"
        with open(os.path.join(results, reports[0]), encoding="utf-8") as file:
            report = json.load(file)
    line = next((line for line in err.splitlines() if line.startswith("run: fault ")), "")
    verdict = report["verdict"]["cause"]
    if expected.startswith("SIG"):
        stopped = status == 128 + signal.Signals[expected] and f"signal={expected}" in line
    else:
        check, site = expected.split(" at ")
        stopped = status == 128 + signal.SIGABRT and f"check={check} " in line
        stopped = stopped and (site == "*" or report["site"] == site)
    return stopped and words in verdict, f"verdict: {verdict}; {seen}"


def pages(program, hakstress, expected, words):
    expected, start, _ = expected.partition(" with start")
    return guard(program, hakstress, "--pages=start" if start else "--pages", expected, words)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("release", "close", "guard", "pages"):
        print(__doc__, file=sys.stderr)
        return 2
    mode, programs, tool = sys.argv[1], pathlib.Path(sys.argv[2]), os.path.abspath(sys.argv[3])
    table, closed = list(rows(3 if mode == "pages" else 4)), dict(rows(2))
    sources = {path.stem for path in TABLE.parent.glob("*.c")} | {path.stem for path in TABLE.parent.glob("*.cpp")}
    wrong = sources ^ {cells[0] for count in (3, 4) for cells in rows(count)}
    wrong |= closed.keys() - sources
    for name in sorted(wrong):
        print(f"{name}: is a row or a source, and not both")
    for name, stopped_by, words, *in_release in table:
        program = str(programs / ("fault-" + name))
        if mode == "release":
            right, seen = release(program, tool, in_release[0])
        elif mode == "close":
            right, seen = release(program, tool, closed.get(name, in_release[0]), HAKMEM_CLOSE="1")
        elif mode == "guard":
            right, seen = guard(program, tool, "--guard", stopped_by, words)
        else:
            right, seen = pages(program, tool, stopped_by, words)
        print(f"{'ok' if right else 'WRONG'}: {name}" + ("" if right else f": {seen}"))
        if not right:
            wrong.add(name)
    print(f"{len(table)} programs, {len(wrong)} wrong")
    return 1 if wrong or not table else 0


sys.exit(main())
