#!/usr/bin/env python3
"""The page of a heap profile, in headless Chromium: it loads alone, it shows the profile's numbers, and it fits.

usage: test_profile_page.py HAKSTRESS PROGRAM [CLASS...]
Exit status 77 where Chromium, its driver or selenium is missing.
"""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

import test_page

HAKSTRESS = PROGRAM = None


class ProfilePage(test_page.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.directory.name)
        cls.page, document = folder / "heap.html", folder / "heap.json"
        command = [HAKSTRESS, "profile", "--rate", "4096", "--html", cls.page, "--json", document]
        subprocess.run([*command, "--", PROGRAM, "mixed"], capture_output=True, timeout=60, check=True)
        cls.document = json.loads(document.read_text(encoding="utf-8"))

    def names(self):
        return self.script("return [...document.querySelectorAll('#flame button')].map(b => b.textContent);")

    def rows(self):
        return self.script("return document.querySelectorAll('#rows tr').length;")

    def test_loads_alone_and_fits(self):
        for scheme in ("light", "dark"):
            for width in (test_page.DESK, test_page.PHONE):
                self.open_file(self.page, width=width, scheme=scheme)
                self.assertEqual(self.overflow(), 0)
                self.assertEqual(self.complaints(), [])
                pages = [url for url in self.requests() if not url.startswith("data:")]
                self.assertEqual(pages, [self.page.as_uri()])
                self.assertNotIn("undefined", self.text())

    def test_flame_graph_leads_from_main_to_its_callees(self):
        self.open_file(self.page)
        names = [name.split()[0] for name in self.names()]
        self.assertEqual(names[0], "all")
        for name in ("main", "mixed", "grown"):
            self.assertIn(name, names)
        self.assertLess(names.index("mixed"), names.index("grown"))

    def test_search_and_views(self):
        self.open_file(self.page)
        shown = self.rows()
        self.script("const s = document.getElementById('search'); s.value = 'zeroed'; "
                    "s.dispatchEvent(new Event('input'));")
        self.assertGreater(self.rows(), 0)
        self.assertLess(self.rows(), shown)
        self.assertIn("stacks found", self.text())
        sums = {view: self.script(f"return document.querySelector('[data-view={view}]').textContent;")
                for view in ("live", "peak", "allocated")}
        values = self.document["values"].index("all_bytes")
        total = sum(stack["values"][values] for stack in self.document["stacks"])
        self.assertEqual(sums["allocated"], f"allocated {round(total / 2**20)} MiB")
        self.script("document.querySelector('[data-view=allocated]').click();")
        self.assertEqual(self.names()[0], f"all {round(total / 2**20)} MiB")


if __name__ == "__main__":
    HAKSTRESS, PROGRAM = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
