#!/usr/bin/env python3
"""Puts a page of hakstress together and writes it as C.

usage: embed_page.py FRAME.html OUT.c NAME TITLE BODY.html PAGE.css LIBRARY.js LICENCE PART.js...

OUT.c defines NAME, a struct embedded_page. FRAME.html is what all pages share. LIBRARY.js and LICENCE: "-" for a page
without one.

The parts become one script, in the order given. The page may run only that script and the library, and use only this
style sheet: their hashes go into its content security policy. It is cut at the place of the document, which is known
only at run time.
"""
import argparse
import base64
import hashlib
import sys
from pathlib import Path

PLACE = "{{document}}"


def source_hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def one_script(parts):
    """In a scope of its own, so that no name of a part meets one of the library."""
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def array(name, text):
    numbers = [str(byte) for byte in text.encode()]
    lines = [",".join(numbers[i : i + 32]) for i in range(0, len(numbers), 32)]
    return (
        f"static const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "};\n"
    )


def refuse_ends(sources):
    """Text that would end the element it stands in."""
    for text in (sources["library"], sources["script"]):
        if "</script" in text or "<!--" in text:
            sys.exit("embed_page.py: a script holds </script or <!--, which would end or hide it")
    if "</style" in sources["style"]:
        sys.exit("embed_page.py: the style sheet holds </style, which would end it")
    if "--" in sources["licence"]:
        sys.exit("embed_page.py: the licence holds --, which would end its comment")


def library_element(sources):
    if not sources["library"]:
        return ""
    return (
        f"<!-- The library in the next script is under this licence:\n{sources['licence']}-->\n"
        f"<script>{sources['library']}</script>\n"
    )


def read(name):
    return Path(name).read_text(encoding="utf-8") if name != "-" else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("frame", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("name")
    parser.add_argument("title")
    parser.add_argument("inputs", nargs="+")
    options = parser.parse_args()
    if len(options.inputs) < 5:
        parser.error("BODY.html PAGE.css LIBRARY.js LICENCE and a PART.js are needed")
    body, style, library, licence, *parts = map(read, options.inputs)
    sources = {"style": style, "library": library, "licence": licence, "script": one_script(parts)}
    refuse_ends(sources)
    page = read(options.frame)
    for name in ("style", "library", "script"):
        page = page.replace("{{" + name + "-hash}}", source_hash(sources[name]) if sources[name] else "")
    page = page.replace("{{title}}", options.title).replace("{{body}}", body)
    before, after = page.split(PLACE)  # before the sources are in: they might hold the same letters
    elements = {"style": style, "library": library_element(sources), "script": sources["script"]}
    for name, text in elements.items():
        before, after = (half.replace("{{" + name + "}}", text) for half in (before, after))
    options.output.write_text(
        '// Written by scripts/embed_page.py.\n#include "embedded_page.h"\n\n'
        + array("before", before)
        + array("after", after)
        + f"const struct embedded_page {options.name} = {{before, sizeof before, after, sizeof after}};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
