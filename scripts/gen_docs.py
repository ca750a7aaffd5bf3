#!/usr/bin/env python3
"""Writes docs/OPTIONS.md and docs/COUNTERS.md from the tables that the library is compiled from. --check only compares."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

OPTIONS_HEAD = """\
# Options

Generated from `lib/config/options.def` by `scripts/gen_docs.py`; change them there.

Options are environment variables, read once, before the first block is handed out. Numbers are decimal and may end in K, M or
G (powers of 1024). An empty value counts as not set. A name that does not exist and a value out of range get one warning on
stderr, with the nearest name or the range, and change nothing; hakstress refuses both with exit status 2. Programs that run with raised privileges (set-user-id)
ignore all of them. `hak_option_get` and `hak_option_set` read and change options in a running program; those marked *fixed*
cannot change any more once the first block was handed out.

In hakstress a command-line option beats the environment, which beats the profile (`profiles/`), which beats the default.

Options marked *checked* do something in the checked build (`libhakmem-checked.so`, and the core inside hakstress) alone; the
release library says so when one of them is set.

| variable | default | values | | meaning |
|---|---|---|---|---|
"""

COUNTERS_HEAD = """\
# Counters

Generated from `lib/count/counters.def` by `scripts/gen_docs.py`; change them there.

Every counter is kept by each thread for itself and summed up on reading, ended threads included. They are part of
`hak_stats_json`, `malloc_stats`, `malloc_info`, of the statistics at exit (`HAKMEM_STATS`) and of every result of hakstress.
"""


def rows(path, prefix):
    """Yields the arguments of each PREFIX...(...) line, strings without their quotes."""
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        call = re.fullmatch(rf"({prefix}\w*)\((.*)\)", line)
        if call:
            arguments = re.findall(r'"(?:[^"\\]|\\.)*"|[^,"]+', call.group(2))
            yield call.group(1), [a.strip().strip('"') for a in arguments if a.strip()]


def cell(text):
    return text.replace("|", "\\|")


def values(kind, arguments):
    """Default, allowed values, flags and help of an option."""
    if kind == "OPTION_INT":
        _, _, default, low, high, flags, text = arguments
        return default, f"{low} or more" if high == "INT64_MAX" else f"{low} to {high}", flags, text
    if kind == "OPTION_ENUM":
        _, _, default, words, flags, text = arguments
        return words.split("|")[int(default)], words.replace("|", ", "), flags, text
    if kind == "OPTION_SET":
        _, _, count, flags, text = arguments
        return "all", f"all, none, or a list of 1 to {count} as 1-2,6", flags, text
    _, _, default, flags, text = arguments
    return default or "(empty)", "text", flags, text


def options():
    text = OPTIONS_HEAD
    for kind, arguments in rows("lib/config/options.def", "OPTION_"):
        default, allowed, flags, meaning = values(kind, arguments)
        marks = ", ".join(word.strip().lower() for word in flags.split("|") if word.strip() != "0")
        text += f"| `HAKMEM_{arguments[1]}` | {cell(default)} | {cell(allowed)} | {marks} | {cell(meaning)} |\n"
    return text


def counters():
    text = COUNTERS_HEAD
    previous = None
    for _, (name, group, meaning) in rows("lib/count/counters.def", "COUNTER"):
        if group != previous:
            text += f"\n## {group}\n| counter | what it counts |\n|---|---|\n"
            previous = group
        text += f"| `{name}` | {cell(meaning)} |\n"
    return text


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: scripts/gen_docs.py [--check]")
    stale = False
    for name, text in (("docs/OPTIONS.md", options()), ("docs/COUNTERS.md", counters())):
        path = ROOT / name
        if sys.argv[1:] == []:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{name} is not what the tables say: run scripts/gen_docs.py")
            stale = True
    sys.exit(1 if stale else 0)


main()
