#!/usr/bin/env python3
"""Writes a C source with a hash of sources, and of a text such as the compiler and its flags.

The hash depends on the files' names below the root and on their bytes, and on nothing else: another folder, another
machine and another time give the same. It names the build in the replay strings of hakstress explore.

usage: source_hash.py --root ROOT --output FILE --depfile FILE --also TEXT FOLDER...
Exit status: 0 fine, 2 wrong usage."""

import argparse
import hashlib
import pathlib

SUFFIXES = {".c", ".h", ".def", ".lds", ".map"}


def sources(root, folders):
    for folder in folders:
        yield from sorted(path for path in (root / folder).rglob("*") if path.suffix in SUFFIXES)


def digest(root, paths, also):
    total = hashlib.sha256(also.encode())
    for path in paths:
        data = path.read_bytes()
        total.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        total.update(data)
    return total.hexdigest()[:8]


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--depfile", type=pathlib.Path, required=True)
    parser.add_argument("--also", default="")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    paths = list(sources(options.root, options.folders))
    name = digest(options.root, paths, options.also)
    text = f'#include "record/build.h"\n\nconst char explored_build[] = "{name}";\n'
    write(options.output, text)
    escaped = " ".join(str(path).replace(" ", "\\ ") for path in paths)
    options.depfile.write_text(f"{options.output}: {escaped}\n")


if __name__ == "__main__":
    main()
