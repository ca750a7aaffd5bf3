#!/usr/bin/env python3
"""Reports about faults in hakstress: who drained whose slab, and what is still known if much is lost.

usage: test_reports.py HAKSTRESS INJECTION
"""
import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = INJECTION = ""
SITES = ("superslab_refill", "alloc_superslab", "sticky", "hot", "bench", "mmap_gate")


def all_but(change):
    return ",".join(str(n) for n in range(1, 7) if n != change)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}

    def tearDown(self):
        self.directory.cleanup()

    def run_it(self, *args, **environment):
        return subprocess.run(
            [HAKSTRESS, *args],
            cwd=self.directory.name,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def fault(self, *args, **environment):
        """The report of a run that ends with a fault, as text and as JSON."""
        result = self.run_it(*args, "--results", "results", **environment)
        self.assertIn(result.returncode, (1, 5), result.stdout + result.stderr)
        return self.only_report()

    def only_report(self):
        (path,) = glob.glob(os.path.join(self.directory.name, "results", "*.crash.txt"))
        with open(path) as file:
            text = file.read()
        with open(path[: -len(".txt")] + ".json") as file:
            report = json.load(file)
        again = self.run_it("report", path)
        self.assertEqual(again.stdout, text)
        return text, report

    def drop_results(self):
        for path in glob.glob(os.path.join(self.directory.name, "results", "*")):
            os.remove(path)


class MissingChanges(Case):
    def check_story(self, text, report, sites):
        """Guaranteed: a foreign drain came before the fault. Mostly: a damaged link was followed to 0x6261."""
        story, verdict = report["story"], report["verdict"]
        self.assertIn(story["site"], sites)
        self.assertEqual(verdict["culprit"], "missing change")
        self.assertGreater(story["slab"], 0)
        drainer, owner = story["drained_by"], story["owner"]
        self.assertGreater(drainer["thread"], 0)
        self.assertNotEqual(drainer["thread"], owner["thread"])
        # A ring may have lost who it was; the report then says so.
        drained = f"drained slab {story['slab']}, which thread {owner['thread'] or 'of unknown number'}"
        (step,) = [s["text"] for s in story["steps"] if drained in s["text"]]
        self.assertIn(f"thread {drainer['thread']}", step)
        self.assertIn(f"at site {story['site']}, because change {SITES.index(story['site']) + 1} is missing", step)
        flat = re.sub(r"\s+", " ", text)
        self.assertIn(drained, flat)
        times = [s["time"] for s in story["steps"] if s["time"] is not None]
        self.assertEqual(times, sorted(times))
        self.assertGreater(report["foreign_drains"][story["site"]], 0)
        # A check of the workload may fail while another thread is about to crash.
        if "check" in report or report.get("signal", {}).get("fault_addr") != "0x6261":
            return False
        # If the followed link is in a slab that was not drained, the list went on after the damage.
        tied = not any("whether this drain led to the crash" in line for line in story["unknown"])
        self.assertEqual(verdict["confidence"], "high" if tied else "medium")
        self.assertEqual(story["link"], "0x6261")
        self.assertIn("0x61 0x62", flat)
        self.assertIn("lowest byte first", flat)
        self.assertIn(story["block"], [h["address"] for h in report["histories"]])
        self.assertIn(story["slab"], [h["slab"] for h in report["slab_histories"]])
        for history in report["histories"]:
            times = [e["time"] for e in history["events"]]
            self.assertEqual(times, sorted(times))
        self.assertRegex(text, r"\Ahakstress: crash signal=SIGSEGV fault_addr=0x6261 thread=")
        return True

    def test_each_alone(self):
        at_the_link = 0
        for change, site in enumerate(SITES, 1):
            with self.subTest(site):
                self.drop_results()
                text, report = self.fault(
                    "repro", "30", "20", "--changes", all_but(change), "--seed", "1", "--hang-after", "3"
                )
                at_the_link += self.check_story(text, report, (site,))
        self.assertGreaterEqual(at_the_link, 2)

    def test_all(self):
        text, report = self.fault("repro", "30", "4", "--changes", "none", "--seed", "1", "--hang-after", "3")
        self.check_story(text, report, SITES)

    def test_guard_stops_it_at_the_site(self):
        text, report = self.fault("guard", "15", "4", "--changes", "1-5", "--seed", "1")
        self.assertEqual((report["check"], report["site"]), ("ownership", "mmap_gate"))
        self.assertEqual(report["verdict"]["culprit"], "missing change")
        self.assertIn("change 6 (mmap_gate)", report["verdict"]["cause"])
        story = report["story"]
        said = re.search(r"thread (\d+) drains slab (\d+), which thread (\d+) owns", report["check_line"])
        self.assertEqual(
            [story["drained_by"]["thread"], story["slab"], story["owner"]["thread"]], [int(n) for n in said.groups()]
        )
        self.assertRegex(text, r"\Ahakstress: crash check=ownership site=mmap_gate thread=")
        places = [r["place"] for r in report["registers"] if "place" in r]
        self.assertTrue(all("text" in place for place in places))


class LittleIsLeft(Case):
    def test_stderr_was_closed(self):
        """The line of the check comes from the debug ring."""
        text, report = self.fault(
            "guard", "15", "4", "--changes", "1-5", "--seed", "1", LD_PRELOAD=INJECTION, INJECT="stderr"
        )
        self.assertEqual((report["check"], report["site"]), ("ownership", "mmap_gate"))
        self.assertEqual(report["messages"], "")
        self.assertIn("comes from the debug ring", re.sub(r"\s+", " ", text))

    def test_no_standard_files_at_all(self):
        """Files that hakstress opens do not get the numbers of closed streams."""
        subprocess.run(
            ["sh", "-c", '"$0" repro 30 4 --changes 2-6 --seed 1 --hang-after 3 --results results <&- >&- 2>&-',
             HAKSTRESS],
            cwd=self.directory.name,
            env=self.environment,
            timeout=100,
        )
        _, report = self.only_report()
        self.assertEqual(report["story"]["site"], "superslab_refill")

    def test_stack_used_up(self):
        _, report = self.fault("repro", "30", "2", "--seed", "1", LD_PRELOAD=INJECTION, INJECT="stack")
        self.assertEqual(report["signal"]["name"], "SIGSEGV")
        self.assertEqual(report["verdict"]["rule"], "stack")
        self.assertTrue(any(frame.get("symbol", "").startswith("descend") for frame in report["backtrace"]))

    def test_handler_crashes(self):
        """The signal and the registers are there, the stack is not; the rings still have the story."""
        text, report = self.fault(
            "repro", "30", "4", "--changes", "2-6", "--seed", "1", "--hang-after", "3", LD_PRELOAD=INJECTION,
            INJECT="handler"
        )
        if report["reason"] == "hang":
            self.skipTest("the fault was a hang this time")
        self.assertEqual(report["reason"], "death")
        self.assertEqual(report["died_of"], "SIGSYS")
        self.assertIn("itself crashed", text)
        self.assertEqual(report["story"]["site"], "superslab_refill")
        self.assertTrue(report["registers"])
        self.assertTrue(any(ring["events"] for ring in report["rings"]))

    def test_killed(self):
        process = subprocess.Popen(
            [HAKSTRESS, "repro", "60", "2", "--results", "results"],
            cwd=self.directory.name,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        child = None
        end = time.monotonic() + 20
        while child is None and time.monotonic() < end:
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                found = file.read().split()
            child = int(found[0]) if found else None
            time.sleep(0.01)
        time.sleep(0.5)
        os.kill(child, signal.SIGKILL)
        process.communicate(timeout=60)
        text, report = self.only_report()
        self.assertEqual(report["verdict"]["rule"], "death")
        self.assertNotIn("registers", report)
        self.assertIn("before they could be copied", re.sub(r"\s+", " ", text))
        self.assertIn("are gone", text)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    INJECTION = os.path.abspath(sys.argv.pop(2))
    HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
