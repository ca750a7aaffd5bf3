#!/usr/bin/env python3
"""Writes docs/OPTIONS.md and docs/COUNTERS.md from the tables of the library, and two parts of docs/SAFETY.md: from
results/kept/safety.json, which scripts/safety.py makes, and from the table of tests/faults. --check only compares."""

import json
import re
import sys
import textwrap
from pathlib import Path

import safety

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 118

OPTIONS_HEAD = """\
# Options

Generated from `lib/config/options.def` by `scripts/gen_docs.py`. Change them there.

Options are environment variables. They are read once, before the first block is handed out.
For programs whose environment nobody sets there is a file, `/etc/hakmem.conf` (`man hakmem.conf`).

- Numbers are decimal and may end in K, M or G (powers of 1024). An empty value counts as not set.
- A name that does not exist, or a value out of range, changes nothing. The library prints one warning on stderr, with
  the nearest name, if one is near, or the range. hakstress refuses both with exit status 2.
- The file has lines `NAME=VALUE` for all programs, and after a line `[PROGRAM]` for those of that name. The environment
  overrides it. `hakstress config check` names wrong lines.
- Programs that run with raised privileges (set-user-id) ignore the environment. They ignore the file, too, unless root
  owns it and nobody else may write it, and never take options marked *writes* from it.
- `hak_option_get` and `hak_option_set` read and change options in a running program. Options marked *fixed* can no
  longer change once the first block was handed out.
- Options marked *live* can be changed from outside, by `hakstress set` ([LIVE.md](LIVE.md)).
- Options marked *checked* do something only in the checked build (`libhakmem-checked.so`, and the core inside
  hakstress). The release library prints a warning when one of them is set.

In hakstress a command-line option overrides the environment, the environment overrides the profile (`profiles/`), and
the profile overrides the default.

"""

COUNTERS_HEAD = """\
# Counters

Generated from `lib/count/counters.def` by `scripts/gen_docs.py`. Change them there.

Each thread keeps its own counters. A reader gets the sum over all threads, ended ones included. The counters are part
of `hak_stats_json`, `malloc_stats`, `malloc_info`, the statistics at exit (`HAKMEM_STATS`) and every result of
hakstress.
"""


def rows(path, prefix):
    """Yields the arguments of each PREFIX...(...), strings without their quotes. It may go over several lines."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for name, inner in re.findall(rf"^({prefix}\w*)\((.*?)\)$", text, re.M | re.S):
        joined = re.sub(r'"\s*\n\s*"', "", inner)  # adjacent strings are one
        arguments = re.findall(r'"(?:[^"\\]|\\.)*"|[^,"]+', joined)
        yield name, [a.strip().strip('"') for a in arguments if a.strip()]


def cell(text):
    return text.replace("|", "\\|")


def wrapped(text):
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) + "\n"


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
        return "all", f"all, none, or a list of numbers from 1 to {count} such as 1-2,6", flags, text
    _, _, default, flags, text = arguments
    return default or "empty", "text", flags, text


def options():
    text = OPTIONS_HEAD
    for kind, arguments in rows("lib/config/options.def", "OPTION_"):
        default, allowed, flags, meaning = values(kind, arguments)
        marks = "".join(f", *{word.strip().lower()}*" for word in flags.split("|") if word.strip() != "0")
        text += wrapped(f"- **`HAKMEM_{arguments[1]}`** (default {default}; {allowed}{marks}). {meaning}")
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


def what_tells(expected):
    return "-" if expected == "not noticed" else expected.replace(" at *", "")


def gallery():
    """{mode: {program: what tells it}} of all tables of the gallery, in their order."""
    modes, head = {}, []
    for line in (ROOT / "tests/faults/README.md").read_text(encoding="utf-8").splitlines():
        row = [one.strip() for one in line.strip("| ").split("|")] if line.startswith("|") else []
        if row and row[0] == "program":
            head = row
        elif head and row and re.fullmatch(r"\w+", row[0]):
            for mode, tells in zip(head[1:], row[1:], strict=True):
                modes.setdefault(mode.strip("`"), {})[row[0]] = tells
    return modes


def faults():
    """The gallery without the words of the verdicts: a fault, and what tells it in each mode. A mode that does not name
    a program does what release does."""
    modes = {mode: tells for mode, tells in gallery().items() if mode != "verdict says"}
    names = sorted(modes, key=lambda mode: mode != "release")
    programs = {program: None for tells in modes.values() for program in tells}
    shown = []
    for program in programs:
        otherwise = modes["release"].get(program, "not noticed")
        tells = [what_tells(modes[name].get(program, otherwise)) for name in names]
        shown.append([program.replace("_", " "), *tells])
    return "\n".join(safety.table(["fault", *names], shown)) + "\n"


def security_set():
    kept = ROOT / "results/kept/safety.json"
    if not kept.exists():
        return ""
    result = json.loads(kept.read_text(encoding="utf-8"))
    for what in safety.without_reason(result):
        sys.exit(f"scripts/safety.py: REASONS does not say why this gets through: {what}")
    return safety.document(result)


def marked(text, name, part):
    """The text with the lines between the two markers of that name replaced."""
    begin, end = f"<!-- {name}: scripts/gen_docs.py -->\n", "<!-- end -->\n"
    start = text.index(begin) + len(begin)
    return text[:start] + part + text[text.index(end, start) :]


def safety_page():
    text = (ROOT / "docs/SAFETY.md").read_text(encoding="utf-8")
    return marked(marked(text, "security set", security_set()), "gallery", faults())


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: scripts/gen_docs.py [--check]")
    stale = False
    pages = {"docs/OPTIONS.md": options(), "docs/COUNTERS.md": counters(), "docs/SAFETY.md": safety_page()}
    for name, text in pages.items():
        path = ROOT / name
        if sys.argv[1:] == []:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{name} is not what the tables say: run scripts/gen_docs.py")
            stale = True
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
