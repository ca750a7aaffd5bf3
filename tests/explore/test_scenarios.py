#!/usr/bin/env python3
"""The language of scenarios: a bad file gets file, line and what was expected; a good one runs.

usage: test_scenarios.py HAKSTRESS_EXPLORE"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
GOOD = "setup A: a=malloc 64\nthread A: free a\n"

BOUNDS = "'slabs', 'superslabs', 'dirty', 'mapped', 'calls', 'looking' or the name of a step"
OPTION = "expected the name of an option that is explored, as TINY_FAST_CAP"
TWICE = "block 'a' is freed, or given to realloc, twice"

# (text, line, what the message says)
BAD = [
    ("", 1, "expected a line 'thread'"),
    ("setup A: a=malloc 64\n", 1, "expected a line 'thread'"),
    ("colour A\n", 1, "expected size, setup, thread, set, failures, bound, reach, expect or search, not 'colour'"),
    ("thread G: flush\n", 1, "expected a thread, A to F, not 'G'"),
    ("thread AB: flush\n", 1, "expected a thread, A to F, not 'AB'"),
    ("thread A flush\n", 1, "expected ':', not 'flush'"),
    ("thread A: malloc\n", 1, "expected a size, or a name from a line 'size' at the end of the line"),
    ("thread A: malloc big\n", 1, "expected a size, or a name from a line 'size', not 'big'"),
    ("thread A: malloc 0\n", 1, "expected a size from 1 to 16777216, not '0'"),
    ("thread A: malloc 17M\n", 1, "expected a size from 1 to 16777216, not '17M'"),
    ("thread A: malloc 64 free a\n", 1, "expected ',' or the end of the line, not 'free'"),
    ("thread A: flush,\n", 1, "expected an operation at the end of the line"),
    ("thread A: frea a\n", 1, "not 'frea'"),
    ("\n\nthread A: free a\n", 3, "no operation makes block 'a'"),
    ("thread A: a=malloc 64, a=malloc 64\n", 1, "block 'a' is made twice"),
    ("thread A: a=flush\n", 1, "'flush' makes no block"),
    ("thread A: a=2*malloc 64\n", 1, "a block with a name is made once"),
    ("thread A: 5000*malloc 64\n", 1, "expected a number from 1 to 4096, not '5000'"),
    ("setup A: a=malloc 64\nthread A: realloc a 128\n", 2, "the block that realloc returns needs a name"),
    ("thread A: flush\nsetup A: flush\n", 2, "the setup comes before the threads"),
    ("thread A: start A\n", 1, "thread A never starts; a thread that begins has to start it"),
    ("thread A: flush\nthread B: start C\nthread C: start B\n", 3, "thread B never starts"),
    ("setup A: start B\nthread A: flush\n", 1, "a thread starts another one in its program, not in the setup"),
    ("setup A: fork\nthread A: flush\n", 1, "'fork' belongs into the program of a thread, not into the setup"),
    ("setup A: copy\nthread A: flush\n", 1, "'copy' belongs into the program of a thread, not into the setup"),
    ("setup A: fail 3\nthread A: flush\n", 1, "'fail' belongs into the program of a thread, not into the setup"),
    ("thread A: occupy 2M\n", 1, "'occupy' belongs into the setup, not into the program of a thread"),
    ("thread A: free a\nthread B: free a\nthread C: a=malloc 64\n", 2, TWICE),
    ("setup A: a=malloc 64\nthread A: b=realloc a 9, free a\n", 2, TWICE),
    ("set TINY_FAST_CAP\nthread A: flush\n", 1, "expected a value at the end of the line"),
    ("set NO_SUCH 1\nthread A: flush\n", 1, f"{OPTION}, not 'NO_SUCH'"),
    ("set TINY_FAST_CAP soon\nthread A: flush\n", 1, "expected a value that HAKMEM_TINY_FAST_CAP takes, not 'soon'"),
    ("setup A: a=malloc 64, free a, free a\nthread A: flush\n", 1, "the setup has no block 'a' at this place"),
    ("setup A: free a\nsetup A: a=malloc 64\nthread A: flush\n", 1, "the setup has no block 'a' at this place"),
    ("failures 9\nthread A: flush\n", 1, "expected a number from 1 to 8, not '9'"),
    ("bound pages 3\nthread A: flush\n", 1, f"expected {BOUNDS}, not 'pages'"),
    ("bound calls\nthread A: flush\n", 1, "expected how many at the end of the line"),
    ("expect b\nthread A: flush\n", 1, "expected 'at', 'off', 'in' or 'outside' at the end of the line"),
    ("expect b on a\nthread A: flush\n", 1, "expected 'at', 'off', 'in' or 'outside', not 'on'"),
    ("setup A: a=malloc 64\nthread A: flush\nexpect a at b\n", 3, "no operation makes block 'b'"),
    ("search depth 3\nthread A: flush\n", 1, "expected 'preemptions' or 'stale', not 'depth'"),
    ("search stale 4\nthread A: flush\n", 1, "expected a number from 0 to 3, not '4'"),
    ("thread A: 3*tick 10\n", 1, "'tick' is done once; malloc and calloc can be repeated"),
    ("setup A: a=malloc 64\nthread A: 2*free a\n", 2, "'free' is done once"),
    ("size s 64\nsize s 128\nthread A: malloc s\n", 2, "size 's' is given twice"),
    ("set RESERVE 1\nset RESERVE 2\nthread A: flush\n", 2, "option RESERVE is set twice"),
    ("set CHANGES none\nthread A: flush\n", 1, f"{OPTION}, not 'CHANGES'"),
    ("set GUARD 1\nthread A: flush\n", 1, f"{OPTION}, not 'GUARD'"),
    ("thread A: malloc 18014398509481985K\n", 1, "expected a size from 1 to 16777216, not '18014398509481985K'"),
    ("thread A: flash\r\n", 1, "lock_streams, unlock_streams, occupy, tick, fail), not 'flash'"),
    ("thread A: tick\n", 1, "expected a number at the end of the line"),
]


def run(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "some.scenario"
        path.write_text(text)
        command = [PROGRAM, str(path), "--strategy", "random", "--schedules", "20"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return result.returncode, result.stdout, result.stderr.replace(str(path), "FILE")


class Scenarios(unittest.TestCase):
    def test_bad_ones_are_refused_with_the_line_and_what_was_expected(self):
        for text, line, message in BAD:
            with self.subTest(text=text):
                status, _, said = run(text)
                self.assertEqual(status, 2, said)
                self.assertIn(f"FILE:{line}: ", said)
                self.assertIn(message, said)

    def test_lines_may_end_as_elsewhere(self):
        status, said, errors = run(GOOD.replace("\n", "\r\n"))
        self.assertEqual(status, 0, errors + said)

    def test_a_name_that_no_schedule_can_carry_is_refused(self):
        names = ("my scen", "S1-A2", "x@y", "a" * 64, "dot.dot", "é")
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                with self.subTest(name=name):
                    path = pathlib.Path(folder) / f"{name}.scenario"
                    path.write_text(GOOD)
                    result = subprocess.run([PROGRAM, str(path)], capture_output=True, text=True, check=False)
                    self.assertEqual(result.returncode, 2, result.stdout)
                    self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                    self.assertIn("expected a file name of letters, digits and '_', at most 63", result.stderr)

    def test_a_long_path_is_told_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder).joinpath(*["d" * 100] * 6) / "some.scenario"
            path.parent.mkdir(parents=True)
            path.write_text("colour A\n")
            result = subprocess.run([PROGRAM, str(path)], capture_output=True, text=True, check=False)
            self.assertIn(f"{path}:1: expected size, setup", result.stderr)

    def test_text_that_is_not_utf8_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "some.scenario"
            path.write_bytes(b"# caf\xe9\n" + GOOD.encode())
            result = subprocess.run([PROGRAM, str(path)], capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn("expected a text in UTF-8 of less than 65536 bytes", result.stderr)

    def test_a_good_one_runs(self):
        status, said, errors = run(GOOD)
        self.assertEqual(status, 0, errors)
        self.assertIn("result scenario=some schedules=20 ", said)

    def test_sizes_have_names_and_comments_are_skipped(self):
        text = "# what it shows\nsize s 1K\nset TINY_FAST_CAP 2\n\n"
        text += "thread A: 3*malloc s, b=malloc s  # four\nthread B: free b\n"
        status, said, errors = run(text)
        self.assertEqual(status, 0, errors + said)

    def test_a_bound_that_does_not_hold_is_a_fault(self):
        status, said, _ = run("bound slabs 1\nthread A: a=malloc 64, b=malloc 1024\n")
        self.assertEqual(status, 1)
        self.assertIn("check=bound", said)
        self.assertIn(" replayed=3/3 ", said)
        status, said, _ = run("bound slabs 2\nthread A: a=malloc 64, b=malloc 1024\n")
        self.assertEqual(status, 0, said)

    def test_each_bound_and_expectation_that_does_not_hold_is_a_fault(self):
        program = "setup A: a=malloc 16384\nthread A: free a, trim, b=malloc 16384, c=malloc 3M\n"
        for line, check in (
            ("bound calls 0", "bound"),
            ("bound F1 0", "bound"),
            ("bound mapped 6143", "bound"),
            ("reach calls 10", "bound"),
            ("reach F1 3", "bound"),
            ("expect b off a", "placement"),
            ("expect b outside a", "placement"),
            ("expect c at a", "placement"),
            ("expect c in b", "placement"),
        ):
            with self.subTest(line=line):
                status, said, _ = run(program + line + "\n")
                self.assertEqual(status, 1, said)
                self.assertIn(f"check={check} ", said)
        lines = "bound calls 9\nreach F1 2\nexpect b at a\nexpect b in a\nexpect c off a\nexpect c outside b\n"
        status, said, errors = run(program + lines)
        self.assertEqual(status, 0, said + errors)
        status, said, _ = run("bound dirty 0\nthread A: a=malloc 3M, free a\n")
        self.assertIn("check=bound ", said)

    def test_discard_frees_the_oldest_blocks_without_a_name(self):
        text = "set TINY_FAST_CAP 0\nsetup A: a=malloc 16384, 2*malloc 16384, b=malloc 16384\n"
        status, said, errors = run(text + "thread A: discard 1, c=malloc 16384, free c, discard 5\nexpect c in a\n")
        self.assertEqual(status, 0, said + errors)

    def test_more_than_a_run_can_hold_is_no_fault(self):
        for text, message in (
            ("thread A: 1100*malloc 64\nthread B: 1100*malloc 64\n", "there are more than 2048 blocks"),
            ("thread A: 2000*malloc 4096\nthread B: 40*malloc 4096\n", "thread A does more than a run can hold"),
        ):
            with self.subTest(text=text):
                status, said, errors = run(text)
                self.assertEqual(status, 2, said)
                self.assertIn(f"hakstress-explore: some: {message}", errors)
                self.assertNotIn("fault ", said)

    def test_programs_that_wait_for_each_other_are_no_fault(self):
        for text in (
            "thread A: free a, a=malloc 64\n",
            "thread A: free b, a=malloc 64\nthread B: free a, b=malloc 64\n",
            "setup A: a=malloc 64\nthread A: free a\nthread B: touch a\n",
        ):
            with self.subTest(text=text):
                status, said, errors = run(text)
                self.assertEqual(status, 2, said)
                self.assertIn("nobody can go on", errors)
                self.assertNotIn("fault ", said)

    def test_random_scenarios_are_the_same_each_time(self):
        def outcome(name):
            command = [PROGRAM, name, "--strategy", "random", "--schedules", "50"]
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout

        words = [outcome(f"random-{n}").split(" words=")[1] for n in (3, 3, 4)]
        self.assertEqual(words[0], words[1])
        self.assertNotEqual(words[0], words[2])


if __name__ == "__main__":
    unittest.main()
