#!/usr/bin/env python3
"""The workloads: what each does, the worker's latencies, its memory over time and its floor, and bench with them.

usage: test_workloads.py HAKSTRESS COUNTING_MALLOC
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = COUNTING_MALLOC = ""
LINE = re.compile(r"^ops=(\d+) seconds=([\d.]+) ops_per_sec=(\d+) rss_peak_kib=(\d+) rss_freed_kib=(\d+)$")
WITHOUT_FLOOR = {"prodcons", "xmalloc", "cache-scratch", "churn", "idle-owner", "trivial", "mstress", "fragment"}
NEW = {"alloctest", "cache-scratch", "cache-thrash", "idle-owner", "larson-sized"}
SLOW_SIZE, SLOW_NS = 4242, 50000  # as in counting_malloc.c


def beside(name):
    return os.path.join(os.path.dirname(os.path.realpath(HAKSTRESS)), name)


def environment(library=None):
    result = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}
    if library:
        result["LD_PRELOAD"] = library
    return result


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Figures:
    def __init__(self, out):
        lines = out.splitlines()
        match = LINE.match(lines[0])
        assert match, lines[0]
        self.ops, self.rate = int(match.group(1)), int(match.group(3))
        self.peak, self.freed = int(match.group(4)), int(match.group(5))
        self.latency, self.rss, self.lines = {}, None, lines
        for line in lines[1:]:
            words = line.split()
            if words[0] == "latency":
                values = dict(word.split("=") for word in words[2:])
                curve = [point.split(":") for point in values.pop("curve").split(",")]
                self.latency[words[1]] = {k: int(v) for k, v in values.items()}
                self.latency[words[1]]["curve"] = [(float(p), int(ns)) for p, ns in curve]
            elif words[0] == "rss":
                self.rss = [(float(s), int(kib)) for s, kib in (point.split(":") for point in words[1].split(","))]
            else:
                raise AssertionError(line)


class Case(unittest.TestCase):
    def worker(self, *arguments, library=None, program=None):
        return subprocess.run(
            [program or beside("hakstress-worker"), *arguments],
            env=environment(library),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def figures(self, *arguments, library=None):
        result = self.worker(*arguments, library=library)
        self.assertEqual(result.returncode, 0, result.stderr)
        return Figures(result.stdout)

    def hakstress(self, *arguments, directory):
        return subprocess.run(
            [HAKSTRESS, *arguments],
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def listed(self):
        with tempfile.TemporaryDirectory() as directory:
            result = self.hakstress("list", "workloads", "--json", "-", directory=directory)
            self.assertEqual(result.returncode, 0, result.stderr)
            return {w["name"]: w for w in json.loads(result.stdout)["workloads"]}


class Listed(Case):
    def test_everything_is_said(self):
        listed = self.listed()
        self.assertLessEqual(NEW, set(listed))
        for workload in listed.values():
            for key in ("summary", "source", "stresses"):
                self.assertTrue(workload[key], workload["name"])
                self.assertNotIn("\n", workload[key])
            self.assertEqual(workload["limit"] is None, workload["name"] in WITHOUT_FLOOR, workload["name"])
        stresses = [w["stresses"] for w in listed.values()]
        self.assertEqual(len(stresses), len(set(stresses)))

    def test_text_and_other_lists(self):
        with tempfile.TemporaryDirectory() as directory:
            text = self.hakstress("list", "workloads", directory=directory)
            self.assertEqual(text.stdout.count("\n  stresses: "), len(self.listed()))
            self.assertEqual(os.listdir(directory), [])
            result = self.hakstress("list", "events", "--json", "-", directory=directory)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("no JSON form", result.stderr)

    def test_bench_has_every_parameter(self):
        with tempfile.TemporaryDirectory() as directory:
            text = self.hakstress("bench", "--help", directory=directory).stdout
        for workload in self.listed().values():
            for param in workload["params"]:
                line = re.search(rf"^ +--{param['name']} .*(\n {{20,}}.*)*", text, re.MULTILINE)
                self.assertTrue(line, param["name"])
                self.assertIn(workload["name"], re.split(r"[\s:]+", line.group(0)))


class Work(Case):
    def test_count_decides(self):
        """The same number of operations in each thread, in bursts. The same seed repeats them."""
        for name in self.listed():
            with self.subTest(name):
                arguments = (name, "count=50", "threads=2", "seed=7")
                first, second = self.figures(*arguments), self.figures(*arguments)
                self.assertEqual(first.ops, second.ops)
                self.assertGreaterEqual(first.ops, 2 if name == "trivial" else 100)
                self.assertEqual(len(first.lines), 1)
        self.assertEqual(self.figures("larson-sized", "count=5000", "threads=3").ops, 15000)
        self.assertEqual(self.figures("cache-scratch", "count=32", "threads=2", "writes=1").ops, 64)
        self.assertEqual(self.figures("cache-thrash", "count=32", "threads=2", "writes=1").ops, 64)
        self.assertEqual(self.figures("alloctest", "count=640").ops, 640)
        bytes_, first, second = 1 << 20, 64, 512
        for name in ("idle-owner", "fragment"):
            ops = self.figures(name, "count=1", f"bytes={bytes_}", f"first={first}", f"second={second}").ops
            self.assertEqual(ops, bytes_ // first + bytes_ // second)

    def test_bad_arguments(self):
        for arguments, wanted in (
            (["alloctest", "places=0"], "places must be"),
            (["alloctest", "min=64", "max=32"], "min is greater than max"),
            (["cache-scratch", "writes=0"], "writes must be"),
            (["cache-thrash", "chunks=3"], "no parameter 'chunks'"),
            (["idle-owner", "bytes=1"], "bytes must be"),
            (["larson-sized", "min=9", "max=8"], "min is greater than max"),
            (["idle-owne"], "did you mean 'idle-owner'"),
            (["pair", "latency=2"], "latency must be"),
            (["pair", "limit=yes"], "limit must be"),
            (["pair", "rss_every=-1"], "rss_every must be"),
            (["pair", "latency=1", "limit=1"], "cannot be combined"),
            (["pair", "latency"], "KEY=VALUE"),
        ):
            result = self.worker(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn(wanted, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_sizes_reach_the_library(self):
        result = self.worker("larson-sized", "count=3000", "min=2", "max=500", library=COUNTING_MALLOC)
        self.assertEqual(result.returncode, 0, result.stderr)
        match = re.match(r"^sized=(\d+) wrong=0$", result.stderr.strip())
        self.assertTrue(match, result.stderr)
        self.assertEqual(int(match.group(1)), 3000 + 1024)  # each replacement, and the last set
        self.assertEqual(self.worker("larson", "count=3000", library=COUNTING_MALLOC).stderr, "")

    def test_idle_owner_needs_the_memory_of_one(self):
        """libhakmem reuses what others freed while the owner sleeps; the peak shows it."""
        library = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(HAKSTRESS)), "../lib/libhakmem.so"))
        mib, overhead = 1024, 8 * 1024
        figures = self.figures("idle-owner", "count=1", f"bytes={32 << 20}", library=library)
        self.assertGreater(figures.peak, 32 * mib)
        self.assertLess(figures.peak, 32 * mib + 32 * mib // 2 + overhead)
        half = self.figures("idle-owner", "count=1", f"bytes={16 << 20}", library=library)
        self.assertLess(half.peak, 0.8 * figures.peak)

    def test_fragment_leaves_holes(self):
        """Every other block stays by default, and the C library cannot reuse holes of 64 bytes."""
        holes = self.figures("fragment", "count=1").peak
        few = self.figures("fragment", "count=1", "keep=1000000").peak
        self.assertGreater(holes, 1.3 * few)
        self.assertEqual(self.figures("fragment", "count=1").ops, self.figures("fragment", "count=1", "keep=2").ops)


class Latency(Case):
    def check(self, latency):
        self.assertLessEqual(latency["p50"], latency["p99"])
        self.assertLessEqual(latency["p99"], latency["p999"])
        self.assertLessEqual(latency["p999"], latency["max"])
        percents, values = zip(*latency["curve"])
        self.assertEqual(percents, (50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100))
        self.assertEqual(sorted(values), list(values))
        self.assertEqual((values[0], values[4], values[6], values[8]),
                         tuple(latency[k] for k in ("p50", "p99", "p999", "max")))

    def test_every_workload(self):
        for name in self.listed():
            with self.subTest(name):
                figures = self.figures(name, "count=50", "threads=2", "latency=1")
                self.assertEqual(set(figures.latency), {"malloc", "free"})
                for latency in figures.latency.values():
                    self.check(latency)
                if figures.ops > 1000:
                    self.assertGreater(figures.latency["malloc"]["count"], 0)

    def test_one_in_sixteen(self):
        figures = self.figures("pair", "count=160000", "latency=1")
        for latency in figures.latency.values():
            self.assertAlmostEqual(latency["count"], figures.ops / 16, delta=1)
            self.assertLess(latency["p50"], 10000)
        self.assertGreater(figures.latency["malloc"]["p99"], 0)
        threads = self.figures("churn", "count=200", "latency=1")  # of 16 blocks each
        self.assertAlmostEqual(threads.latency["malloc"]["count"], 200, delta=1)

    def test_a_slow_malloc_is_seen(self):
        """The library also stays preloaded when the worker executes the timed one."""
        figures = self.figures("pair", "count=1000", f"size={SLOW_SIZE}", "latency=1", library=COUNTING_MALLOC)
        self.assertGreater(figures.latency["malloc"]["p50"], 0.98 * SLOW_NS)
        self.assertLess(figures.latency["malloc"]["curve"][0][1], 2 * SLOW_NS)
        self.assertLess(figures.latency["free"]["p50"], SLOW_NS / 2)

    def test_without_a_companion(self):
        with tempfile.TemporaryDirectory() as directory:
            alone = shutil.copy(beside("hakstress-worker"), directory)
            for key in ("latency=1", "limit=1"):
                result = self.worker("pair", key, program=alone)
                self.assertEqual((result.returncode, result.stdout), (3, ""))
                self.assertIn("cannot start", result.stderr)
            self.assertEqual(self.worker("pair", "count=1", program=alone).returncode, 0)


class MemoryOverTime(Case):
    def test_points(self):
        figures = self.figures("fragment", "seconds=0.6", "rss_every=1")
        seconds, kib = zip(*figures.rss)
        self.assertGreater(len(seconds), 20)
        self.assertLessEqual(len(seconds), 200)
        self.assertEqual(sorted(seconds), list(seconds))
        self.assertLess(kib[0], 10 * 1024)
        self.assertGreater(max(kib), 0.6 * figures.peak)
        self.assertLess(max(kib), 1.1 * figures.peak)
        self.assertAlmostEqual(kib[-1], figures.freed, delta=2048)

    def test_with_latencies_and_without(self):
        both = self.figures("pair", "seconds=0.1", "rss_every=10", "latency=1")
        self.assertEqual([line.split()[0] for line in both.lines[1:]], ["latency", "latency", "rss"])
        self.assertIsNone(self.figures("pair", "seconds=0.1").rss)


    def test_a_killed_worker_leaves_nobody_behind(self):
        worker = subprocess.Popen([beside("hakstress-worker"), "pair", "seconds=60", "rss_every=5"],
                                  stdout=subprocess.PIPE)

        def children():
            with open(f"/proc/{worker.pid}/task/{worker.pid}/children") as file:
                return file.read().split()

        end = time.monotonic() + 20
        while not children() and time.monotonic() < end:
            time.sleep(0.01)
        looker = children()[0]
        worker.kill()
        worker.communicate(timeout=20)
        while is_alive(looker) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(is_alive(looker))


class Limit(Case):
    def test_every_workload_has_one_or_says_so(self):
        for name in self.listed():
            with self.subTest(name):
                result = self.worker(name, "count=50", "threads=2", "limit=1")
                if name in WITHOUT_FLOOR:
                    self.assertEqual((result.returncode, result.stdout), (4, ""))
                    self.assertIn("no floor", result.stderr)
                    continue
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(Figures(result.stdout).ops, self.figures(name, "count=50", "threads=2").ops)

    def test_faster_than_the_c_library(self):
        """The best of a few runs each, because other processes can only slow one down."""
        for name, *more in (["pair"], ["batch"], ["batch-random"], ["larson", "rounds=1000"], ["rptest"], ["growth"]):
            with self.subTest(name):
                best = {"limit=0": 0, "limit=1": 0}
                for _ in range(8):
                    for key in best:
                        best[key] = max(best[key], self.figures(name, *more, "seconds=0.1", key).rate)
                    if best["limit=1"] > 1.1 * best["limit=0"]:
                        break
                self.assertGreater(best["limit=1"], best["limit=0"])


class Bench(Case):
    def bench(self, *arguments):
        with tempfile.TemporaryDirectory() as directory:
            result = self.hakstress("bench", *arguments, "--lib", "none", directory=directory)
            self.assertEqual(result.returncode, 0, result.stderr)
            names = os.listdir(os.path.join(directory, "results"))
            self.assertEqual(len(names), 1)
            with open(os.path.join(directory, "results", names[0])) as file:
                return result.stdout, json.load(file)

    def test_latency(self):
        out, document = self.bench("pair", "growth", "--count", "200", "--runs", "2", "--latency", "--to", "4096")
        row = document["workloads"][0]
        self.assertEqual(len(row["runs"]), 2)
        for kind in ("malloc", "free"):
            latency = row["latency"][kind]
            line = re.search(rf"^  {kind} +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", out, re.MULTILINE)
            self.assertEqual([int(x) for x in line.groups()],
                             [latency[k] for k in ("count", "p50", "p99", "p999", "max")])
            self.assertEqual(latency["curve"][-1], [100.0, latency["max"]])
        self.assertEqual(len(document["workloads"]), 2)
        self.assertTrue(row["stresses"])
        self.assertTrue(row["source"])

    def test_without(self):
        out, document = self.bench("cache-thrash", "--count", "16", "--writes", "5", "--runs", "1")
        self.assertIsNone(document["workloads"][0]["latency"])
        self.assertEqual(document["workloads"][0]["params"]["writes"], 5)
        self.assertNotIn("p99", out)

    def test_nothing_timed(self):
        out, document = self.bench("trivial", "--blocks", "0", "--runs", "1", "--latency")
        self.assertEqual(document["workloads"][0]["latency"], {"malloc": None, "free": None})
        self.assertIn("\n  malloc                 0\n", out)

    def test_no_columns_without_a_row(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "text.so"), "w") as file:
                file.write("no library\n")
            result = self.hakstress("bench", "pair", "--lib", "text.so", "--latency", directory=directory)
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertRegex(result.stdout, r"\Abench: lib=.*\n\Z")

    def test_wrong_usage(self):
        with tempfile.TemporaryDirectory() as directory:
            for arguments, wanted in (
                (["pair", "--writes", "3"], "--writes is not a parameter of pair"),
                (["alloctest", "--places", "0"], "places"),
                (["pair", "--latency=1"], "takes no value"),
                (["pair:size=32"], "hakstress bench pair --size 32\n"),
                (["batch:size=32,blocks=5"], "hakstress bench batch --size 32 --blocks 5\n"),
                (["larson:threads=2"], "hakstress bench larson --threads 2\n"),
                (["batch:size=32,bar=5"], "batch has no parameter 'bar'; see: hakstress list workloads\n"),
                (["batch:siz=32"], "batch has no parameter 'siz'; see: hakstress list workloads\n"),
                (["pair:"], "did you mean 'pair'"),
            ):
                result = self.hakstress("bench", *arguments, directory=directory)
                self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
                self.assertIn(wanted, result.stderr)


if __name__ == "__main__":
    HAKSTRESS, COUNTING_MALLOC = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
