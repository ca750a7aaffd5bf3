#!/usr/bin/env python3
"""hakstress run --fail-malloc: allocations fail as asked, and a crash that follows is traced to them.

usage: test_refused.py HAKSTRESS REFUSED
"""
import os
import re
import sys
import unittest

import test_cli
import test_run

REFUSED = ""


class Refused(test_run.RunCase):
    def refused(self, *way, fail=None, status, **more):
        options = ["--fail-malloc", fail] if fail else []
        result = self.run_command(REFUSED, *way, options=options, **more)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def evidence(self, result):
        fault = test_run.FAULT.search(result.stderr)
        return self.report(fault["report"])[1]["verdict"]["evidence"]

    def test_null_that_malloc_gave(self):
        result = self.refused("write", "5000", fail="5000+", status=139)
        told = [line for line in self.evidence(result) if "refused" in line]
        self.assertEqual(len(told), 1)
        place = r"make_buffer\(unsigned long\) \(refused.cpp:12\)"
        self.assertRegex(
            told[0], r"^malloc had just refused 5000 bytes in " + place + ", as an option asks$"
        )
        self.assertRegex(result.stderr, r"\nrun: --fail-malloc 5000\+: [12] allocations? failed in 1 process\n")

    def test_abort_in_guard_mode(self):
        result = self.refused("grow", "5000", fail="4K+", status=134, environment={"HAKMEM_GUARD": "1"})
        self.assertRegex("\n".join(self.evidence(result)), "malloc had just refused 5000 bytes in grow\(")

    def test_exception(self):
        self.refused("catch", "5000", fail="5000+", status=42)
        result = self.refused("throw", "5000", fail="5000+", status=134)
        self.assertRegex("\n".join(self.evidence(result)), "refused 5000 bytes in main ")

    def test_real_lack_of_memory(self):
        result = self.refused("limit", str(1 << 33), status=134)
        (told,) = [line for line in self.evidence(result) if "refused" in line]
        place = r"grow\(char\*, unsigned long\) \(refused.cpp:\d+\)"
        self.assertRegex(told, rf"^malloc had just refused {1 << 34} bytes in {place}$")

    def test_old_refusal_is_no_evidence(self):
        result = self.refused("late", "5000", fail="5000+", status=134)
        self.assertEqual([line for line in self.evidence(result) if "refused" in line], [])

    def test_one_by_number_in_each_process(self):
        """The last of the first process's is also counted in the child, from one."""
        first = next(n for n in range(1, 50) if self.counted("count", "20", n) == 1)
        self.refused("count-in-child", "20", fail=str(first + 4), status=11)
        self.refused("count-in-child", "20", fail="1000000", status=0)

    def counted(self, way, times, number):
        return self.run_command(REFUSED, way, times, options=["--fail-malloc", str(number)]).returncode

    def test_chance_repeats_with_its_seed(self):
        result = self.run_command(REFUSED, "count", "150", options=["--fail-malloc", "1/3"])
        found = re.search(r"run: --fail-malloc 1/3: (\d+) allocations failed in 1 process; seed (\d+)", result.stderr)
        self.assertTrue(found, result.stderr)
        if result.returncode < 128:  # the program's own start may have failed
            self.assertTrue(20 <= result.returncode <= 85, result.returncode)
        again = self.run_command(REFUSED, "count", "150", options=["--fail-malloc", "1/3", "--seed", found[2]])
        self.assertEqual((again.returncode, found[0] in again.stderr), (result.returncode, True), again.stderr)

    def test_usage(self):
        for wrong in ("0", "-3", "1/0", "1/x", "+", "5T+", "1/3+", "", "0x10"):
            result = self.run_command("true", options=[f"--fail-malloc={wrong}"])
            self.assertEqual((result.returncode, result.stdout), (2, ""), wrong)
            self.assertIn(f"not '{wrong}'", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    test_cli.HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    REFUSED = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
