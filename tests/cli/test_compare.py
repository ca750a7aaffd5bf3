#!/usr/bin/env python3
"""hakstress compare: what it writes, how it refuses, and how it ends.

usage: test_compare.py HAKSTRESS SLOW_SHIM LIBHAKMEM OWN_MALLOC LINKED_MALLOC
"""
import contextlib
import csv
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = SHIM = LIBHAKMEM = OWN_MALLOC = LINKED_MALLOC = ""
# On busy machines the A/A run may find that nothing can be measured. It makes a hundred runs.
SHORT = ["--rounds", "2", "--seconds", "0.002", "--noise", "100000", "--seed", "1"]
# Where the rates matter, a run lasts longer than what may interrupt it.
STEADY = [*SHORT, "--seconds", "0.02"]


def clean_environment(**more):
    left_out = ("HAKMEM_", "SHIM_", "LD_PRELOAD", "NO_COLOR", "TERM")
    return {k: v for k, v in os.environ.items() if not k.startswith(left_out)} | more


def children_of(pid):
    """Each child of the process, with its command line."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(child) for child in file.read().split()]
        return [(child, pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")) for child in children]
    except (FileNotFoundError, ProcessLookupError):
        return []


def children_run(pid, words):
    """Does the process have a child whose command line contains the words?"""
    return any(words in " ".join(command).replace("=", " ") for _, command in children_of(pid))


def runs(*command):
    """Is there a process with this command line? A zombie has none."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # any may end meanwhile
            line = pathlib.Path("/proc", name, "cmdline").read_bytes()
            if line.rstrip(b"\0").split(b"\0") == [word.encode() for word in command]:
                return True
    return False


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.002)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def popen(self, *args, **environment):
        return subprocess.Popen([HAKSTRESS, "compare", *args], cwd=self.directory.name, stdin=subprocess.DEVNULL,
                                env=clean_environment(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def compare(self, status, *args, **environment):
        """Repeated if the A/A run found a difference, which it may once in a hundred times."""
        for _ in range(3):
            process = self.popen(*args, **environment)
            out, err = process.communicate(timeout=100)
            if process.returncode != 4 or status == 4:
                break
            shutil.rmtree(self.path("results"))
        self.assertEqual(process.returncode, status, out + err)
        return out, err

    def one_line(self, status, *args, **environment):
        """Refused with one line and nothing written."""
        out, err = self.compare(status, *args, **environment)
        self.assertEqual(out, "")
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertTrue(err.startswith("hakstress: "), err)
        return err

    def document_in(self, page):
        with open(self.path(page), encoding="utf-8") as file:
            return json.loads(re.search(r'<script type="application/json" id="document">(.*?)</script>', file.read(),
                                        re.S)[1])

    def document(self):
        folder = self.path("results")
        names = [name for name in os.listdir(folder) if name.endswith(".json") and ".crash" not in name]
        self.assertEqual(len(names), 1, names)
        with open(os.path.join(folder, names[0])) as file:
            return json.load(file)


class Earlier(Case):
    """Against the result of an earlier run."""

    WORK = ["--seconds", "0.002", "--rounds", "5", "--noise", "100000", "--allocators", "glibc,x"]

    def test_loss(self):
        then, shim = self.path("then.json"), f"x={SHIM}"
        self.compare(0, *self.WORK, "--allocator", shim, "--json", then, "pair")
        with open(then) as file:
            document = json.load(file)
        document["machine"]["processors"] = 4711
        with open(then, "w") as file:
            json.dump(document, file)
        slower = ["--allocator", shim + ",SHIM_SPIN=3000", "--baseline", then]
        now = self.path("now.json")
        out, _ = self.compare(1, *self.WORK, *slower, "--gate", "30%", "--json", now, "pair", "batch")
        self.assertRegex(out, r"\n  pair +x +speed +0\.\d+ \[0\.\d+ \.\. 0\.\d+\]  LOSS\n")
        self.assertIn("this is not the machine of then: processors is", out)
        self.assertIn("not compared: batch under x", out)
        self.assertIn("\ngate: 1 loss of more than 30 %\n", out)
        with open(now) as file:
            earlier = json.load(file)["earlier"]
        self.assertEqual([(row["metric"], row["loss"]) for row in earlier["rows"]],
                         [("speed", True), ("rss_peak", False)])

    def test_wrong_usage(self):
        path = self.path("other.json")
        pathlib.Path(path).write_text('{"kind": "bench"}')
        for args, words in ((["--baseline", path], "is no result of hakstress compare"),
                            (["--baseline", self.path("none.json")], "cannot read"),
                            (["--gate", "3%"], "--gate needs an earlier run"),
                            (["--prepare", "true"], "are for a command of yours")):
            self.assertIn(words, self.one_line(2, *args, "pair"))

    def test_commands_around_each_run(self):
        log = self.path("log")
        around = ["--prepare", f"echo before >> {log}", "--cleanup", f"echo after >> {log}"]
        command = ["--", "sh", "-c", f"echo run >> {log}"]
        self.compare(0, *self.WORK[:-1], "glibc,hakmem", "--rounds", "2", *around, *command)
        lines = pathlib.Path(log).read_text().split()
        self.assertEqual(lines, ["before", "run", "after"] * (len(lines) // 3))
        self.assertEqual(len(lines) // 3, 6)


class Sweep(Case):
    """One parameter with several values."""

    BOTH = [*SHORT, "--allocators", "glibc,hakmem"]

    def sweeps(self):
        return [(row["name"], row["sweep"]["of"], row["sweep"]["value"]) for row in self.document()["workloads"]]

    def test_workloads(self):
        out, _ = self.compare(0, *self.BOTH, "--sweep", "size=16..64*2", "pair", "batch:threads=2")
        of = ("pair:", "pair"), ("batch:threads=2,", "batch:threads=2")
        self.assertEqual(self.sweeps(), [(f"{start}size={n}", name, n) for start, name in of for n in (16, 32, 64)])
        self.assertEqual([row["params"]["size"] for row in self.document()["workloads"]], [16, 32, 64] * 2)
        self.assertRegex(out, r"\npair by size: .*\nsize +glibc +hakmem\n16 .*\n32 .*\n64 .*\n\n"
                              r"batch:threads=2 by size: ")

    def test_threads(self):
        self.compare(0, *self.BOTH, "--sweep", "threads=1..3+2", "pair")
        self.assertEqual([row["threads"] for row in self.document()["workloads"]], [1, 3])

    def test_a_command_with_words(self):
        log = self.path("log")
        command = ["--", "sh", "-c", f"echo '{{n}}-{{n}} {{m}}' >> {log}"]
        self.compare(0, *self.BOTH, "--sweep", "n=0,a b", "--prepare", f"echo prepare {{n}} >> {log}", *command)
        self.assertEqual(self.sweeps(), [("sh:n=0", "sh", 0), ("sh:n=a b", "sh", "a b")])
        lines = pathlib.Path(log).read_text().splitlines()
        self.assertEqual({line: lines.count(line) for line in lines},
                         {"0-0 {m}": 6, "a b-a b {m}": 6, "prepare 0": 6, "prepare a b": 6})

    def test_wrong_usage(self):
        for args, words in (
            (["threads=1,2"], "needs a workload"),
            (["threads", "pair"], "NAME=A,B,C"),
            (["=1", "pair"], "NAME=A,B,C"),
            (["threads=", "pair"], "a value is missing"),
            (["threads=1,,2", "pair"], "a value is missing"),
            (["threads=1,2,1", "pair"], "the value '1' twice"),
            (["threads=4..1", "pair"], "has to go up"),
            (["threads=1..4*1", "pair"], "has to go up"),
            (["threads=1..4+0", "pair"], "has to go up"),
            (["threads=1..100", "pair"], "too many values: at most 64"),
            (["threads=1..40", "pair", "larson"], "2 workloads with 40 values each; at most 64 rows"),
            (["sise=1", "pair"], "no parameter 'sise'"),
            (["size=0", "pair"], "from 1 to"),
            (["size=1..x", "pair"], "not '1..x'"),
            (["size=1,2", "pair:size=3"], "--sweep sets size; leave it out"),
            (["threads=1", "--threads", "2", "pair"], "leave out --threads"),
            (["threads=1", "--sweep", "size=1", "pair"], "only one --sweep"),
            (["min=200", "larson"], "min is greater than max"),
            (["n=1", "--", "echo", "{m}"], "{n} occurs nowhere in the command"),
        ):
            with self.subTest(args):
                self.assertIn(words, self.one_line(2, "--sweep", *args))


class Usage(Case):
    def test_wrong_usage(self):
        for args, words in (
            (["larsn"], "did you mean 'larson'"),
            (["pair", "pair"], "twice"),
            (["pair:sise=3"], "no parameter 'sise'"),
            (["pair:size=0"], "from 1 to"),
            (["larson:min=100,max=10"], "min is greater than max"),
            (["--allocators", "glibc,hakmen", "pair"], "did you mean 'hakmem'"),
            (["--allocators", "glibc", "pair"], "nothing to compare"),
            (["--baseline", "nosuch", "pair"], "no allocator 'nosuch'"),
            (["--allocator", "=x", "pair"], "NAME=FILE"),
            (["--allocator", "hakmem,NOT-A-VARIABLE", "pair"], "not of the form VARIABLE=VALUE"),
            (["--allocator", "glibc=" + SHIM, "pair"], "already"),
            (["--rounds", "1", "pair"], "from 2 to"),
            (["--budget", "0", "pair"], "above 0"),
            (["larson", "--min", "16"], "after its name: larson:min=16"),
            (["--size=32", "batch"], "after its name: pair:size=32"),
            (["larson:"], "no parameter follows the colon"),
            (["trace:"], "the name of a file is missing"),
            (["--allocators", "", "pair"], "needs names: A,B,C"),
            (["gcc"], "put a command after --: hakstress compare [OPTIONS] -- gcc"),
            (["gcc", "-O2", "-c", "x.c"], "put a command after --: hakstress compare [OPTIONS] -- gcc"),
            (["pair", "-O2"], "options begin with --"),
            (["--json", "-", "--csv", "-", "pair"], "only one of --json -"),
            (["--csv", "-", "--markdown", "-", "pair"], "only one of --json -"),
            (["--html", "-", "pair"], "--html needs the name of a file"),
            (["pair", "--", "true"], "not both"),
            (["--"], "put a command after --"),
            (["--threads", "2", "--", "true"], "leave out --threads"),
        ):
            with self.subTest(args):
                self.assertIn(words, self.one_line(2, *args))
        self.assertFalse(os.path.exists(self.path("results")))

    def test_wrong_options_of_an_allocator(self):
        for setting, words in (
            ("typo=hakmem,HAKMEM_TINY_USE_SUPERSLAP=0", "did you mean HAKMEM_TINY_USE_SUPERSLAB?"),
            ("hakmem,HAKMEM_RESERVE=0,HAKMEM_TINY_USE_SUPERSLAB=2",
             "HAKMEM_TINY_USE_SUPERSLAB must be 0 to 1, not '2'"),
            ("a=hakmem,HAKMEM_CHANGES=1-9", "HAKMEM_CHANGES must be all, none"),
        ):
            with self.subTest(setting):
                err = self.one_line(2, "--allocator", setting, "pair")
                self.assertIn(words, err)
                self.assertIn(f"--allocator {setting}: ", err)

    def test_what_is_missing(self):
        with open(self.path("text.so"), "w") as file:
            file.write("no library\n")
        text = ["--allocators", "glibc,bad", "--allocator", "bad=text.so"]
        err = self.one_line(3, *SHORT, *text, "pair")
        self.assertRegex(err, r"malloc comes from /\S*libc\S*, not from \S*text\.so.*cannot be preloaded")
        harmless = next(p for p in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6",
                                    "/lib64/libm.so.6")
                        if os.path.exists(p))
        m = ["--allocators", "glibc,m", "--allocator", "m=" + harmless]
        err = self.one_line(3, *SHORT, *m, "pair")
        wanted = r" m: the worker's malloc comes from /\S*libc\S*, not from \S*libm\S*, which has no malloc, so nothing"
        self.assertRegex(err, wanted)
        self.assertRegex(self.one_line(3, *SHORT, *m, "--", "true"), r" m: \S*libm\S* has no malloc, so nothing")
        self.assertIn("cannot find the library", self.one_line(3, "--allocator", "x=nosuch.so", "pair"))
        self.assertIn("cannot run /nosuch/command",
                      self.one_line(3, *SHORT, "--allocators", "glibc,hakmem", "--", "/nosuch/command"))
        for option in ("--csv", "--html"):
            self.assertIn("/nosuch/x", self.one_line(3, *SHORT, option, "/nosuch/x", "pair"))

    def test_what_is_missing_is_found_before_the_machine_is_looked_at(self):
        counted = ["--allocators", "hakmem", "--baseline", "counted", "--allocator",
                   f"counted={SHIM},SHIM_ALTERNATE={self.path('count')}"]
        self.assertIn("cannot run", self.one_line(3, *SHORT, *counted, "--", "/nosuch/command"))
        self.assertFalse(os.path.exists(self.path("count")))

    def test_a_static_program_is_told(self):
        with open(self.path("static.c"), "w") as file:
            file.write("int main(void) { return 0; }\n")
        built = subprocess.run(["cc", "-static", "-o", self.path("static"), self.path("static.c")], capture_output=True)
        if built.returncode != 0:
            self.skipTest("no static C library")
        err = self.one_line(3, *SHORT, "--allocators", "glibc,hakmem", "--", "./static")
        self.assertIn("linked statically", err)

    def test_a_program_that_brings_its_malloc(self):
        for command in ([OWN_MALLOC], ["sh", "-c", OWN_MALLOC]):
            for baseline in ("glibc", "hakmem"):
                err = self.one_line(3, *SHORT, "--allocator", "again=" + baseline, "--allocators", "again",
                                    "--baseline", baseline,
                                    "--", *command)
                self.assertIn(f"{OWN_MALLOC} has its own malloc", err)

    def test_a_program_linked_with_a_malloc_library(self):
        # Under glibc, too, the malloc that is used is named.
        command = ["--", LINKED_MALLOC]
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", *command)
        self.assertRegex(self.document()["allocators"][0]["loaded_from"], r"/libc[.-]")
        # But not if the program that starts it removes LD_PRELOAD.
        err = self.one_line(3, *SHORT, "--allocators", "glibc,again", "--allocator", "again=glibc", "--", "sh", "-c",
                            "unset LD_PRELOAD; exec " + LINKED_MALLOC)
        self.assertIn(f"the malloc of {LINKED_MALLOC} comes from {SHIM}, not from the C library", err)


class Workloads(Case):
    def test_the_document_and_its_copies(self):
        slow = f"slow={SHIM},SHIM_SPIN=100"
        out, err = self.compare(0, *STEADY, "--rounds", "3", "--allocators", "glibc,hakmem,slow", "--allocator", slow,
                                "--csv",
                                "a.csv", "--markdown", "a.md", "--html", "a.html", "pair", "larson:max=64,threads=2")
        self.assertEqual(err, "")
        self.assertNotIn("\033", out)
        self.assertEqual(out.splitlines()[-1], "page: a.html")
        document = self.document()
        self.assertEqual((document["kind"], document["complete"], document["stopped_by"]), ("compare", True, None))
        self.assertEqual((document["baseline"], document["seed"], document["rounds"]), ("glibc", 1, 3))
        allocators = {each["name"]: each for each in document["allocators"]}
        self.assertEqual(list(allocators), ["glibc", "hakmem", "slow"])
        self.assertRegex(allocators["glibc"]["loaded_from"], r"/libc[.-]")
        for name, path in (("hakmem", LIBHAKMEM), ("slow", SHIM)):
            self.assertEqual(allocators[name]["loaded_from"], os.path.realpath(path))
            self.assertRegex(allocators[name]["build_id"], r"^[0-9a-f]{16,}$")
        self.assertEqual(allocators["slow"]["environment"], {"SHIM_SPIN": "100"})
        self.assertTrue(document["aa"]["trustworthy"])
        pair, larson = document["workloads"]
        self.assertEqual((larson["name"], larson["threads"], larson["params"]["max"]),
                         ("larson:max=64,threads=2", 2, 64))
        for row in document["workloads"]:
            for cell in row["allocators"]:
                self.assertEqual([sample["round"] for sample in cell["samples"]], [0, 1, 2])
                rates = sorted(sample["ops_per_sec"] for sample in cell["samples"])
                self.assertEqual(cell["median"]["ops_per_sec"], rates[1])
                self.assertGreater(cell["median"]["rss_peak_kib"], 0)
                self.assertEqual(cell["failures"], [])
        self.assertIsNone(pair["allocators"][0]["ratio"])
        speed = pair["allocators"][2]["ratio"]["speed"]
        self.assertLess(speed["ratio"], 1)
        self.assertTrue(speed["low"] <= speed["ratio"] <= speed["high"])
        self.assertIn(speed["claim"], ("no difference shown", "too few rounds to claim"))
        self.assertEqual([mean["name"] for mean in document["geometric_mean"]], ["hakmem", "slow"])
        with open(self.path("a.csv")) as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(len(lines), 6)
        self.assertAlmostEqual(float(lines[2]["speed_ratio"]), speed["ratio"], places=6)
        with open(self.path("a.md")) as file:
            self.assertIn("| slow", file.read())
        self.assertEqual(self.document_in("a.html"), document)

    def test_a_clear_difference_is_claimed(self):
        """A tenfold one, because this machine may be busy; and none of an allocator against itself."""
        slow = f"slow={SHIM},SHIM_SPIN=2000"
        self.compare(0, *STEADY, "--rounds", "16", "--allocators", "glibc,again,slow", "--allocator", slow,
                     "--allocator", "again=glibc", "--json", "-", "pair")
        _, slow, again = self.document()["workloads"][0]["allocators"]
        self.assertEqual(slow["ratio"]["speed"]["claim"], "slower")
        self.assertLess(slow["ratio"]["speed"]["high"], 0.5)
        self.assertEqual(again["ratio"]["speed"]["claim"], "no difference shown")

    def test_threads_by_default(self):
        words = subprocess.run([HAKSTRESS, "compare", "--help"], capture_output=True, text=True).stdout.split()
        self.assertIn("default: 1; without WORKLOAD, all processors (at most 4) for larson and mstress",
                      " ".join(words))
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "larson")
        self.assertEqual(self.document()["workloads"][0]["threads"], 1)

    def test_threads_in_pairs(self):
        out, _ = self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "xmalloc", "prodcons:threads=2", "pair")
        for name, threads in (("xmalloc", "1 pair of threads"), ("prodcons:threads=2", "2 pairs of threads"),
                              ("pair", "1 thread")):
            self.assertRegex(out, rf"(?m)^{name}: .*; {threads}, 2 rounds$")
        words = subprocess.run([HAKSTRESS, "compare", "--help"], capture_output=True, text=True).stdout
        self.assertIn("(xmalloc, prodcons, idle-owner: pairs of threads)", words)

    def test_an_interval_that_is_no_claim(self):
        """The other always uses more memory, but by less than 1 %."""
        for workload, more, wanted in (
            ("fragment:bytes=20000000", "SHIM_KEEP=300", True),
            ("pair", "SHIM_KEEP=6000,SHIM_SPIN=2000", False),
        ):
            with self.subTest(workload):
                shutil.rmtree(self.path("results"), ignore_errors=True)
                out, _ = self.compare(0, *SHORT, "--rounds", "16", "--allocators", "glibc,large", "--allocator",
                                      f"large={SHIM},{more}",
                                      "--markdown", "a.md", workload)
                peak = self.document()["workloads"][0]["allocators"][1]["ratio"]["rss_peak"]
                self.assertEqual((peak["low"] > 1, peak["claim"]), (True, "no difference shown" if wanted else "more"))
                for text in (out, pathlib.Path(self.path("a.md")).read_text()):
                    self.assertEqual("some intervals exclude 1" in text, wanted)

    def test_another_libhakmem_has_no_known_version(self):
        shutil.copy(LIBHAKMEM, self.path("libhakmem.so"))
        self.compare(0, *SHORT, "--allocators", "hakmem,other", "--allocator", "other=./libhakmem.so", "--baseline",
                     "hakmem", "pair")
        ours, other = self.document()["allocators"]
        self.assertRegex(ours["version"], r"\d+\.\d+")
        self.assertIsNone(other["version"])

    def test_each_run_is_pinned_to_as_many_processors_as_it_has_threads(self):
        process = self.popen(*SHORT, "--rounds", "200", "--seconds", "0.1", "--allocators", "glibc,hakmem", "--pin",
                             "pair", "prodcons")
        seen = {}

        def are_both_seen():
            for child, words in children_of(process.pid):
                if words[0] == "hakstress-worker":
                    with contextlib.suppress(ProcessLookupError):
                        seen[words[1]] = len(os.sched_getaffinity(child))
            return len(seen) == 2

        wait_until(are_both_seen)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(seen, {"pair": 1, "prodcons": min(2, len(os.sched_getaffinity(0)))})

    def test_a_trace_with_a_long_path(self):
        folder = self.path("/".join(["a-folder-with-a-long-name"] * 8))
        os.makedirs(folder)
        trace = os.path.join(folder, "t.trace")
        subprocess.run([HAKSTRESS, "record", "--quiet", "--output", trace, "--", LINKED_MALLOC], cwd=folder, check=True,
                       env=clean_environment())
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "trace:" + trace)
        self.assertEqual(self.document()["workloads"][0]["name"], "trace:" + trace)
        err = self.one_line(2, "trace:" + "x" * 5000)
        self.assertIn("too long", err)

    def test_too_few_rounds_are_no_answer(self):
        slow = ["--allocators", "glibc,slow", "--allocator", f"slow={SHIM},SHIM_SPIN=2000"]
        for ended in (["--rounds", "8"], ["--seconds", "0.5", "--budget", "4"]):
            with self.subTest(ended):
                shutil.rmtree(self.path("results"), ignore_errors=True)
                out, _ = self.compare(0, "--noise", "100000", "--seconds", "0.02", "--csv", "a.csv", *slow, *ended,
                                      "pair")
                document = self.document()
                speed = document["workloads"][0]["allocators"][1]["ratio"]["speed"]
                self.assertEqual(speed["claim"], "too few rounds to claim")
                self.assertLess(document["rounds"], document["rounds_needed"])
                self.assertRegex(out, "slow .*too few rounds to claim")
                needed = f"to claim a difference among so many ratios, {document['rounds_needed']} rounds are needed"
                self.assertRegex(out, needed + (r": about --budget \d+0\n" if "--budget" in ended else r"\n"))
                self.assertIn("too few rounds to claim", pathlib.Path(self.path("a.csv")).read_text())

    def test_json_to_stdout(self):
        out, err = self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "--json", "-", "pair")
        document = json.loads(out)
        self.assertEqual(document["kind"], "compare")
        self.assertIn("pair:", err)
        page = re.fullmatch(r"page: (results/compare-\S+\.html)", err.splitlines()[-1])
        self.assertEqual(self.document_in(page[1]), document)
        self.assertTrue(os.path.exists(self.path(page[1][:-4] + "json")))

    def test_csv_or_markdown_to_stdout(self):
        for option, begin in (("--csv", "workload,threads"), ("--markdown", "`")):
            out, err = self.compare(0, *SHORT, "--allocators", "glibc,hakmem", option, "-", "pair")
            self.assertTrue(out.startswith(begin), out)
            self.assertNotIn("page:", out)
            self.assertRegex(err, r"(?s)\Aagain: .*\npair: .*\npage: \S+\n\Z")
        self.assertFalse(os.path.exists(self.path("-")))

    def test_colour_only_on_a_terminal(self):
        for environment, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            ours, theirs = pty.openpty()
            args = ["--rounds", "16", "--seconds", "0.005", "--noise", "100000", "--allocators", "glibc,slow",
                    "--allocator", f"slow={SHIM},SHIM_SPIN=2000", "--quiet", "pair"]
            process = subprocess.Popen([HAKSTRESS, "compare", *args], cwd=self.directory.name, stdin=subprocess.DEVNULL,
                                       stdout=theirs, stderr=subprocess.PIPE, env=clean_environment(**environment))
            os.close(theirs)
            said = b""
            try:
                while chunk := os.read(ours, 4096):
                    said += chunk
            except OSError:
                pass  # the end of a terminal
            self.assertEqual(process.wait(timeout=60), 0)
            process.stderr.close()
            os.close(ours)
            self.assertIn(b"slower", said)
            self.assertEqual(b"\033[" in said, coloured, said)

    def test_a_workload_that_crashes_under_one(self):
        crash = f"crash={SHIM},SHIM_CRASH=1"
        out, _ = self.compare(1, *SHORT, "--allocators", "glibc,hakmem,crash", "--allocator", crash, "pair")
        self.assertRegex(out, r"failed under crash, warm-up: pair ended by signal 6")
        cells = self.document()["workloads"][0]["allocators"]
        self.assertEqual([len(cell["samples"]) for cell in cells], [2, 2, 0])
        self.assertEqual(cells[2]["failed"], 3)
        self.assertEqual([failure["round"] for failure in cells[2]["failures"]], [-1, 0, 1])
        for failure in cells[2]["failures"]:
            self.assertIn(f"    report: {failure['report']}\n    again: {failure['again']}\n", out)
            self.is_explained(failure["report"], failure["again"])

    def is_explained(self, report, again):
        """The report has the stack of the crash, and the command crashes again."""
        said = subprocess.run([HAKSTRESS, "report", report], cwd=self.directory.name, capture_output=True, text=True)
        self.assertRegex(said.stdout, r"(?s)\bSIGABRT\b.*#\d+ .*\babort.*slow-malloc.so")
        ended = subprocess.run(again, shell=True, executable="/bin/bash", env={"PATH": os.environ["PATH"]},
                               stdin=subprocess.DEVNULL, capture_output=True)
        self.assertIn(ended.returncode, (-6, 134))

    def test_a_crash_under_bench(self):
        result = subprocess.run([HAKSTRESS, "bench", "pair", "--seconds", "0.01", "--lib", SHIM],
                                cwd=self.directory.name, env=clean_environment(SHIM_CRASH="1"),
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 1, result.stderr)
        found = re.search(r"^bench: fault signal=SIGABRT workload=pair report=(\S+)\nverdict: .*\nagain: (.*)$",
                          result.stderr, re.MULTILINE)
        self.assertTrue(found, result.stderr)
        self.is_explained(found[1], f"SHIM_CRASH=1 {found[2]}")

    def test_a_machine_that_is_not_steady(self):
        unsteady = f"unsteady={SHIM},SHIM_UNSTEADY=1"
        crash = f"crash={SHIM},SHIM_CRASH=1"  # in the warm-up: that is not a result either
        out, err = self.compare(4, "--allocators", "hakmem,crash", "--baseline", "unsteady", "--allocator", unsteady,
                                "--allocator", crash, "--seconds", "0.02", "pair")
        self.assertIn("too noisy: the baseline differs", out)
        self.assertEqual(len(err.splitlines()), 1, err)
        why = r"may differ by \S+ %, and the limit is 10 %|differ by \S+ %, and not by chance"
        self.assertRegex(err, f"pair, ({why}), so")
        document = self.document()
        self.assertEqual((document["workloads"], document["complete"]), ([], False))
        self.assertFalse(document["aa"]["trustworthy"])
        self.assertEqual(self.document_in(out.splitlines()[-1].removeprefix("page: ")), document)

    def test_a_difference_of_the_baseline_to_itself_that_was_allowed(self):
        """Every other process is slower, and in most pairs the first of them is the same one.

        Seeds draw their order by splitmix64."""
        def orders(seed):
            mask = 2**64 - 1
            for _ in range(52):  # a warm-up of both, one of the baseline alone, and the pairs
                seed = (seed + 0x9E3779B97F4A7C15) & mask
                z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
                z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
                yield (z ^ (z >> 31)) >> 63

        seed = next(seed for seed in range(10**6) if not 13 <= sum(list(orders(seed))[2:]) <= 37)
        uneven = f"uneven={SHIM},SHIM_SPIN=2000,SHIM_ALTERNATE={self.path('count')}"
        out, _ = self.compare(0, *STEADY, "--seed", str(seed), "--allocators", "hakmem", "--baseline", "uneven",
                              "--allocator", uneven,
                              "pair")
        self.assertRegex(out, "uneven against itself on pair: .*: a difference, allowed by --noise\n")
        aa = self.document()["aa"]
        self.assertEqual((aa["claimed"], aa["trustworthy"]), (True, True))

    def test_processors_are_short(self):
        """Something else takes them all. Medians and intervals do not show that."""
        others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * os.cpu_count())]
        try:
            out, _ = self.compare(0, *SHORT, "--seconds", "0.05", "--allocators", "glibc,hakmem", "pair")
        finally:
            for other in others:
                other.kill()
                other.wait()
        self.assertIn("\nthe processors were short: ", out)
        self.assertTrue(self.document()["processor"]["short"])

    def test_a_limit_below_what_was_measured_is_none(self):
        """The process that measures it is stopped nearly all the time."""
        process = self.popen(*SHORT, "--seconds", "0.1", "--allocators", "glibc,hakmem", "pair")
        while process.poll() is None:
            limits = [child for child, command in children_of(process.pid) if "limit=1" in command]
            for number, pause in ((signal.SIGSTOP, 0.02), (signal.SIGCONT, 0.0005)):
                for child in limits:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, number)
                time.sleep(pause if limits else 0)
        out, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 0, err)
        row = self.document()["workloads"][0]
        self.assertEqual((row["limit"], row["limit_is_wrong"]), (None, True))
        self.assertIn("limit: not known, because what was measured is below what allocators reached", out)

    def test_full_disk(self):
        for option in ("--json", "--csv", "--markdown", "--html"):
            with self.subTest(option):
                out, err = self.compare(3, *SHORT, "--allocators", "glibc,hakmem", option, "/dev/full", "pair")
                self.assertEqual(len(err.splitlines()), 1, err)
                self.assertIn("No space left", err)
                self.assertIn("pair:", out)
                self.assertEqual("page: " in out, option != "--html")

    def test_ctrl_c_keeps_what_there_is(self):
        process = self.popen(*SHORT, "--rounds", "200", "--seconds", "0.1", "--allocators", "glibc,hakmem", "larson")
        # The second round of larson; before it come a warm-up and A/A, on pair.
        wait_until(lambda: children_run(process.pid, "larson seconds 0.1 threads 1 count 0 seed 3 "))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn("partial", out)
        document = self.document()
        self.assertEqual((document["complete"], document["stopped_by"]), (False, "signal"))
        self.assertGreater(len(document["workloads"][0]["allocators"][0]["samples"]), 0)
        self.assertEqual(self.document_in(out.splitlines()[-1].removeprefix("page: ")), document)


class Commands(Case):
    def test_a_command(self):
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "--", "sh", "-c",
                     "echo noise; ls -R /usr/include >/dev/null")
        row = self.document()["workloads"][0]
        self.assertEqual((row["name"], row["metric"], row["higher_is_better"]), ("sh", "seconds", False))
        self.assertEqual(row["command"][:2], ["sh", "-c"])
        for cell in row["allocators"]:
            for sample in cell["samples"]:
                self.assertGreater(sample["seconds"], 0)
                self.assertIsNone(sample["rss_freed_kib"])
                self.assertLess(sample["rss_peak_kib"], 200000)  # its own, not that of hakstress

    def test_peak_memory_is_that_of_the_command(self):
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "--", "true")
        for cell in self.document()["workloads"][0]["allocators"]:
            self.assertLess(cell["median"]["rss_peak_kib"], 4096)

    def test_a_command_that_fails(self):
        out, _ = self.compare(1, *SHORT, "--allocators", "glibc,hakmem", "--", "sh", "-c", "echo why >&2; exit 7")
        self.assertIn("sh ended with status 7: why", out)

    def test_a_failure_that_is_not_utf_8(self):
        says = "printf 'caf\\351 bad\\n' >&2; exit 7"
        out, _ = self.compare(1, *SHORT, "--allocators", "glibc,hakmem", "--", "sh", "-c", says)
        self.assertIn("sh ended with status 7: caf? bad", out)
        for cell in self.document()["workloads"][0]["allocators"]:
            self.assertEqual(len(cell["failures"]), cell["failed"])
            self.assertEqual(cell["failures"][0]["what"], "sh ended with status 7: caf? bad")

    def test_what_a_command_leaves_behind_ends_with_it(self):
        mark = "7%06d" % (os.getpid() % 1000000)
        self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "--", "sh", "-c", f"sleep {mark} & exit 0")
        self.assertFalse(runs("sleep", mark))

    def test_ctrl_c_ends_the_command(self):
        """One that would not end by itself. What was measured until then is kept."""
        mark = "8%06d" % (os.getpid() % 1000000)
        # Two warm-ups and two rounds come before.
        command = f"echo run >>runs; test $(wc -l <runs) -lt 7 || exec sleep {mark}"
        process = self.popen(*SHORT, "--allocators", "glibc,hakmem", "--rounds", "200", "--", "sh", "-c", command)
        wait_until(lambda: runs("sleep", mark))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertFalse(runs("sleep", mark))
        document = self.document()
        self.assertEqual((document["complete"], document["stopped_by"]), (False, "signal"))
        for cell in document["workloads"][0]["allocators"]:
            self.assertEqual([sample["round"] for sample in cell["samples"]], [0, 1])

    def test_one_round_is_too_few(self):
        mark = "9%06d" % (os.getpid() % 1000000)
        # Two warm-ups and a round come before.
        command = f"echo run >>runs; test $(wc -l <runs) -lt 5 || exec sleep {mark}"
        process = self.popen("--noise", "100000", "--seconds", "0.002", "--allocators", "glibc,hakmem", "--", "sh",
                             "-c", command)
        wait_until(lambda: runs("sleep", mark))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn("sh: 1 round\n", out)
        self.assertRegex(out, r"hakmem .* too few rounds to claim .* too few rounds to claim")
        self.assertRegex(out, r"\d+ rounds are needed: about --budget \d+0\n")

    def test_no_rounds_in_which_nothing_runs(self):
        """Every run failed, or all but those of the baseline."""
        here = f"case $LD_PRELOAD in *{os.path.basename(LIBHAKMEM)}*) exit 7; esac"
        for script, samples in (("exit 7", [0, 0]), (here, [2, 0])):
            with self.subTest(script):
                shutil.rmtree(self.path("results"), ignore_errors=True)
                out, _ = self.compare(1, "--noise", "100000", "--seconds", "0.002", "--budget", "9", "--allocators",
                                      "glibc,hakmem",
                                      "--", "sh", "-c", script)
                document = self.document()
                self.assertEqual((document["rounds"], document["stopped_by"]), (2, None))
                cells = document["workloads"][0]["allocators"]
                self.assertEqual([len(cell["samples"]) for cell in cells], samples)
                self.assertEqual(cells[1]["failed"], 3)
                self.assertNotIn("ended by --budget", out)

    def test_a_command_that_takes_too_long(self):
        out, _ = self.compare(1, *SHORT, "--timeout", "0.2", "--allocators", "glibc,hakmem", "--", "sleep", "30")
        self.assertIn("sleep had not ended after 0.2 s", out)


class Ends(Case):
    """What happens to a run that does not end by itself, or is ended."""
    HANG = ["--allocators", "glibc,hang", "--allocator"]

    def workers(self, pid, words):
        """The children of the process whose command line and environment contain the words."""
        def read(child, name):
            return pathlib.Path(f"/proc/{child}/{name}").read_text().replace("=", " ").replace("\0", " ")

        try:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return {child for child in children if words in read(child, "cmdline") + read(child, "environ")}
        except (FileNotFoundError, ProcessLookupError):
            return set()

    def test_a_library_that_hangs_at_the_end(self):
        out, _ = self.compare(1, *SHORT, "--timeout", "1", *self.HANG, f"hang={SHIM},SHIM_HANG=1", "pair")
        self.assertIn("failed under hang, round 1: pair had not ended after 1 s", out)

    def test_ctrl_c_ends_a_library_that_hangs_at_the_end(self):
        process = self.popen(*SHORT, *self.HANG, f"hang={SHIM},SHIM_HANG=1", "pair")
        self.addCleanup(process.kill)
        wait_until(lambda: self.workers(process.pid, "SHIM_HANG 1"))
        time.sleep(1)  # its work takes 0.002 s
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130, out + err)

    def test_ctrl_c_in_the_first_round_keeps_what_there_is(self):
        process = self.popen(*SHORT, "--seconds", "1", "--allocators", "glibc,hakmem", "larson")
        self.addCleanup(process.kill)
        first = set()  # of the two runs of larson in the first round

        def second_began():
            first.update(self.workers(process.pid, "larson seconds 1 threads 1 count 0 seed 2 "))
            return len(first) == 2

        wait_until(second_began)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, out + err)
        document = self.document()
        self.assertEqual((document["rounds"], document["complete"], document["stopped_by"]), (0, False, "signal"))
        larson = next(row for row in document["workloads"] if row["name"] == "larson")
        self.assertEqual(sorted(len(cell["samples"]) for cell in larson["allocators"]), [0, 1])
        self.assertRegex(out, "(?s)larson: .*0 rounds.*partial")

    def test_a_crash_in_the_latency_run_is_a_failure(self):
        crash = ["--allocators", "hakmem,crash", "--allocator", f"crash={SHIM},SHIM_CRASH=timed"]
        out, _ = self.compare(1, *SHORT, *crash, "pair", "rptest")
        self.assertIn("failed under crash: latency run: pair ended by signal 6", out)
        for row in self.document()["workloads"]:
            glibc, _, cell = row["allocators"]
            self.assertEqual((cell["failed"], [each["round"] for each in cell["failures"]]), (1, [None]))
            self.assertIsNone(cell["latency"])
            self.assertIsNotNone(glibc["latency"])

    def test_a_crash_in_the_latency_run_of_the_baseline_is_that_of_its_row(self):
        crash = ["--allocators", "hakmem,crash", "--baseline", "crash", "--allocator", f"crash={SHIM},SHIM_CRASH=timed"]
        self.compare(1, *SHORT, *crash, "pair", "rptest")
        for row in self.document()["workloads"]:
            hakmem, cell = row["allocators"]
            self.assertIn(f"latency run: {row['name']} ended by signal 6", cell["failures"][0]["what"])
            self.assertEqual((cell["failed"], hakmem["failed"], hakmem["latency"]), (1, 0, None))

    def test_it_can_be_run_again(self):
        """By the first line, even if the seed was drawn."""
        args = ["--rounds", "2", "--seconds=0.002", "--noise", "100000", "--allocators", "glibc,it is", "--quiet",
                "--allocator", f"it is={SHIM},SHIM_SPIN=1", "--markdown", "a.md", "larson:max=64", "pair"]
        first, _ = self.compare(0, *args, HAKMEM_RESERVE="0")
        document = self.document()
        again = first.splitlines()[0].removeprefix("again: ")
        self.assertEqual(document["again"], again)
        self.assertRegex(again, rf"^HAKMEM_RESERVE=0 .* --quiet --seed {document['seed']} larson:max=64 pair$")
        self.assertIn(f"`{again}`", pathlib.Path(self.path("a.md")).read_text())
        shutil.rmtree(self.path("results"))
        run = subprocess.run(["sh", "-c", again], cwd=self.directory.name, env=clean_environment(),
                             capture_output=True, text=True,
                             timeout=100)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.splitlines()[0], first.splitlines()[0])
        self.assertEqual(self.document()["environment"]["HAKMEM_RESERVE"], "0")
        for key in ("seed", "allocators"):
            self.assertEqual(self.document()[key], document[key])

    def test_a_command_can_be_run_again(self):
        out, _ = self.compare(0, *SHORT, "--allocators", "glibc,hakmem", "--", "sh", "-c", "exit 0")
        self.assertEqual(out.splitlines()[0], f"again: {HAKSTRESS} compare --rounds 2 --seconds 0.002 --noise 100000 "
                                              "--allocators glibc,hakmem --seed 1 -- sh -c 'exit 0'")

    def test_a_full_disk_leaves_old_files_as_they_were(self):
        copies = {"--json": "a.json", "--csv": "a.csv", "--markdown": "a.md", "--html": "a.html"}
        for name in copies.values():
            pathlib.Path(self.path(name)).write_text("old\n")
        args = [*SHORT, "--allocators", "glibc,hakmem", *(word for each in copies.items() for word in each), "pair",
                "larson"]
        run = subprocess.run(["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$0" compare "$@"', HAKSTRESS, *args],
                             cwd=self.directory.name, env=clean_environment(), capture_output=True, text=True,
                             timeout=100)
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        for name in (*copies.values(), "results/compare-"):
            self.assertRegex(run.stderr, rf"cannot write (the page )?{name}.*File too large")
        for name in copies.values():
            self.assertEqual(pathlib.Path(self.path(name)).read_text(), "old\n")
        self.assertEqual(sorted(os.listdir(self.directory.name)), sorted([*copies.values(), "results"]))
        self.assertEqual(os.listdir(self.path("results")), [])


if __name__ == "__main__":
    HAKSTRESS, SHIM, LIBHAKMEM, OWN_MALLOC, LINKED_MALLOC = (os.path.realpath(path) for path in sys.argv[1:6])
    del sys.argv[1:6]
    unittest.main()
