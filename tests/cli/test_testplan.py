#!/usr/bin/env python3
"""hakstress testplan, and that a missing change plants nothing.

usage: test_testplan.py HAKSTRESS [CLASS...]
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import test_cli
from test_cli import clean_environment, children_of, is_alive, wait_until

SITES = ["superslab_refill", "alloc_superslab", "sticky", "hot", "bench", "mmap_gate"]

FOUND = ("fault", "hang")  # usually SIGSEGV at 0x6261; sometimes a failed check, or a hang


class PlanCase(test_cli.Case):
    def plan(self, *args, **environment):
        return subprocess.run(
            [test_cli.HAKSTRESS, "testplan", *args],
            cwd=self.directory.name,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=240,
        )

    def files(self, suffix):
        return [n for n in os.listdir(self.results) if n.startswith("testplan-") and n.endswith(suffix)]

    def saved(self):
        """The plan's own result, and its text."""
        (name,) = self.files(".json")
        with open(os.path.join(self.results, name)) as file:
            value = json.load(file)
        (name,) = self.files(".txt")
        with open(os.path.join(self.results, name), encoding="utf-8") as file:
            return value, file.read()


class Usage(PlanCase):
    def refused(self, args, wanted, status=2):
        result = self.plan(*args)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(wanted, result.stderr)
        self.assertFalse(os.path.isdir(self.results) and os.listdir(self.results))

    def test_bad_input(self):
        self.refused(["30"], "unexpected operand")
        self.refused(["--quick", "--each"], "cannot be combined")
        self.refused(["--quik"], "did you mean --quick")
        self.refused(["--quick=1"], "takes no value")
        self.refused(["--profile", "repro"], "has its own")
        self.refused(["--seed", "x"], "--seed must be a whole number")
        self.refused(["--seed", str(2**63 - 1)], "--seed must be a whole number")
        self.refused(["--markdown", "nowhere/plan.md"], "nowhere/plan.md")
        self.refused(["--markdown", "."], "--markdown .")
        self.refused(["--results", "/proc/version"], "--results", status=3)

    def test_help(self):
        result = self.plan("--help")
        self.assertEqual(result.returncode, 0)
        for wanted in ("--quick", "--each", "--markdown FILE", "Examples:", "hakstress testplan --quick"):
            self.assertIn(wanted, result.stdout)


class Quick(PlanCase):
    def test_quick(self):
        result = self.plan("--quick", "--seed", "1", "--markdown", "plan.md", LC_ALL="C", HAKMEM_TINY_FAST_CAP="5")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r"^again: \S*hakstress testplan --quick --seed 1$")
        self.assertRegex(lines[-1], r"^testplan: as expected tests=7/7 report=results/testplan-\S+\.txt$")
        for heading in ("Before Fixes", "After Fixes (Changes 1-2 only)", "After All Fixes (Changes 1-6)",
                        "Verification Checklist", "Rollback Plan", "Runs"):
            self.assertIn(heading, lines)
        self.assertTrue(result.stdout.isascii())
        self.assertIn("[X] CRASH at fault_addr=0x6261", result.stdout)
        ignored, *progress = result.stderr.splitlines()
        self.assertIn("HAKMEM_TINY_FAST_CAP is ignored", ignored)
        self.assertEqual(len(progress), 7)
        for number, line in enumerate(progress, 1):
            self.assertRegex(line, rf"^testplan {number}/7: .* --seed {number}: .*, as expected: yes$")

        value, text = self.saved()
        self.assertTrue(result.stdout.startswith(text))
        self.assertTrue(value["complete"])
        self.assertEqual(value["outcome"], "as expected")
        self.assertEqual([test["seed"] for test in value["tests"]], list(range(1, 8)))
        before, before_guard, _, first_two_guard, *clean = value["tests"]
        self.assertIn(before["outcome"], FOUND)
        self.assertGreater(sum(before["foreign_drains"].values()), 0)
        for guard in (before_guard, first_two_guard):
            self.assertEqual(guard["check"], "ownership")
            self.assertIn(guard["site"], SITES)
        self.assertIn(first_two_guard["site"], SITES[2:])
        for test in clean:
            self.assertEqual(test["outcome"], "ok")
            self.assertEqual(set(test["foreign_drains"].values()), {0})
            self.assertAlmostEqual(test["seconds"], 3, delta=2)
        self.assertIn("HAKMEM_TINY_FAST_CAP=0", clean[2]["again"])
        states = {line["line"]: line["state"] for line in value["checklist"]}
        self.assertEqual(len(states), 9)
        self.assertEqual(states.pop("Benchmark runs without crashes for 30+ seconds"), "open")
        self.assertEqual(set(states.values()), {"proven"})

        with open(os.path.join(self.directory.name, "plan.md"), encoding="utf-8") as file:
            markdown = file.read()
        self.assertIn("### Before Fixes", markdown)
        self.assertIn("\u274c CRASH at fault_addr=0x6261", markdown)

    def test_ctrl_c(self):
        process = subprocess.Popen(
            [test_cli.HAKSTRESS, "testplan", "--seed", "1"],
            cwd=self.directory.name,
            env=clean_environment(LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

        def at_work():
            for child in children_of(process.pid):
                if "\0all\0" in self.command_of(child):
                    return [child, *children_of(child)] if children_of(child) else None
            return None

        below = wait_until(at_work, 60)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = self.end(process, 130)
        for pid in below:
            self.assertFalse(is_alive(pid))
        self.assertIn("INCOMPLETE (stopped): 4 of 7 tests", out)
        self.assertRegex(out, r"repro 30 20 --changes all +\| measured \|.*\[!\] stopped")
        self.assertRegex(out, r"guard 30 20 --changes all +\| measured \|.*\[!\] not run")
        self.assertRegex(out.splitlines()[-1], r"^testplan: stopped tests=4/7 ")
        self.assertEqual(len(err.splitlines()), 4)
        value, _ = self.saved()
        self.assertFalse(value["complete"])
        self.assertEqual(value["outcome"], "stopped")
        outcomes = [test["outcome"] for test in value["tests"]]
        self.assertLessEqual(set(outcomes[:4]), set(FOUND))
        self.assertEqual(outcomes[4:], ["stopped", "not run", "not run"])
        self.assertGreater(value["tests"][4]["ops"], 0)
        self.assertIsNone(value["tests"][4]["as_expected"])


class Each(PlanCase):
    def test_each(self):
        result = self.plan("--each", "--seed", "1", "--quiet", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        tests = json.loads(result.stdout)["tests"]
        self.assertEqual(len(tests), 14)
        for index, site in enumerate(SITES):
            repro, guard = tests[2 * index : 2 * index + 2]
            self.assertIn(repro["outcome"], FOUND)
            self.assertEqual([s for s, n in repro["foreign_drains"].items() if n > 0], [site])
            self.assertEqual((guard["check"], guard["site"]), ("ownership", site))
        for control in tests[12:]:
            self.assertEqual(control["outcome"], "ok")
            self.assertGreater(control["counters"]["mailbox_hit"], 0)
            self.assertEqual(set(control["foreign_drains"].values()), {0})
        self.assertIn("mailbox (control)", result.stderr)


class NothingPlanted(PlanCase):
    def test_one_thread(self):
        """A lane that never hands over drains the slabs of the sleeping main thread: no race, so no harm."""
        churn = ["--chunks", "20000", "--rounds", "1000000"]
        result = self.run_it("repro", "3", "1", "--profile", "fast0", "--changes", "none", "--seed", "1", *churn)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertGreater(sum(self.only_result()["foreign_drains"].values()), 100)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    test_cli.HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
