#!/usr/bin/env python3
"""Includes go down only: front -> refill -> slab -> thread -> superslab -> os -> base.

config and observe may be included from every layer, so their headers may include nothing but base, config and observe; their
.c files (hak_check, reports) may look at everything.

usage: check_layers.py [LIB]       LIB: the folder with the layers, default lib beside this script's folder
Exit status: 0 fine, 1 an include goes up, 2 wrong usage."""

import pathlib
import re
import sys

LAYERS = ["base", "os", "superslab", "thread", "slab", "refill", "front"]
ASIDE = {"config", "observe"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def allowed(source, target):
    """May a file (path below lib) include another one (path below lib)?"""
    here, there = source.parts[0], target.parts[0]
    if here in ASIDE:
        return source.suffix == ".c" or there in ASIDE or there == "base"
    if there in ASIDE:
        return here != "base" or source.suffix == ".c"
    return LAYERS.index(there) <= LAYERS.index(here)


def includes(lib, source):
    """(line number, path below lib) of every include of a file of ours; a path that does not exist is a finding as well."""
    for number, line in enumerate((lib / source).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, pathlib.PurePosixPath(match.group(1))


def findings(lib, sources):
    for source in sources:
        if source.parts[0] not in LAYERS and source.parts[0] not in ASIDE:
            yield f"{source}: not in one of the layers {' '.join(LAYERS)} or {' '.join(sorted(ASIDE))}"
            continue
        for number, target in includes(lib, source):
            if not (lib / target).is_file():
                yield f'{source}:{number}: "{target}" is not in {lib}: write includes from there, as "layer/file.h"'
            elif not allowed(source, target):
                yield f'{source}:{number}: {source.parts[0]} must not include "{target}"'


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    lib = pathlib.Path(sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(__file__).resolve().parent.parent / "lib")
    sources = [path.relative_to(lib) for path in sorted(lib.rglob("*.[ch]"))]
    if not sources:
        print(f"check_layers: no sources in {lib}: give the folder that holds base, os, ...", file=sys.stderr)
        return 2
    found = list(findings(lib, sources))
    for line in found:
        print(line)
    print(f"check_layers: {len(sources)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
