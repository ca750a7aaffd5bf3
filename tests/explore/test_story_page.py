#!/usr/bin/env python3
"""The page of a story, in headless Chromium: it loads alone, it tells the document, and it fits.

usage: test_story_page.py HAKSTRESS [CLASS...]
Exit status 77 where Chromium, its driver or selenium is missing.
"""
import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import test_page  # noqa: E402  exits with 77 where selenium is missing

HAKSTRESS = None


class Case(test_page.Case):
    """The page of what one search finds."""

    search = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.directory.name)
        cls.page, document = folder / "story.html", folder / "result.json"
        command = [HAKSTRESS, "explore", *cls.search, "--seed", "1", "--quiet"]
        command += ["--results", folder / "results", "--html", cls.page, "--json", document]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if result.returncode != 1:
            raise AssertionError(result.stdout + result.stderr)
        cls.story = json.loads(document.read_text(encoding="utf-8"))["fault"]["story"]

    def open_page(self, **how):
        self.open_file(self.page, **how)

    def cells(self):
        rows = "[...document.querySelectorAll('#table tbody tr')]"
        return self.script(f"return {rows}.map(r => [...r.cells].map(c => c.textContent));")


class StoryPage(Case):
    search = ("F3", "--follow", "--changes", "1-2,4-6")

    def test_loads_alone_and_fits(self):
        for width in (test_page.DESK, test_page.PHONE):
            self.open_page(width=width)
            self.assertEqual(self.overflow(), 0)
            self.assertEqual(self.complaints(), [])
            pages = [url for url in self.requests() if not url.startswith("data:")]
            self.assertEqual(pages, [self.page.as_uri()])
            self.assertNotIn("undefined", self.text())

    def test_tells_the_document(self):
        self.open_page()
        text = self.text()
        for part in (self.story["fault"], self.story["rule"], self.story["replay"], *self.story["prevented_by"]):
            self.assertIn(" ".join(part.split()), " ".join(text.split()))

    def test_a_row_stands_in_its_thread_column(self):
        self.open_page()
        cells = self.cells()
        self.assertEqual(len(cells), len(self.story["rows"]))
        for row, shown in zip(self.story["rows"], cells):
            if row["kind"] in ("switch", "fault"):
                continue
            column = 1 + self.story["threads"].index(row["thread"])
            mark = "!! " if row.get("wrong") else ""
            self.assertEqual(shown[column], mark + row["words"].replace(" [", "").replace("]", ""))
            self.assertEqual(shown[-1], "".join(slab["words"] for slab in row["slabs"]))

    def test_steps_aside_are_shown_on_demand(self):
        self.open_page()
        visible = "return [...document.querySelectorAll('#table tr.aside')].filter(r => r.offsetHeight > 0).length;"
        aside = sum(1 for row in self.story["rows"] if row.get("aside"))
        self.assertGreater(aside, 0)
        self.assertEqual(self.script(visible), 0)
        self.script("document.querySelector('#steps button').click();")
        self.assertEqual(self.script(visible), aside)


class RacePage(Case):
    search = ("S1", "--changes", "2-6")

    def test_tells_the_two_accesses(self):
        self.open_page()
        told = [row for row in self.story["rows"] if "access" in row]
        listed = self.script("return [...document.querySelectorAll('#accesses li')].map(l => l.textContent);")
        expected = [f"Step {row['number']}, thread {row['thread']}: {row['access']['words']}" for row in told]
        self.assertEqual(len(expected), 2)
        self.assertEqual(listed, expected)
        marked = [cell for row in self.cells() for cell in row if cell.startswith("** ")]
        self.assertEqual(marked, ["** " + told[0]["words"]])


if __name__ == "__main__":
    HAKSTRESS = sys.argv.pop(1)
    if not test_page.chromium() or not shutil.which("chromedriver"):
        print("Chromium or its driver is not installed")
        sys.exit(77)
    unittest.main()
