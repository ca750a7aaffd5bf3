#!/usr/bin/env python3
"""Every scenario is explored completely, up to the bounds that it gives, and all of them together reach every named
step of the protocol, each branch of it, and each ordered pair of steps of two threads on one slab, except what
uncovered.txt explains. What the search prunes leads nowhere new.

usage: test_complete.py HAKSTRESS"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import coverage_list

HAKSTRESS = str(pathlib.Path(sys.argv.pop(1)).resolve())
WORKER = str(pathlib.Path(HAKSTRESS).with_name("hakstress-explore"))
SCENARIOS = pathlib.Path(__file__).parent


class Complete(unittest.TestCase):
    def test_every_scenario_up_to_its_bounds(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [HAKSTRESS, "explore", "--strategy", "exhaustive", "--coverage", "--quiet", "--json", "-"]
            result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        document = json.loads(result.stdout)
        for scenario in document["scenarios"]:
            self.assertTrue(scenario["complete"], scenario)
        figures = re.search(r"complete=(\d+) of (\d+) .*steps_covered=(\d+) of (\d+)$", document["line"])
        self.assertEqual(figures[1], figures[2])
        self.assertEqual(figures[3], figures[4])
        uncovered = [one["item"] for one in document["coverage"] if not one["covered"]]
        self.assertEqual(list(coverage_list.findings(uncovered)), [])

    def test_every_scenario_is_installed(self):
        text = (SCENARIOS.parent.parent / "explore" / "meson.build").read_text()
        listed = re.search(r"explore_scenarios = \[(.*?)\]", text, re.DOTALL)[1]
        self.assertEqual(
            sorted(re.findall(r"'([^']+)'", listed)), sorted(path.stem for path in SCENARIOS.glob("*.scenario"))
        )

    def test_pruning_loses_no_end(self):
        searches = (("S1", 2, 1), ("exit", 3, 0), ("fork", 2, 1), ("sticky", 2, 0), ("pool", 2, 0))
        for name, preemptions, stale in searches:
            with self.subTest(scenario=name):
                ends = []
                for more in ([], ["--every-prefix"]):
                    command = [WORKER, str(SCENARIOS / f"{name}.scenario"), "--strategy", "exhaustive"]
                    command += ["--preemptions", str(preemptions), "--stale", str(stale), *more]
                    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                    ends.append(re.search(r"ends=(\d+) complete=1", said)[1])
                self.assertEqual(ends[0], ends[1])


if __name__ == "__main__":
    unittest.main()
