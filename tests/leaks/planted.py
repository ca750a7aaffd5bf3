#!/usr/bin/env python3
"""Twenty programs with a leak behind one to four wrappers: hakstress run --leaks tells the function to blame in the
first three lines of the entry, and none of the blocks that the program still reaches.

usage: planted.py HAKSTRESS PLANTED PLANTED_OPTIMISED PLANTED_CXX SOURCE_OF_MODULE COMPILER...
"""

import ctypes
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import unittest

# program, the function to blame, bytes and blocks that are lost; None: as many as the C or C++ library likes
PLAIN = [
    ("one", "read_config", 100, 1),
    ("text", "parse_line", 19, 1),
    ("three", "open_session", 128, 1),
    ("four", "handle_request", 115, 1),
    ("table", "build_index", 128, 1),
    ("growing", "append_line", 256, 1),
    ("aligned", "render_frame", 640, 1),
    ("printed", "greet", None, 1),
    ("by-pointer", "decode", 90, 1),
    ("list", "collect_items", 240, 5),
    ("circle", "make_circle", 96, 2),
    ("line", "read_name", None, 1),
]
OPTIMISED = [("inlined", "serve_client", 151, 1), ("thread", "work", 210, 7)]
CXX = [
    ("class", "app::connect", 36, 1),
    ("string", "app::remember", None, 2),
    ("vector", "app::collect", None, 2),
    ("map", "app::index_words", None, 5),
]
SEPARATE = [("four", "handle_request", 115, 1)]
POOL = [("pool", "serve_requests", 60000, 4000)] * 3
LEFT = [("left", "keep_and_leave", 200, 1)]
KEPT_LEAST, KEPT_BLOCKS = 5000, 9


def entries(text):
    """The lines of each entry of a table of leaks."""
    found = []
    for line in text.splitlines():
        if re.match(r"  \d+ bytes? in ", line):
            found.append([line])
        elif found and line.startswith("      "):
            found[-1].append(line)
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.results = os.path.join(self.directory.name, "results")

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def result_file(self):
        """The result of the last run. Its crash reports lie beside it."""
        name = next(name for name in os.listdir(self.results) if name.endswith(".json") and ".crash" not in name)
        return os.path.join(self.results, name)

    def run_it(self, *command, options=("--leaks=all",), **environment):
        """What hakstress prints, its exit status, and the leaks of its result file."""
        shutil.rmtree(self.results, ignore_errors=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "HAKSTRESS_"))}
        done = subprocess.run([HAKSTRESS, "run", "--results", self.results, *options, "--", *command],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                              timeout=60, env={**clean, **environment})
        leaks = None
        if os.path.isdir(self.results):
            with open(self.result_file()) as file:
                leaks = json.load(file)["leaks"]
        return done.stderr, done.returncode, leaks

    def check_text(self, text, guilty):
        """Each entry of lost blocks names the function in its first three lines."""
        lost = [entry for entry in entries(text) if "lost" in entry[0]]
        self.assertTrue(lost, text)
        for entry in lost:
            self.assertRegex("\n".join(entry[:3]), rf"(by|from) {guilty}\b", text)

    def check(self, program, row):
        name, guilty, size, blocks = row
        text, status, leaks = self.run_it(program, name)
        self.assertEqual(status, 0, text)
        self.check_text(text, guilty)
        lost = [leaks["definite"][what] + leaks["indirect"][what] for what in ("bytes", "blocks")]
        self.assertEqual(lost[1], blocks, text)
        if size is not None:
            self.assertEqual(lost[0], size, text)
        kept = [stack["reachable"] for stack in leaks["stacks"] if stack["reachable"]["bytes"] >= KEPT_LEAST and
                any("kept_block" in call["function"] for frame in stack["frames"] for call in frame.get("calls", []))]
        self.assertEqual(sum(one["blocks"] for one in kept), KEPT_BLOCKS, text)
        return leaks

    def separate(self, program):
        """A copy of the program, and its debug information in a file of its own."""
        stripped, debug = self.path("stripped"), self.path("stripped.debug")
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True, timeout=60)
        subprocess.run(["objcopy", "--strip-all", "--add-gnu-debuglink=" + debug, program, stripped], check=True,
                       timeout=60)
        return stripped, debug


class Planted(Case):
    def rows(self, program, table):
        for row in table:
            with self.subTest(row[0]):
                self.check(program, row)

    def test_c(self):
        self.rows(PLANTED, PLAIN)

    def test_definitely_and_indirectly_lost(self):
        for program, blocks in (("list", (1, 4)), ("circle", (1, 1))):
            with self.subTest(program):
                text, _, leaks = self.run_it(PLANTED, program)
                self.assertEqual((leaks["definite"]["blocks"], leaks["indirect"]["blocks"]), blocks, text)

    def test_optimised(self):
        self.rows(OPTIMISED_PROGRAM, OPTIMISED)

    def test_cxx(self):
        self.rows(CXX_PROGRAM, CXX)

    def test_nothing_of_the_allocator_leads_to_a_block(self):
        """A block that was in the quarantine before, or in a cache, is lost all the same."""
        self.rows(PLANTED, POOL)

    def test_a_thread_that_has_ended_holds_nothing(self):
        self.rows(PLANTED, LEFT)

    def test_stripped_with_a_separate_debug_file(self):
        self.rows(self.separate(PLANTED)[0], SEPARATE)

    def test_python_module(self):
        include = sysconfig.get_path("include")
        if not os.path.exists(os.path.join(include, "Python.h")):
            self.skipTest("Python.h is missing")
        subprocess.run([*COMPILER, "-g", "-O1", "-shared", "-fPIC", "-I", include, MODULE, "-o",
                        self.path("planted_module.so")], check=True, timeout=60)
        text, status, leaks = self.run_it(sys.executable, "-c", "import planted_module; planted_module.store(4321)",
                                          options=["--leaks"], PYTHONPATH=self.directory.name)
        self.assertEqual(status, 0, text)
        self.assertIn("  4321 bytes in 1 block definitely lost; by store_bytes (planted_module.c:", text)
        self.assertEqual(leaks["definite"]["bytes"], 4321, text)


class Elsewhere(Case):
    def test_names_are_found_later(self):
        """Without debug information a run notes modules, offsets and build ids; a report with it has the names."""
        stripped, debug = self.separate(PLANTED)
        os.rename(debug, self.path("elsewhere"))
        text, _, leaks = self.run_it(stripped, "four", options=["--leaks"])
        self.assertNotIn("handle_request", text)
        module = next(module for module in leaks["modules"] if module["path"] == stripped)
        self.assertIn(f"no names for {stripped}, build id {module['build_id']}", text)
        folder = os.path.join(self.path("symbols"), ".build-id", module["build_id"][:2])
        os.makedirs(folder)
        os.rename(self.path("elsewhere"), os.path.join(folder, module["build_id"][2:] + ".debug"))
        shutil.copy(OPTIMISED_PROGRAM, self.path("symbols/stripped"))  # another build
        os.remove(stripped)
        done = subprocess.run([HAKSTRESS, "report", "--symbols", self.path("symbols"), self.result_file()],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.check_text(done.stdout, "handle_request")
        self.assertRegex(done.stdout, r"handle_request \(planted\.c:\d+\)")

    def test_a_crash_and_leaks_are_told_together(self):
        """The result of a run in which one process has lost blocks and another has crashed."""
        text, status, _ = self.run_it("sh", "-c", f"'{PLANTED}' four; kill -SEGV $$", options=["--leaks"])
        self.assertEqual(status, 128 + signal.SIGSEGV, text)
        for options, parts in (((), ("SIGSEGV", "by handle_request (planted.c:")),
                               (("--json", "-"), ('"kind": "crash_report"', '"definite"'))):
            done = subprocess.run([HAKSTRESS, "report", *options, self.result_file()], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout)
            for part in parts:
                self.assertIn(part, done.stdout)

    def test_names_come_from_a_server(self):
        """DEBUGINFOD_URLS is asked even where the program is, but has no lines."""
        try:
            ctypes.CDLL("libdebuginfod.so.1")
        except OSError:
            self.skipTest("libdebuginfod is missing")
        stripped, debug = self.separate(PLANTED)
        os.rename(debug, self.path("elsewhere"))
        _, _, leaks = self.run_it(stripped, "four", options=["--leaks"])
        module = next(module for module in leaks["modules"] if module["path"] == stripped)
        folder = self.path(os.path.join("served", "buildid", module["build_id"]))
        os.makedirs(folder)
        os.rename(self.path("elsewhere"), os.path.join(folder, "debuginfo"))
        quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        handler = functools.partial(quiet, directory=self.path("served"))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            environment = {"DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}", "no_proxy": "127.0.0.1",
                           "DEBUGINFOD_CACHE_PATH": self.path("cache")}
            done = subprocess.run([HAKSTRESS, "report", self.result_file()], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60, env={**os.environ, **environment})
            server.shutdown()
        self.check_text(done.stdout, "handle_request")
        self.assertRegex(done.stdout, r"handle_request \(planted\.c:\d+\)")


class Alive(Case):
    def test_on_a_signal(self):
        """SIGQUIT tells what is lost up to then, and the program goes on. Its threads hold what they hold."""
        process = subprocess.Popen([HAKSTRESS, "run", "--results", self.results, "--leaks", "--", PLANTED, "waiting"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGQUIT)
        text = ""
        while "by wait_for_end" not in text:
            line = process.stderr.readline()
            self.assertTrue(line, text)
            text += line
        self.assertIn("run: definitely lost: 300 bytes in 1 block; ", text)
        self.assertIn("  300 bytes in 1 block definitely lost; by wait_for_end (planted.c:", text)
        _, text = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, text)
        self.assertIn("run: definitely lost: 600 bytes in 2 blocks; ", text)

    def test_of_a_process_that_is_asked_to_end(self):
        """Servers end by SIGTERM or Ctrl-C, and many have no handler for it."""
        run = subprocess.Popen([HAKSTRESS, "run", "--results", self.results, "--leaks", "--", PLANTED, "waiting"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(run.stdout.readline(), "ready\n")
        run.send_signal(signal.SIGTERM)
        run.wait(60)  # before its stdin is closed, at which it would exit
        _, text = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 128 + signal.SIGTERM, text)
        self.assertIn("  300 bytes in 1 block definitely lost; by wait_for_end (planted.c:", text)

    def attach(self, *options):
        """A process that runs already, and the run that watches it."""
        library = os.path.join(os.path.dirname(HAKSTRESS), "../lib/libhakmem-checked.so")
        environment = {**os.environ, "LD_PRELOAD": os.path.realpath(library), "HAKMEM_GUARD": "1"}
        process = subprocess.Popen([PLANTED, "waiting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env=environment)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        run = subprocess.Popen([HAKSTRESS, "run", "--results", self.results, *options, "--pid", str(process.pid)],
                               stderr=subprocess.PIPE, text=True)
        self.assertIn("watching process", run.stderr.readline())
        return process, run

    def test_of_a_process_that_runs_already(self):
        process, run = self.attach("--leaks")
        process.communicate(timeout=60)
        _, text = run.communicate(timeout=60)
        self.assertIn("run: definitely lost: 600 bytes in 2 blocks; ", text)

    def test_of_a_process_that_is_let_go(self):
        process, run = self.attach("--leaks-exit", "23")
        run.send_signal(signal.SIGINT)
        _, text = run.communicate(timeout=60)
        self.assertRegex(text, r"\Arun: what was lost up to now, in processes that go on:\n"
                               r"run: definitely lost: 300 bytes in 1 block; .*\n  300 bytes .*; by wait_for_end ")
        self.assertEqual((run.returncode, process.poll()), (23, None))


class WithoutLines(Case):
    SOURCE = """
#include <stdlib.h>
#define OWN static __attribute__((noinline))
static void* volatile used;
OWN void* get(size_t bytes) { void* block = malloc(bytes); used = block; return block; }
OWN void* xmalloc(size_t bytes) { void* block = get(bytes); if (block == 0) abort(); used = block; return block; }
OWN void read_config(void) { used = xmalloc(100); used = 0; }
OWN void add_user(void) { used = get(200); used = 0; }
int main(void) { read_config(); add_user(); return 0; }
"""

    def test_a_helper_of_a_wrapper_is_not_to_blame(self):
        """Without debug information its type is not known. Called by anyone else, it may be to blame."""
        source, program = self.path("helper.c"), self.path("helper")
        pathlib.Path(source).write_text(self.SOURCE, encoding="utf-8")
        subprocess.run([*COMPILER, "-O1", "-fno-builtin", "-w", "-o", program, source], check=True)
        text, _, _ = self.run_it(program)
        blamed = [entry[0].partition("; by ")[2] for entry in entries(text) if "definitely" in entry[0]]
        self.assertEqual([name.partition(" ")[0] for name in blamed], ["get", "read_config"])


class Rules(Case):
    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def test_exit_status(self):
        text, status, _ = self.run_it(PLANTED, "circle", options=["--leaks-exit", "23"])
        self.assertEqual(status, 23, text)
        text, status, leaks = self.run_it("true", options=["--leaks-exit", "23"])
        self.assertEqual((status, leaks["definite"]["blocks"]), (0, 0), text)

    def test_suppressions(self):
        module = os.path.basename(PLANTED) + "$"
        for pattern, status in (("handle_request", 0), ("^handle_*t$", 0), ("planted.c", 0), (module, 0),
                                ("^request", 23), ("handle_request*x", 23), ("handle$", 23)):
            with self.subTest(pattern):
                path = self.write("suppressions", f"# a comment\n\nleak:nothing of this name\n  leak:{pattern}\n")
                options = ["--leaks-exit", "23", "--leaks-suppressions", path]
                text, found, _ = self.run_it(PLANTED, "four", options=options)
                self.assertEqual(found, status, text)
                told = f"run: suppressed: 115 bytes in 1 block, by leak:{pattern} ({path}:4)"
                self.assertEqual(told in text, status == 0, text)
                self.assertEqual("definitely lost; by" in text, status != 0, text)

    def test_baseline(self):
        known = self.path("known.json")
        text, status, _ = self.run_it(PLANTED, "four", options=["--leaks-save", known])
        self.assertEqual(status, 0, text)
        options = ["--leaks-exit", "23", "--leaks-baseline", known]
        text, status, _ = self.run_it(PLANTED, "four", options=options)
        self.assertEqual(status, 0, text)
        self.assertIn("run: known from the baseline, and not shown: 115 bytes in 1 block\n", text)
        text, status, _ = self.run_it(PLANTED, "text", options=options)
        self.assertEqual(status, 23, text)
        self.check_text(text, "parse_line")

    def test_wrong_files(self):
        for option, text, wanted in (
            ("--leaks-suppressions", "leak:a\nrace:b\n", r":2: a suppression is written leak:PATTERN, not 'race:b'"),
            ("--leaks-suppressions", "\n\nleak:\n", r":3: "),
            ("--leaks-baseline", "{\n  nonsense", r":2: "),
            ("--leaks-baseline", '{"kind": "run"}', r":1: not a file of --leaks-save"),
            ("--leaks-baseline", '{"kind": "leaks", "schema": 99, "leaks": []}', r":1: schema 99"),
            ("--leaks-baseline", None, "cannot read "),
        ):
            with self.subTest((option, text)):
                path = self.write("file", text) if text is not None else self.path("missing")
                err, status, _ = self.run_it("true", options=[option, path])
                self.assertEqual((status, len(err.splitlines())), (2, 1), err)
                self.assertRegex(err, re.escape(path) + wanted if text is not None else wanted + re.escape(path))

    def test_wrappers_of_the_user(self):
        options = ["--leaks", "--leaks-wrappers", "handle_*,nothing"]
        text, _, _ = self.run_it(PLANTED, "four", options=options)
        self.assertRegex(text, r"definitely lost; by run_below \(planted\.c:\d+\), "
                               r"through handle_request, give, take, obtain")


if __name__ == "__main__":
    if len(sys.argv) < 7:
        sys.exit(__doc__)
    HAKSTRESS, PLANTED, OPTIMISED_PROGRAM, CXX_PROGRAM, MODULE = map(os.path.abspath, sys.argv[1:6])
    COMPILER = sys.argv[6:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
