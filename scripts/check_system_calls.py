#!/usr/bin/env python3
"""docs/SAFETY.md lists the system calls of the library: each that lib/ makes, in the build that makes it, and no other.

A call is made where a source has SYS_name. It is of the checked build if only sources of that build have it. The
advices that the library gives to madvise (MADV_NAME) are listed, too.

usage: check_system_calls.py [ROOT]     ROOT: the folder that holds docs and lib, default above this script's folder
Exit status: 0 fine, 1 a difference, 2 wrong usage."""

import pathlib
import re
import sys

import findings

DOCUMENT = "docs/SAFETY.md"
ROW = re.compile(r"^\| `(\w+)` \| (both|checked) \| (.+) \|$", re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
# Sources that only libhakmem-checked.so has, beside the checked_sources of lib/meson.build.
CHECKED_LIBRARY = {"api/dlopen.c", "api/prctl.c"}


def section(root):
    text = (root / DOCUMENT).read_text(encoding="utf-8")
    found = re.search(r"(?ms)^## System calls$(.*?)(?=^## |\Z)", text)
    return found.group(1) if found else ""


def listed(root):
    """{call: build} of the document."""
    return {call: build for call, build, _ in ROW.findall(section(root))}


def checked_sources(root):
    text = (root / "lib/meson.build").read_text(encoding="utf-8")
    found = re.search(r"(?s)^checked_sources = files\((.*?)\)", text, re.M)
    return set(re.findall(r"'([^']+)'", found.group(1))) | CHECKED_LIBRARY


def sources(root):
    """(name below lib, text without comments)"""
    for path in sorted((root / "lib").rglob("*.[ch]")):
        yield str(path.relative_to(root / "lib")), COMMENT.sub(" ", path.read_text(encoding="utf-8"))


def made(root):
    """{call: [source, ...]}"""
    found = {}
    for name, text in sources(root):
        for call in re.findall(r"\bSYS_(\w+)", text):
            found.setdefault(call, []).append(name)
    return found


def differences(root):
    told, calls, only_checked = listed(root), made(root), checked_sources(root)
    if not told:
        yield f"{DOCUMENT}: no section System calls with rows | `call` | both or checked | when |"
        return
    for call, where in sorted(calls.items()):
        build = "checked" if only_checked.issuperset(where) else "both"
        if call not in told:
            yield f"{DOCUMENT}: {call} is missing: lib/{where[0]} makes it"
        elif told[call] != build:
            yield f"{DOCUMENT}: {call} is of the build {build!r}, not {told[call]!r}: {', '.join(sorted(set(where)))}"
    for call in sorted(told.keys() - calls.keys()):
        yield f"{DOCUMENT}: nothing in lib makes {call}"
    given = {word for _, text in sources(root) for word in re.findall(r"\bMADV_\w+", text)}
    written = set(re.findall(r"\bMADV_\w+", section(root)))
    for word in sorted(given ^ written):
        yield f"{DOCUMENT}: {word} is {'missing' if word in given else 'in no source of lib'}"


if __name__ == "__main__":
    sys.exit(findings.run(__doc__, "check_system_calls", differences, lambda root: f"{len(made(root))} calls, "))
