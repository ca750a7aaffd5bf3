#!/usr/bin/env python3
"""hakstress explore: it finds each of the six changes that is left out, what it finds replays in new processes, and its
command line and last line are as docs/EXPLORE.md has them.

usage: test_explore.py HAKSTRESS"""

import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HAKSTRESS = str(pathlib.Path(sys.argv.pop(1)).resolve())
# A scenario that leads to the site of each change.
WITHOUT = {
    1: ("S1", "2-6"),
    2: ("S1", "1,3-6"),
    3: ("sticky", "1-2,4-6"),
    4: ("hot", "1-3,5-6"),
    5: ("bench", "1-4,6"),
    6: ("S1", "1-5"),
}
# Threads look again and again in these, wait with a limit, or hand on what no run has seen before.
REPEATED = ("exit", "fork_busy", "fork_reserve", "fork_twice", "left")
FAULT = re.compile(
    r"^explore: fault check=(\w+) scenario=(\S+) schedules=(\d+) switches=(\d+) replay=(\S+) report=(\S+)$"
)
OK = re.compile(
    r"^explore: (ok|stopped) scenarios=(\d+) schedules=(\d+) pruned=(\d+) complete=(\d+) of (\d+) "
    r"seconds=[\d.]+ steps_covered=(\d+) of (\d+)$"
)


# Blocks of one place in memory are in one state at the end, whoever has made a call more.
CALLS = """reach calls 5
failures 1
setup A: x=malloc 3M, y=malloc 3M, free x, free y, trim
thread A: a=malloc 3M, free a, trim
thread B: b=malloc 3M, free b, trim
"""
YIELDS = """# the fork asks B to wait, and yields
setup A: a=malloc 64
setup B: b=malloc 64
thread A: fork
thread B: free b
"""


class Explore(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_it(self, *arguments, timeout=120):
        command = [HAKSTRESS, "explore", *map(str, arguments), "--quiet"]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=timeout, cwd=self.folder.name
        )

    def last(self, result):
        return result.stdout.rstrip("\n").rsplit("\n", 1)[-1]

    def find(self, scenario, changes, *arguments):
        result = self.run_it(scenario, "--changes", changes, *arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        found = FAULT.match(self.last(result))
        self.assertTrue(found, result.stdout)
        self.assertEqual(found[2], scenario)
        self.assertIn(",changes=", found[5])
        return found

    def test_a_replay_waits_where_a_search_does(self):
        """What a thread has stored itself ends no wait, whether others were seen to touch the word or not."""
        scenario = pathlib.Path(self.folder.name) / "yields.scenario"
        scenario.write_text(YIELDS, encoding="utf-8")
        worker = HAKSTRESS + "-explore"
        build = subprocess.run([worker, "--build", "-"], capture_output=True, text=True, check=True).stdout.split()[1]
        command = [worker, "--replay", f"yields@{build}:A", "--events", scenario]
        events = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
        order = re.findall(r"^event ([AB]) \d+ (wait|switch|fork|end) ", events, re.MULTILINE)
        self.assertEqual(order[:2], [("A", "wait"), ("A", "switch")])
        self.assertEqual(order[-2:], [("A", "fork"), ("A", "end")])

    def test_each_change_that_is_left_out_is_found_by_chance(self):
        for change, (scenario, changes) in WITHOUT.items():
            for seed in range(5):
                with self.subTest(change=change, seed=seed):
                    found = self.find(scenario, changes, "--strategy", "random", "--seed", seed)
                    self.assertEqual(found[1], "race")
                    self.assertLessEqual(int(found[3]), 60)

    def test_each_change_that_is_left_out_is_found_exhaustively(self):
        for change, (scenario, changes) in WITHOUT.items():
            with self.subTest(change=change):
                found = self.find(scenario, changes, "--strategy", "exhaustive", "--jobs", 1)
                self.assertEqual(found[1], "race")

    def test_every_fault_of_a_worker_repeats(self):
        """What a search knows of the words, and a replay does not, decides nothing."""
        worker = str(pathlib.Path(HAKSTRESS).with_name("hakstress-explore"))
        faults = 0
        strategies, orders = ("exhaustive", "pct", "random"), ("C1", "lock", "unlock")
        for name, strategy, order in itertools.product(REPEATED, strategies, orders):
            with self.subTest(scenario=name, strategy=strategy, order=order):
                scenario = str(pathlib.Path(__file__).with_name(f"{name}.scenario"))
                search = ["--strategy", strategy, "--weaken", order, "--schedules", "500", "--seed", "3"]
                said = subprocess.run([worker, scenario, *search], capture_output=True, text=True, check=False).stdout
                self.assertIn(f"result scenario={name} ", said)
                if "fault " in said:
                    self.assertIn(" replayed=3/3 ", said)
                    faults += 1
        self.assertGreater(faults, len(REPEATED))

    def test_what_is_judged_of_calls_is_judged_for_every_schedule(self):
        pathlib.Path(self.folder.name, "calls.scenario").write_text(CALLS, encoding="utf-8")
        search = ("--strategy", "exhaustive", "--preemptions", 1, "--jobs", 1)
        result = self.run_it("./calls.scenario", *search)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        found = FAULT.match(self.last(result))
        self.assertEqual(found[1], "bound")
        self.assertIn("same=1 of 1", self.run_it("--replay", found[5], "./calls.scenario").stdout)

    def test_a_run_that_learns_of_a_word_shows_no_race(self):
        for seed in range(1, 7):
            with self.subTest(seed=seed):
                result = self.run_it("fork_left_given_up", "--strategy", "random", "--seed", seed, "--schedules", 100)
                self.assertEqual(result.returncode, 0, result.stdout)

    def test_no_strategy_reads_older_stores_than_are_allowed(self):
        search = ("S3", "--weaken", "R3", "--schedules", "2000", "--seed", "1")
        for strategy, most in itertools.product(("pct", "random", "exhaustive"), (0, 1)):
            with self.subTest(strategy=strategy, most=most):
                scenario = pathlib.Path(__file__).with_name("S3.scenario")
                options = ["--strategy", strategy, "--stale", str(most), *search[1:]]
                command = [HAKSTRESS + "-explore", scenario, *options]
                said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
                self.assertIn("result scenario=S3 ", said)
                replay = re.search(r" replay=(\S+)", said)
                self.assertLessEqual(replay[1].count("~") if replay else 0, most)

    def test_nothing_is_found_with_all_changes(self):
        result = self.run_it("S1", "sticky", "hot", "bench", "--schedules", 2000)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(OK.match(self.last(result))[2], "4")

    def test_a_fault_replays_in_new_processes(self):
        found = self.find("hot", "1-3,5-6", "--strategy", "random")
        for _ in range(5):
            result = self.run_it("--replay", found[5], "--times", 20)
            self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
            self.assertIn("replay check=race same=20 of 20", result.stdout)

    def test_another_build_is_refused_unless_forced(self):
        found = self.find("S1", "1-5", "--strategy", "random")
        other = re.sub(r"@[0-9a-f]+", "@00000000", found[5])
        result = self.run_it("--replay", other)
        self.assertEqual(result.returncode, 2)
        self.assertIn("is of build 00000000", result.stderr)
        self.assertEqual(self.run_it("--replay", other, "--force").returncode, 1)

    def test_a_schedule_that_is_not_the_one_found_is_noticed(self):
        found = self.find("S1", "1-5", "--strategy", "random")
        other = re.sub(r"#[0-9a-f]+$", "#00000000", found[5])
        self.assertIn("same=0 of 1", self.run_it("--replay", other).stdout)

    def test_what_was_found_is_in_the_json_and_the_report(self):
        result = self.run_it("S1", "--changes", "1-5", "--strategy", "random", "--json", "out.json")
        found = FAULT.match(self.last(result))
        document = json.loads(pathlib.Path(self.folder.name, "out.json").read_text())
        self.assertEqual(document["fault"]["replay"], found[5])
        self.assertIn(found[5], pathlib.Path(self.folder.name, found[6]).read_text())

    def test_a_search_goes_on_where_it_was_interrupted(self):
        first = self.run_it("S1", "exit", "--strategy", "exhaustive", "--resume", "state")
        self.assertEqual(first.returncode, 0, first.stderr)
        second = self.run_it("S1", "exit", "--strategy", "exhaustive", "--resume", "state")
        figures = [OK.match(self.last(r)).groups()[1:6] for r in (first, second)]
        self.assertEqual(figures[0], figures[1])
        lines = pathlib.Path(self.folder.name, "state").read_text().splitlines()
        self.assertEqual(len(set(lines)), len(lines))  # a scenario that was explored again would have another line
        other = self.run_it("S1", "exit", "--strategy", "exhaustive", "--preemptions", 1, "--resume", "state")
        self.assertEqual(other.returncode, 2)

    def test_a_scenario_goes_on_where_it_was_interrupted(self):
        search = ("sticky", "--strategy", "exhaustive", "--preemptions", 3, "--jobs", 1)
        whole = self.run_it(*search)
        half = int(OK.match(self.last(whole))[3]) * 7 // 10
        self.run_it(*search, "--resume", "state", "--schedules", half)
        stood = pathlib.Path(self.folder.name, "state").read_text().splitlines()[1:]
        self.assertRegex(stood[0], r"^sticky@[0-9a-f]+ 0 at [0-9a-f]+:")
        rest = self.run_it(*search, "--resume", "state")
        figures = [OK.match(self.last(result)) for result in (whole, rest)]
        self.assertEqual([found[5] for found in figures], ["1", "1"])
        self.assertLess(int(figures[1][3]), half)  # it has forgotten which states it has seen

    def test_a_search_that_was_interrupted_at_once_leaves_nothing_out(self):
        """It has learned few words by then, so it must not go on at a place among more points than it knew."""
        search = ("S1", "--strategy", "exhaustive", "--preemptions", "none", "--jobs", 1)
        cut = 5
        whole = int(OK.match(self.last(self.run_it(*search)))[3])
        self.run_it(*search, "--resume", "state", "--schedules", cut)
        rest = OK.match(self.last(self.run_it(*search, "--resume", "state")))
        self.assertEqual(rest[5], "1")
        self.assertGreaterEqual(int(rest[3]), whole - cut)

    def ends(self, scenario, preemptions, shard):
        """Of a part: the states in which runs end, its schedules, and the words that it has learned."""
        worker = HAKSTRESS + "-explore"
        file = pathlib.Path(__file__).with_name(f"{scenario}.scenario")
        search = ("--strategy", "exhaustive", "--preemptions", str(preemptions), "--shard", shard, "--ends")
        # States have addresses, which are the same in each process with setarch -R.
        command = ["setarch", "-R", worker, file, *search]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.assertIn(" complete=1 ", said)
        figures = re.search(r" schedules=(\d+) .* words=(\w+) ", said)
        return set(re.findall(r"^end (\w+)$", said, re.MULTILINE)), int(figures[1]), figures[2]

    def test_parts_together_explore_what_the_whole_does(self):
        needed = 0  # parts without which an end is missing
        for scenario, preemptions, count in (("sticky", 2, 3), ("S1", 4, 5), ("exits", 1, 4), ("no_memory", 1, 3)):
            with self.subTest(scenario=scenario):
                whole, schedules, words = self.ends(scenario, preemptions, "0/1")
                parts = [self.ends(scenario, preemptions, f"{i}/{count}") for i in range(count)]
                self.assertEqual({part[2] for part in parts}, {words})
                self.assertEqual(set.union(*(part[0] for part in parts)), whole)
                needed += sum(set.union(*(p[0] for p in parts if p is not part)) != whole for part in parts)
                self.assertLess(max(part[1] for part in parts), schedules * 3 // 4)
        self.assertGreater(needed, 0)

    def test_a_part_alone_is_not_complete(self):
        options = ("S1", "--strategy", "exhaustive", "--jobs", 1, "--shard", "1/3", "--json", "part.json")
        self.assertEqual(OK.match(self.last(self.run_it(*options)))[5], "0")
        document = json.loads(pathlib.Path(self.folder.name, "part.json").read_text())
        scenario = document["scenarios"][0]
        self.assertEqual((scenario["complete"], scenario["part_complete"]), (False, True))

    def test_wrong_usage_is_refused(self):
        pathlib.Path(self.folder.name, "bad.scenario").write_text("thread A: frea a\n")
        for arguments in (
            ("S9",),
            ("--strategy", "clever"),
            ("--shard", "3/3"),
            ("--preemptions", "x"),
            ("--changes", "7"),
            ("--seconds", "soon"),
            ("--replay", "S1"),
            ("/none/such.scenario",),
            ("none.scenario",),
            ("random-x",),
            ("S1", "--html", "/none/such.html"),
            ("S1", "--force"),
            ("S1", "--times", "3"),
            ("--minimise", "S1@00000000:B"),
            ("bad.scenario",),
        ):
            with self.subTest(arguments=arguments):
                result = self.run_it(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
                self.assertRegex(result.stderr, r"\Ahakstress(-explore)?: [^\n]+\n\Z")
                self.assertNotIn("explore: ", result.stdout)


if __name__ == "__main__":
    unittest.main()
