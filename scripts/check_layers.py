#!/usr/bin/env python3
"""Includes go down the layers only, in lib, cli and explore, and so do calls; no files call each other in a circle.

A unit is a file.c with the file.h beside it. Unit A calls unit B when A's text, without comments and strings, names a
function that B defines for others: with external linkage in its .c, or in its .h. A declaration is no call. Units that
call each other in a circle cannot be read, tested or replaced one without the other.

usage: check_layers.py [FOLDER...]
FOLDER: a folder named lib, cli or explore, default all beside this script's folder; its name says which layers it has.
Exit status: 0 fine, 1 something goes up or in a circle, 2 wrong usage."""

import argparse
import collections
import dataclasses
import pathlib
import re
import sys


@dataclasses.dataclass(frozen=True)
class Rules:
    layers: tuple  # from the lowest to the highest; peers, which do not know each other, are a tuple
    interposed: frozenset = frozenset()  # units that define the C library's names: calls of these are the loader's
    outside: tuple = ()  # what "..." may also be relative to, beside the folder itself


RULES = {
    "lib": Rules(
        layers=(
            "base",
            "count",
            "os",
            "config",
            "stack",
            "observe",
            "superslab",
            "thread",
            "slab",
            "refill",
            "sample",  # knows threads, and is asked by front's slow paths; it could stand as low as above thread
            "profile",
            "front",
            "guard",
            "census",
            "api",
        ),
        interposed=frozenset({"api/override", "api/operator_new"}),
    ),
    "cli": Rules(
        layers=(
            "base",
            ("process", "binary", "workload"),
            "args",
            "results",
            ("child", "worker"),
            "report",
            "supervise",
            "leaks",
            ("record", "compare", "testplan", "explore", "heap"),
            "command",
            "main",
        ),
        outside=("lib", "page", "code"),
        interposed=frozenset({"record/preload"}),
    ),
    "explore": Rules(
        layers=(
            *("inside", "record", "scenario", "runtime", "oracle", "run"),
            *("search", "again", "minimise", "tell", "main"),
        ),
        outside=("lib", "page", "code"),
    ),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
TAG = re.compile(r"\b(?:struct|union|enum)\s+[A-Za-z_]\w*")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
# A variable, a parameter or a member: a type, and then a name that no '(' follows.
VARIABLE = re.compile(
    r"(?:\b(?!return\b|else\b|case\b|goto\b)[A-Za-z_]\w*\s+|\*\s*)([A-Za-z_]\w*)\s*(?=[=;,)\[])"
)


# ---- includes


def layer_of(rules, path):
    """The rank of a file's folder, or of a file that lies in none; None: in none of the layers."""
    for rank, names in enumerate(rules.layers):
        if pathlib.PurePosixPath(path.parts[0]).stem in (names if isinstance(names, tuple) else (names,)):
            return rank
    return None


def may_include(rules, source, target):
    """May a file (path below the folder) include another one (path below it)?"""
    here, there = source.parts[0], target.parts[0]
    ranks = layer_of(rules, source), layer_of(rules, target)
    return here == there or (ranks[1] is not None and ranks[1] < ranks[0])


def includes(folder, source):
    """(line number, path) of every include of a file of ours."""
    for number, line in enumerate((folder / source).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, pathlib.PurePosixPath(match.group(1))


def include_findings(rules, folder, sources):
    for source in sources:
        if layer_of(rules, source) is None:
            yield f"{source}: not in one of the layers of {folder.name}"
            continue
        for other in rules.outside:
            if (folder.parent / other / source).is_file():
                yield f"{source}: {other} has a file of that name, too: an include may mean either"
        for number, target in includes(folder, source):
            if (folder / target).is_file():
                if not may_include(rules, source, target):
                    yield f'{source}:{number}: {source.parts[0]} must not include "{target}"'
            elif not any((folder.parent / other / target).is_file() for other in rules.outside):
                yield f'{source}:{number}: "{target}" is not in {folder}: write includes from there, as "layer/file.h"'


# ---- calls


def without_noise(text):
    """The text without comments, strings, characters and attributes; newlines stay, since a directive ends at one."""
    text = NOISE.sub(lambda match: "\n" * match.group().count("\n") or " ", text)
    return ATTRIBUTE.sub(" ", text)


def without_directives(text):
    return DIRECTIVE.sub(lambda match: "\n" * match.group().count("\n"), text)


def at_depth_0(code):
    """The code with everything in braces replaced by one ';', and by '{' where the braces begin."""
    out, depth = [], 0
    for piece in re.split(r"([{}])", code):
        if piece == "{":
            if depth == 0:
                out.append("{;")
            depth += 1
        elif piece == "}":
            depth -= 1
        elif depth == 0:
            out.append(piece)
    return "".join(out)


def definitions(code):
    """(name, is static) of every function that the code defines."""
    for statement in re.split(r"(?<=\{);|;", at_depth_0(code)):
        if not statement.endswith("{") or "=" in statement or "(" not in statement:
            continue
        names = re.findall(r"([A-Za-z_]\w*)\s*\(", statement)
        if names:
            yield names[0], re.search(r"\bstatic\b", statement) is not None


def mentions(text):
    """Names of functions that the text uses: no member after . or ->, no variable, and more than a declaration."""
    declared = collections.Counter(re.findall(r"([A-Za-z_]\w*)\s*\(", at_depth_0(without_directives(text))))
    called = collections.Counter(re.findall(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\s*\(", text))
    named = collections.Counter(re.findall(r"(?<![\w.])(?<!->)([A-Za-z_]\w*)\b(?!\s*\()", text))
    variables = set(VARIABLE.findall(text)) | {tag.split()[1] for tag in TAG.findall(text)}
    return {name for name, times in called.items() if times > declared[name]} | (set(named) - variables)


def unit_of(source):
    return source.with_suffix("").as_posix()


def calls(rules, folder, sources):
    """{unit: {other unit: names of the functions that it calls there}}"""
    text = {source: without_noise((folder / source).read_text()) for source in sources}
    homes, own = collections.defaultdict(set), collections.defaultdict(set)
    for source in sources:
        for name, static in definitions(without_directives(text[source])):
            own[unit_of(source)].add(name)
            if (not static or source.suffix == ".h") and unit_of(source) not in rules.interposed:
                homes[name].add(unit_of(source))
    arrows = collections.defaultdict(lambda: collections.defaultdict(set))
    for source in sources:
        unit = unit_of(source)
        for name in mentions(text[source]) - own[unit]:
            for home in homes.get(name, ()):
                arrows[unit][home].add(name)
    return arrows


def reachable(arrows, start):
    seen, left = set(), [start]
    while left:
        for other in set(arrows.get(left.pop(), ())) - seen:
            seen.add(other)
            left.append(other)
    return seen


def circles(arrows):
    """The sets of units that reach each other, each a sorted list."""
    reach = {unit: reachable(arrows, unit) for unit in list(arrows)}
    found = {tuple(sorted(v for v in there if unit in reach.get(v, ()))) for unit, there in reach.items()}
    return sorted(list(circle) for circle in found if len(circle) > 1)


def call_findings(rules, folder, sources):
    arrows = calls(rules, folder, sources)
    for unit in sorted(arrows):
        for other in sorted(arrows[unit]):
            here, there = (layer_of(rules, pathlib.PurePosixPath(name)) for name in (unit, other))
            if here is None or there is None or unit.split("/")[0] == other.split("/")[0]:
                continue
            if there >= here:
                yield f"{unit}: must not call {other}: {' '.join(sorted(arrows[unit][other]))}"
    for circle in circles(arrows):
        yield f"a circle of calls: {' '.join(circle)}"
        for unit in circle:
            for other in sorted(set(circle) & set(arrows[unit])):
                yield f"    {unit} -> {other}: {' '.join(sorted(arrows[unit][other]))}"


# ---- the command


def check(folder, rules):
    sources = [path.relative_to(folder) for path in sorted(folder.rglob("*.[ch]"))]
    if not sources:
        print(f"check_layers: no sources in {folder}: give the folder that holds base, ...", file=sys.stderr)
        sys.exit(2)
    found = [*include_findings(rules, folder, sources), *call_findings(rules, folder, sources)]
    for line in found:
        print(line)
    count = sum(not line.startswith(" ") for line in found)
    print(f"check_layers: {folder.name}: {len(sources)} files, {count} findings")
    return count


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=pathlib.Path, default=[root / name for name in RULES])
    options = parser.parse_args()
    for folder in options.folders:
        if folder.name not in RULES:
            parser.error(f"{folder}: not one of {' '.join(RULES)}")
    counts = [check(folder, RULES[folder.name]) for folder in options.folders]
    return 1 if any(counts) else 0


if __name__ == "__main__":
    sys.exit(main())
