#!/usr/bin/env python3
"""The manual pages: mandoc finds nothing wrong, and they tell every verb, option and function.

usage: test_manual.py HAKSTRESS FOLDER_OF_PAGES HEADER
Exit status 77 where mandoc is missing.
"""
import json
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HAKSTRESS = PAGES = HEADER = None
# Of the other pages that one names, some may not be installed here; the date is that of the build.
MISSING = re.compile(r"referenced manual not found|outdated mandoc\.db|BASE: ")


def text(page):
    shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", PAGES / page], check=True, capture_output=True)
    return re.sub(r".\x08", "", shown.stdout.decode())


class Manual(unittest.TestCase):
    def test_mandoc_finds_nothing(self):
        pages = sorted(PAGES.glob("*.[1357]"))
        self.assertGreater(len(pages), 3)
        command = ["mandoc", "-T", "lint", "-W", "style", *pages]
        lint = subprocess.run(command, capture_output=True, text=True, check=False)
        found = [line for line in (lint.stdout + lint.stderr).splitlines() if not MISSING.search(line)]
        self.assertEqual(found, [])

    def test_every_verb_and_option(self):
        listed = subprocess.run([HAKSTRESS, "list", "verbs", "--json", "-"], check=True, capture_output=True)
        overview = text("hakstress.1")
        for verb in json.loads(listed.stdout)["verbs"]:
            self.assertIn(f"hakstress-{verb['name']}(1)", overview)
            page = text(f"hakstress-{verb['name']}.1")
            for option in verb["options"]:
                self.assertRegex(page, rf"(?m)^ +--{option['name']}\b", verb["name"])
            for line in (verb["examples"] or "").splitlines():
                self.assertIn(line, page)

    def test_every_function_and_variable(self):
        page = text("libhakmem.3")
        functions = re.findall(r"\b(hak_\w+)\(", Path(HEADER).read_text(encoding="utf-8").split("visibility push")[1])
        declared = {name for name in functions if re.search(rf"(?m)^     {name}\(", page)}
        self.assertEqual(set(functions) - declared, set())
        self.assertGreater(len(declared), 15)
        for name in ("hakmem/hakmem.hpp", "hakmem::memory_resource", "hakmem-sys", "share/hakmem/python"):
            self.assertIn(name, page)
        options = text("hakmem.7")
        listed = subprocess.run([HAKSTRESS, "list", "options"], check=True, capture_output=True, text=True).stdout
        for name in re.findall(r"(?m)^HAKMEM_\w+", listed):
            self.assertRegex(options, rf"(?m)^ +{name}$")
            self.assertRegex(text("hakmem.conf.5"), rf"(?m)^ +{name}$")


if __name__ == "__main__":
    HAKSTRESS, PAGES, HEADER = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if shutil.which("mandoc") is None:
        print("mandoc is not installed")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]])
