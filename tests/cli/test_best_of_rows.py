#!/usr/bin/env python3
"""scripts/best_of_rows.py on results whose answer is known."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "best_of_rows.py"


def allocator(name, speeds, memory, key="ops_per_sec"):
    return {"name": name,
            "samples": [{"round": i, key: speed, "rss_peak_kib": memory} for i, speed in enumerate(speeds)]}


def row(*allocators, command=None):
    return {"name": "row", "command": command, "allocators": list(allocators)}


class BestOfRows(unittest.TestCase):
    def table(self, *rows, status=0, args=()):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"workloads": rows}, file)
            file.flush()
            process = subprocess.run([sys.executable, SCRIPT, file.name, *args], capture_output=True, text=True,
                                     check=False)
        self.assertEqual(process.returncode, status, process.stderr)
        return process.stdout if status == 0 else process.stderr

    def test_the_best_is_chosen_by_odd_rounds_and_compared_by_even_ones(self):
        out = self.table(row(allocator("hakmem", [6, 6] * 4, 30), allocator("even", [12, 2] * 4, 20),
                             allocator("odd", [3, 8] * 4, 10)))
        self.assertIn("| row | odd | 2.00 [2.00 .. 2.00] | odd | 3.00 [3.00 .. 3.00] |", out)
        self.assertIn("| **geometric mean** | | **2.00** | | **3.00** |", out)

    def test_a_command_is_faster_in_less_time(self):
        rows = [row(allocator("hakmem", [2] * 8, 1, "seconds"), allocator("fast", [1] * 8, 1, "seconds"),
                    allocator("slow", [4] * 8, 1, "seconds"), command=["x"])]
        out = self.table(*rows)
        self.assertIn("| row | fast | 2.00 [2.00 .. 2.00] |", out)
        self.assertIn("**0.50**", out)
        self.assertIn("| row | fast | 4.00", self.table(*rows, args=["slow"]))

    def test_one_that_failed_is_no_opponent(self):
        out = self.table(row(allocator("hakmem", [2] * 8, 1), allocator("crashed", [], 1),
                             allocator("other", [1] * 8, 1)))
        self.assertIn("| row | other | 2.00", out)
        self.assertIn("| row |  |  |  |  |",
                      self.table(row(allocator("hakmem", [2] * 8, 1), allocator("crashed", [], 1))))

    def test_wrong_use(self):
        self.assertIn("no allocator nobody",
                      self.table(row(allocator("hakmem", [1] * 4, 1)), status=1, args=["nobody"]))
        for args, status in (([], 2), (["--help"], 2), (["/no/such/file"], 1), ([__file__], 1)):
            process = subprocess.run([sys.executable, SCRIPT, *args], capture_output=True, text=True, check=False)
            self.assertEqual((process.returncode, process.stdout), (status, ""), args)


if __name__ == "__main__":
    unittest.main()
