#!/usr/bin/env python3
"""scripts/safety.py: what counts as caught, in a run of small programs and in results whose answer is known.

usage: test_safety.py BUILD     the folder of the build"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import safety  # noqa: E402

BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else "build"
GETS_THROUGH = "echo NOT_CAUGHT"
PROGRAMS = {
    "told_small": "echo 'something is wrong' >&2; kill -ABRT $$",
    "told_medium": "exit 1",
    "told_large": GETS_THROUGH,
    "late": f"{GETS_THROUGH}; kill -SEGV $$",
    "wavers": f"mkdir $HOME/once 2>/dev/null || {GETS_THROUGH}",  # one run of all does not get through
    "hangs": "exec sleep 60",
}


def result(**outcomes):
    """Mode release, in which each program did the same three times or what the list says."""
    runs = {program: [one] * 3 if isinstance(one, str) else one for program, one in outcomes.items()}
    return {"day": "2026-01-01", "kernel": "Linux", "runs": 3, "versions": {"glibc": "glibc"}, "modes": ["release"],
            "outcomes": {"release": runs}}


class Measured(unittest.TestCase):
    def run_script(self, folder, *more):
        command = [sys.executable, SCRIPTS / "safety.py", "--programs", folder / "programs", "--build", BUILD,
                   "--modes", "release", "--timeout", "3", "--jobs", "8", "--json", folder / "result.json", *more]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100,
                              env={**os.environ, "HOME": str(folder)})

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)
        (self.folder / "programs").mkdir()
        (self.folder / "programs" / "notes.txt").write_text("no program")
        for name, text in PROGRAMS.items():
            path = self.folder / "programs" / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    def test_what_programs_do_is_counted(self):
        done = self.run_script(self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        outcomes = json.loads((self.folder / "result.json").read_text())["outcomes"]
        self.assertEqual(list(outcomes), ["release", "glibc"])
        self.assertEqual(outcomes["release"]["told_small"], ["signal 6"] * 3)
        self.assertEqual(outcomes["release"]["told_medium"], ["exit status 1"] * 3)
        self.assertEqual(outcomes["release"]["late"], ["not caught"] * 3)
        wavering = outcomes["release"]["wavers"] + outcomes["glibc"]["wavers"]
        self.assertEqual(sorted(wavering), ["exit status 0"] + ["not caught"] * 5)
        self.assertEqual(outcomes["glibc"]["hangs"], ["stopped"] * 3)
        self.assertIn("| release | as it is | 2 |", done.stdout)
        self.assertIn("| told | S M | S M |", done.stdout)
        self.assertRegex(done.stdout, r"(release|glibc): wavers: .*exit status 0")
        self.assertIn("release: hangs does not end", done.stdout)

    def test_a_library_that_is_not_loaded_is_not_measured(self):
        done = self.run_script(self.folder, "--peers", "nothing=/no/such/library.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing: ERROR: ld.so", done.stderr)
        self.assertFalse((self.folder / "result.json").exists())


class Told(unittest.TestCase):
    def test_one_run_that_gets_through_is_enough(self):
        self.assertEqual(safety.caught(result(a="signal 6", b=["signal 6", "signal 6", "not caught"]), "release"), 1)

    def test_what_gets_through_is_named_with_its_sizes_and_why(self):
        some = result(zero_on_malloc_small="not caught", zero_on_malloc_large="signal 6", realloc_reuse="not caught",
                      other="not caught")
        lines = list(safety.what_is_left(some, "release"))
        self.assertIn("- nothing is cleared: zero_on_malloc (small)", lines)
        self.assertIn("- other", lines)
        self.assertEqual(list(safety.without_reason(some)), ["release: other"])

    def test_prices_have_the_names_of_the_modes(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            mean = {"speed": {"ratio": 2}, "rss_peak": {"ratio": 1.5}}
            json.dump({"baseline": "glibc", "geometric_mean": [{"name": "hakmem", **mean}]}, file)
            file.flush()
            some = {**result(a="signal 6"), "prices": safety.prices(file.name)}
        self.assertIn("| release | as it is | 1 | 2.00 | 1.50 |", safety.summary(some))


if __name__ == "__main__":
    unittest.main()
