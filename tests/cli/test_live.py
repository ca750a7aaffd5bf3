#!/usr/bin/env python3
"""A process that has the library, read from outside while it runs (hakstress stats, top), and its own statistics.

usage: test_live.py HAKSTRESS LIBHAKMEM LIBHAKMEM_CHECKED"""

import csv
import io
import json
import os
import re
import subprocess
import sys
import unittest

HAKSTRESS, LIBRARY, CHECKED = (os.path.abspath(name) for name in sys.argv[1:4])
PARTS = [f"memory_{part}" for part in ("live", "cached", "gaps", "free", "tables")]
TIMEOUT = 60

# Holds N blocks of 1000 bytes beside others, frees some, and waits.
PROGRAM = """
import ctypes, sys
malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def take(size, count):
    blocks = [malloc(size) for _ in range(count)]
    for block in blocks: ctypes.memset(block, 1, size)
    return blocks
kept = [take(size, count) for size, count in ((24, 40000), (700, 9000), (40000, 300), (5000000, 3))]
for blocks in kept[:3]:
    while len(blocks) % 4: free(blocks.pop())
for block in kept[1][::2]: free(block)
print("ready", flush=True)
for line in sys.stdin:
    more = take(int(line), 1000)
    print("done", flush=True)
"""


class Process:
    """The program, under a library."""

    def __init__(self, library, **variables):
        self.child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "LD_PRELOAD": library, **variables})
        self.pid = self.child.pid
        assert self.child.stdout.readline() == "ready\n"

    def take(self, size):
        self.child.stdin.write(f"{size}\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == "done\n"

    def end(self):
        _, told = self.child.communicate(timeout=TIMEOUT)
        assert self.child.returncode == 0, told
        return told

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.communicate()


def hakstress(*words):
    return subprocess.run([HAKSTRESS, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT, check=False)


def stats(pid):
    done = hakstress("stats", pid, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["processes"][0]


def resident(pid, told):
    """Bytes in memory by /proc/PID/smaps: (the allocator's, others')."""
    ours, others, ranges = 0, 0, [(told[f"{name}_start"], told[f"{name}_end"]) for name in ("heap", "tables")]
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as lines:
        for line in lines:
            start = re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line)
            if start:
                is_ours = any(low <= int(start[1], 16) < high for low, high in ranges)
            elif line.startswith("Rss:"):
                bytes_ = int(line.split()[1]) << 10
                ours, others = ours + bytes_ * is_ours, others + bytes_ * (not is_ours)
    return ours, others


def of_size(told, size):
    """The class that serves a size."""
    return min((row for row in told["classes"] if row["size"] >= size), key=lambda row: row["size"])


class Outside(unittest.TestCase):
    def test_the_parts_add_up_to_what_the_system_says(self):
        with Process(LIBRARY) as process:
            told = stats(process.pid)
            ours, others = resident(process.pid, told)
        self.assertLess(abs(sum(told[part] for part in PARTS) - ours), 0.02 * ours)
        self.assertLess(abs(told["memory_others"] - others), 0.02 * (ours + others))
        self.assertLess(abs(told["rss"] - ours - others), 0.02 * told["rss"])
        self.assertGreater(told["memory_live"], 30 << 20)

    def test_live_blocks_are_counted_exactly(self):
        for library in (LIBRARY, CHECKED):
            with self.subTest(library=library), Process(library) as process:
                before = stats(process.pid)
                process.take(7000)
                after = stats(process.pid)
                gained = of_size(after, 7000)["live"] - of_size(before, 7000)["live"]
                self.assertLess(abs(gained - 1000), 3)  # the interpreter may take some of that size
                self.assertGreater(after["mallocs"] - before["mallocs"], 990)
                self.assertEqual(after["counts_exact"], library == CHECKED)

    def test_what_bins_hold_is_not_live(self):
        with Process(LIBRARY) as process:
            told = stats(process.pid)
        row = of_size(told, 700)
        self.assertGreater(row["cached"], 0)
        self.assertLess(abs(row["live"] - 4500), 40)

    def test_every_form_has_every_figure(self):
        with Process(LIBRARY) as process:
            told = stats(process.pid)
            table = list(csv.DictReader(io.StringIO(hakstress("stats", process.pid, "--csv").stdout)))
            prometheus = hakstress("stats", process.pid, "--prometheus").stdout
            text = hakstress("stats", process.pid).stdout
        self.assertEqual(len(table), 1)
        for name in ("live_bytes", "rss", "memory_gaps", "tls_slab_tried"):
            self.assertIn(name, table[0])
        self.assertEqual(int(table[0]["live_bytes"]), told["live_bytes"])
        self.assertIn(f'hakmem_live_bytes{{pid="{process.pid}"}} {told["live_bytes"]}\n', prometheus)
        names = re.findall(r"^# TYPE (\S+)", prometheus, re.M)
        self.assertEqual(len(names), len(set(names)))
        self.assertRegex(text.splitlines()[0], rf"process {process.pid}$")
        self.assertLess(text.index("where the memory is"), text.index("internals"))

    def test_top_shows_processes_and_rates(self):
        with Process(LIBRARY) as process:
            done = hakstress("top", "--count", 1)
            self.assertRegex(done.stdout, rf"(?m)^ *{process.pid} python")
            command = [HAKSTRESS, "top", str(process.pid), "--count", "2"]
            top = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            first = top.stdout.readline() + top.stdout.readline()
            process.take(3000)
            rest = top.communicate(timeout=TIMEOUT)[0]
        self.assertIn(str(process.pid), first)
        row = next(line.split() for line in rest.splitlines() if line.split()[:1] == [str(process.pid)])
        self.assertGreater(float(row[-3]), 100, "malloc/s")

    def test_who_cannot_be_read_is_told_why(self):
        with subprocess.Popen(["sleep", "60"]) as other:
            done = hakstress("stats", other.pid)
            other.kill()
        self.assertEqual(done.returncode, 3)
        self.assertIn("does not have libhakmem", done.stderr)
        self.assertEqual(hakstress("stats").returncode, 2)
        self.assertEqual(hakstress("stats", "12x").returncode, 2)
        done = hakstress("stats", other.pid)
        self.assertIn("does not exist", done.stderr)


class AtExit(unittest.TestCase):
    def test_the_text_begins_with_what_a_user_asks(self):
        with Process(LIBRARY, HAKMEM_STATS="text") as process:
            text = process.end()
        self.assertRegex(text, rf"^libhakmem \S+ \(release build\), process {process.pid}\n")
        head = text[:text.index("where the memory is")]
        for word in ("command", "uptime", "rss", "live", "mallocs          at least", "most of it"):
            self.assertIn(word, head)
        self.assertGreater(text.index("internals"), text.index("by size"))

    def test_the_line_is_the_same_as_from_outside(self):
        with Process(CHECKED, HAKMEM_STATS="json") as process:
            outside = stats(process.pid)
            inside = json.loads(process.end().splitlines()[-1])
        self.assertEqual(outside.keys(), inside.keys())
        self.assertLess(abs(sum(inside[part] for part in PARTS) + inside["memory_others"] - inside["rss"]),
                        0.02 * inside["rss"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
