#!/usr/bin/env python3
"""Every scenario is explored completely, up to the bounds that it gives, and all of them together reach every named
step of the protocol, each branch of it, and each ordered pair of steps of two threads on one slab, except what
uncovered.txt explains. What the search prunes leads nowhere new.

usage: test_complete.py HAKSTRESS"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import coverage_list

HAKSTRESS = str(pathlib.Path(sys.argv.pop(1)).resolve())
WORKER = str(pathlib.Path(HAKSTRESS).with_name("hakstress-explore"))
SCENARIOS = pathlib.Path(__file__).parent
NAMES = sorted(path.stem for path in SCENARIOS.glob("*.scenario"))
TOO_LONG_WITH_STALE_LOADS = {"forks_two"}

SEARCHES = (
    (),
    ("--preemptions", "1", "--stale", "1", *(n for n in NAMES if n not in TOO_LONG_WITH_STALE_LOADS)),
)

# What the suite has time for. A scenario that needs more gets a lower bound: a line `search` in its file.
SCHEDULES_MOST = 80000

# (scenario, preemptions, stale loads)
PRUNED = (
    ("S1", 2, 1),
    ("exit", 3, 0),
    ("sticky", 2, 0),
    ("pool", 2, 0),
    ("fork", 2, 1),
    ("fork_twice", 1, 1),
    ("copy", 1, 0),
    ("no_memory", 1, 0),
    ("parked_aged", 1, 1),
)


class Complete(unittest.TestCase):
    def explore(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            command = [HAKSTRESS, "explore", "--strategy", "exhaustive", *options, "--quiet", "--json", "-"]
            result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def test_every_scenario_up_to_its_bounds(self):
        uncovered = []
        for options in SEARCHES:
            with self.subTest(options=options):
                document = self.explore("--coverage", *options)
                for scenario in document["scenarios"]:
                    self.assertTrue(scenario["complete"], scenario)
                    self.assertLessEqual(scenario["schedules"], SCHEDULES_MOST, scenario)
                figures = re.search(r"complete=(\d+) of (\d+) .*steps_covered=(\d+) of (\d+)$", document["line"])
                self.assertEqual(figures[1], figures[2])
                self.assertEqual(figures[3], figures[4])
                uncovered.append({one["item"] for one in document["coverage"] if not one["covered"]})
        self.assertEqual(list(coverage_list.findings(sorted(set.intersection(*uncovered)))), [])

    def names_known(self, program):
        said = subprocess.run([program, "list", "scenarios"], capture_output=True, text=True, check=True).stdout
        return sorted(line.split()[0] for line in said.splitlines() if line.strip())

    def test_a_copied_hakstress_knows_every_scenario(self):
        """What is installed, and a build folder in another one, which has a tests/explore without scenarios."""
        copies = pathlib.Path(HAKSTRESS).parents[1] / "explore" / "scenarios"
        places = (("bin", "share/hakmem/scenarios"), ("build/other/cli", "build/other/explore/scenarios"))
        for place, scenarios in places:
            with self.subTest(place=place), tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / place).mkdir(parents=True)
                (pathlib.Path(folder) / "build/tests/explore").mkdir(parents=True)
                shutil.copytree(copies, pathlib.Path(folder) / scenarios)
                program = shutil.copy(HAKSTRESS, pathlib.Path(folder) / place)
                self.assertEqual(self.names_known(program), NAMES)

    def test_pruning_loses_no_end(self):
        for name, preemptions, stale in PRUNED:
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
