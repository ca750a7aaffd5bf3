#!/usr/bin/env python3
"""Writes into docs/OWNERSHIP.md what the explorer found when each memory order was a notch weaker, and checks that the
orders there, those of explore/runtime/places.def and those of the results are the same.

The results are tests/explore/weaken.txt, the output of: hakstress explore --weaken > tests/explore/weaken.txt

usage: weaken_table.py [--check] [ROOT]
--check    write nothing: fail if the table is not as the results have it, or an order is missing somewhere
Exit status: 0 fine, 1 something differs, 2 wrong usage."""

import argparse
import pathlib
import re
import sys

BEGIN = "<!-- weaken_table.py: begin -->"
END = "<!-- weaken_table.py: end -->"
PLACE = re.compile(r'^PLACE\((\w+), (\w+), (\w+), "(.*)"\)', re.M)
RESULT = re.compile(r"^weaken (\w+) +(?:needed: (\w+) in ([\w-]+), (\S+)|"
                    r"no evidence found within (\d+) schedules(.*))$")  # fmt: skip
BULLET = re.compile(r"^- (.*?)(?=^- |^#|^$)", re.M | re.S)
STRONG = re.compile(r"\b(acquire|release|acq_rel)\b")
# Orders that only run when nothing else does: in checks at rest.
AT_REST = {"check_listed"}


def places(root):
    return {name: (order, weaker, words) for name, order, weaker, words in
            PLACE.findall((root / "explore/runtime/places.def").read_text())}  # fmt: skip


def results(root):
    found = {}
    for line in (root / "tests/explore/weaken.txt").read_text().splitlines():
        match = RESULT.match(line)
        if match:
            found[match[1]] = match.groups()[1:]
    return found


def told(result):
    check, scenario, _, schedules, rest = result
    if check:
        return f"needed: {check} in `{scenario}`"
    if rest:
        return "not explored: no scenario has such an operation in its run"
    return f"no evidence found within {int(schedules):,} schedules"


def table(root):
    found = results(root)
    rows = ["| order | of | weaker | with it |", "|---|---|---|---|"]
    for name, (order, weaker, words) in places(root).items():
        result = told(found[name]) if name in found else "-"
        rows.append(f"| {name} | {words} | {order.lower()} to {weaker.lower()} | {result} |")
    return "\n".join(rows)


def names_in(text):
    return set(re.findall(r"`(\w+)`", text)) | set(re.findall(r"\*\*(\w+)\*\*", text))


def strong_bullets(section):
    """The names and the text of each entry whose operation has an order that is more than relaxed."""
    for match in BULLET.finditer(section):
        text = " ".join(match[1].split())
        head, _, rest = text.partition(": ")
        if STRONG.search(re.split(r"; no pair|\. ", rest)[0]):
            yield names_in(head) | names_in(rest.split(". ")[0]), head


def findings(root, document):
    section = document.split("## The atomics of the protocol", 1)[1].split("\n## ", 1)[0].split(BEGIN)[0]
    known, found = places(root), results(root)
    for name in known.keys() - found.keys():
        yield f"tests/explore/weaken.txt: {name} is missing"
    for name in found.keys() - known.keys():
        yield f"tests/explore/weaken.txt: {name} is not in explore/runtime/places.def"
    listed = set().union(*(names_in(words) | {name.split("_")[0]} for name, (_, _, words) in known.items()), AT_REST)
    for names, head in strong_bullets(section):
        if head != "locks" and not names & listed:
            yield f"docs/OWNERSHIP.md: {head}: its order is not in explore/runtime/places.def"
    mentioned = names_in(section)
    for name, (_, _, words) in known.items():
        for function in names_in(words) - mentioned:
            yield f"explore/runtime/places.def: {name}: docs/OWNERSHIP.md does not name {function}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    path = options.root / "docs/OWNERSHIP.md"
    document = path.read_text()
    if BEGIN not in document or END not in document:
        parser.error(f"{path} lacks the lines {BEGIN} and {END}")
    before, rest = document.split(BEGIN, 1)
    new = f"{before}{BEGIN}\n{table(options.root)}\n{END}{rest.split(END, 1)[1]}"
    wrong = list(findings(options.root, document))
    if not options.check:
        path.write_text(new)
    elif new != document:
        wrong.append("docs/OWNERSHIP.md: the table is not as the results have it; run scripts/weaken_table.py")
    print("\n".join([*wrong, f"weaken_table: {len(places(options.root))} orders, {len(wrong)} findings"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
