#!/usr/bin/env python3
"""Replaying, shortening and telling schedules that end in a fault, and following them to the crash.

usage: test_story.py HAKSTRESS [CLASS...]
"""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HAKSTRESS = None
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds, on a busy machine
OWNERS = "Free list, used count, carving, the owner's lists, and taking from the remote stack belong to the owner."


def words_of(path):
    """A document's text on one line, without the marks of emphasis."""
    return " ".join((ROOT / path).read_text(encoding="utf-8").replace("**", "").split())


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="story-")
        cls.results = cls.directory.name

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def explore(self, *words, status):
        seed = () if {"--replay", "--minimise"} & set(words) else ("--seed", "1")
        command = [HAKSTRESS, "explore", *words, "--results", self.results, "--quiet", *seed]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, status, f"{command}\n{result.stdout}{result.stderr}")
        return result

    def fault(self, *words):
        """The last line of a search that finds a fault, as its parts, with the story's text."""
        last = self.explore(*words, status=1).stdout.splitlines()[-1]
        self.assertTrue(last.startswith("explore: fault "), last)
        parts = dict(re.findall(r"(\w+)=(\S+)", last))
        return parts, Path(parts["report"]).read_text(encoding="utf-8")


class Races(Case):
    """Each of the six changes, missing alone, is found as a race."""

    def check(self, change, scenario):
        others = ",".join(str(c) for c in range(1, 7) if c != change)
        parts, story = self.fault(scenario, "--changes", others)
        self.assertEqual(parts["check"], "race")
        self.assertLessEqual(int(parts["switches"]), 3)
        self.assertIn(OWNERS, " ".join(story.split()))
        self.assertIn(f"With this the same schedule ends well:\n  - change {change} (", story)

    def test_each_change_is_found_short_and_named(self):
        for change, scenario in ((1, "S3"), (2, "S3"), (3, "sticky"), (4, "hot"), (5, "bench"), (6, "S3")):
            with self.subTest(change=change):
                self.check(change, scenario)

    def test_shortening_leaves_operations_out(self):
        parts, story = self.fault("S3", "--changes", "1-5", "--strategy", "random")
        form = r"^S3-B1-B2-C1-C2@[0-9a-f]{8},text=[0-9a-f]{8},changes=1-5:[A-F]#[0-9a-f]{8}$"
        self.assertRegex(parts["replay"], form)
        self.assertNotIn("thread C:", story)

    def test_the_two_accesses_are_told_and_marked(self):
        parts, story = self.fault("S1", "--changes", "2-6")
        self.assertEqual(parts["check"], "race")
        access = r"(?:reads|writes)(?: \(atomic\))? .*, in \w+ \(lib/[\w/]+\.[ch]:\d+\)(?:, after \w+)?"
        place = rf"step (\d+), ([A-F]): {access}"
        lines = re.findall(r"^(?:earlier|later): .*(?:\n {9}.*)*", story, re.MULTILINE)
        heads = [" ".join(line.split()) for line in lines]
        self.assertEqual([head.split(":")[0] for head in heads], ["earlier", "later"])
        earlier, later = (re.fullmatch(r"\w+: " + place, head) for head in heads)
        self.assertTrue(earlier and later, heads)
        self.assertLess(int(earlier[1]), int(later[1]))
        self.assertNotEqual(earlier[2], later[2])
        fault = re.search(r"^fault: ([A-F]) (?:reads|writes).* what ([A-F]) ", story, re.MULTILINE)
        self.assertEqual((fault[1], fault[2]), (later[2], earlier[2]))
        self.assertRegex(story, rf"(?m)^{earlier[1]} .*\*\* (?:reads|writes)")
        self.assertRegex(story, rf"(?m)^{later[1]} .*\*\*\* race: ")

    def test_the_two_accesses_are_in_the_document(self):
        path = Path(self.results) / "accesses.json"
        self.explore("S1", "--changes", "2-6", "--json", str(path), status=1)
        rows = json.loads(path.read_text(encoding="utf-8"))["fault"]["story"]["rows"]
        told = [row for row in rows if "access" in row]
        self.assertEqual([row["kind"] for row in told], ["access", "fault"])
        for row in told:
            access = row["access"]
            lines = (ROOT / access["file"]).read_text(encoding="utf-8").splitlines()
            self.assertLessEqual(access["line"], len(lines))
            self.assertIn(access["function"], "\n".join(lines[: access["line"]]), "the function begins before the line")
            self.assertIn(f"in {access['function']} ({access['file']}:{access['line']})", access["words"])
            self.assertIn(access["words"], row["words"])
        self.assertEqual(told[1]["access"]["after"], "TK")

    def test_a_story_is_one_json_document(self):
        path = Path(self.results) / "result.json"
        self.explore("S3", "--changes", "1-5", "--json", str(path), status=1)
        story = json.loads(path.read_text(encoding="utf-8"))["fault"]["story"]
        self.assertEqual(story["check"], "race")
        self.assertEqual(story["rule"], OWNERS)
        self.assertEqual(story["threads"], ["A", "B", "C"])
        self.assertEqual(story["rows"][0]["kind"], "call")
        self.assertEqual(story["rows"][-1]["kind"], "fault")
        self.assertIn("A5", [row.get("step") for row in story["rows"]])


class Following(Case):
    """--follow goes on to the crash that docs/FAULTS.md is about."""

    def crash(self, change, scenario, *more):
        others = ",".join(str(c) for c in range(1, 7) if c != change)
        parts, story = self.fault(scenario, "--follow", "--changes", others, *more)
        self.assertEqual(parts["check"], "crash")
        self.assertLessEqual(int(parts["switches"]), 4)
        self.assertIn("Segmentation fault at address 0x6261", story)
        self.assertIn(f"change {change} (", story)
        return parts, story

    def test_the_owner_follows_two_letters(self):
        parts, story = self.crash(2, "F1")
        flat = " ".join(story.split())
        self.assertIn("then 0x6261", flat, "the list leads to the letters")
        again = self.explore("--replay", parts["replay"], "--times", "5", status=1)
        self.assertIn("check=crash same=5 of 5", again.stdout.splitlines()[-1])

    def test_a_hint_leads_to_the_crash(self):
        self.crash(3, "F3")

    def test_with_all_changes_there_is_no_crash(self):
        last = self.explore("F1", "F3", "--follow", "--schedules", "3000", status=0).stdout.splitlines()[-1]
        self.assertTrue(last.startswith("explore: ok scenarios=2 "), last)


LONG = """# more than a thousand steps, and more slabs at the end than one
set TINY_FAST_CAP 0
bound slabs 1
thread A: b=malloc 64, 375*malloc 64
thread B: 375*malloc 64
thread C: 375*malloc 64
thread D: 375*malloc 64, free b
"""


REUSED = """# a block that is free before the run begins, and one that shrinks where it is
bound slabs 0
setup A: p=malloc 64, free p, q=malloc 5M
thread A: b=malloc 64, r=realloc q 3M
"""


class Own(Case):
    """Scenarios that break a bound in each run."""

    def story_of(self, name, text):
        scenario, story = (Path(self.results) / (name + ending) for ending in (".scenario", ".txt"))
        scenario.write_text(text, encoding="utf-8")
        worker = HAKSTRESS + "-explore"
        build = subprocess.run([worker, "--build", "-"], capture_output=True, text=True, check=True).stdout.split()[1]
        command = [worker, "--replay", f"{name}@{build}:A", "--story", story, scenario]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertIn("check=bound", result.stdout)
        return story.read_text(encoding="utf-8")

    def test_what_is_free_at_the_start_is_not_in_use(self):
        text = self.story_of("reused", REUSED)
        self.assertIn("b is the block that was p", text)
        self.assertNotIn("; as b it is in use", text)
        self.assertNotIn("; as p it is in use", text)
        self.assertIn("r is the block that was q", text)
        self.assertNotIn("; as q it is in use", text)

    def test_of_a_long_run_the_beginning_and_the_end_are_told(self):
        text = self.story_of("long", LONG)
        self.assertLess(len(text), 200_000)
        left_out = re.search(r"^ +\.\.\. (\d+) steps are left out here \.\.\.$", text, re.MULTILINE)
        self.assertGreater(int(left_out[1]), 500)
        numbers = [int(n) for n in re.findall(r"^(\d+)  ", text, re.MULTILINE)]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertGreater(numbers[-1], 1000)
        self.assertIn("free b", text[left_out.end() :])


class Replaying(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("fault")
        cls.parts, _ = case.fault("S1", "--changes", "1-5")

    def test_in_new_processes(self):
        last = self.explore("--replay", self.parts["replay"], "--times", "10", status=1).stdout.splitlines()[-1]
        self.assertRegex(last, r"^explore: replay check=race same=10 of 10 report=")

    def test_another_build_is_refused(self):
        other = re.sub("@[0-9a-f]{8}", "@00000000", self.parts["replay"])
        result = self.explore("--replay", other, status=2)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\A[^\n]*of build 00000000, and this is [0-9a-f]{8}; --force [^\n]*\n\Z")
        self.assertIn("same=1 of 1", self.explore("--replay", other, "--force", status=1).stdout)

    def test_other_events_are_said(self):
        other = re.sub("#[0-9a-f]{8}$", "#00000000", self.parts["replay"])
        result = self.explore("--replay", other, status=1)
        self.assertIn("the events were others than the string's in 1 of the runs", result.stdout)
        self.assertIn("same=0 of 1", result.stdout.splitlines()[-1])

    def test_without_the_fault(self):
        right = re.sub(",changes=[^:]*", "", self.parts["replay"])
        self.assertIn("check=none", self.explore("--replay", right, status=0).stdout.splitlines()[-1])
        result = self.explore("--minimise", right, status=2)
        self.assertIn("does not end in a fault", result.stderr)


class Rules(unittest.TestCase):
    def test_every_sentence_is_in_the_document(self):
        text = (ROOT / "explore/tell/rules.def").read_text(encoding="utf-8")
        document = words_of("docs/OWNERSHIP.md")
        rules = re.findall(r'^RULE\("\w+", "\w*", \w+,\s*((?:"[^"]*"\s*)+)\)', text, re.MULTILINE)
        self.assertGreater(len(rules), 10)
        self.assertEqual(len(rules), text.count("\nRULE("))
        for rule in rules:
            sentence = "".join(re.findall(r'"([^"]*)"', rule))
            self.assertIn(" ".join(sentence.split()), document)


if __name__ == "__main__":
    HAKSTRESS = sys.argv.pop(1)
    unittest.main()
