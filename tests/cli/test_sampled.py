#!/usr/bin/env python3
"""hakstress report reads what the library tells of sampled blocks, and names functions and source lines.

usage: test_sampled.py HAKSTRESS PROGRAM SOURCE LIBHAKMEM.so
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HAKSTRESS = PROGRAM = SOURCE = LIBRARY = ""


def line_of(mark):
    """Number of the line of the program's source that has the comment."""
    (number,) = [n for n, line in enumerate(pathlib.Path(SOURCE).read_text().splitlines(), 1) if f"// {mark}" in line]
    return number


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}

    def tearDown(self):
        self.directory.cleanup()

    def log_of(self, way, status, program=None):
        """What the program leaves on stderr when each of its blocks is a sample."""
        done = subprocess.run([program or PROGRAM, way], capture_output=True, text=True, timeout=60, check=False,
                              env={**self.environment, "LD_PRELOAD": LIBRARY, "HAKMEM_SAMPLE": "1"})
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def report(self, log, *args, status=0):
        path = os.path.join(self.directory.name, "log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(log)
        done = subprocess.run([HAKSTRESS, "report", *args, path], capture_output=True, text=True, timeout=60,
                              check=False, env=self.environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_read_after_free(self):
        text = self.report(self.log_of("freed", -signal.SIGSEGV))
        self.assertRegex(text, r"check=use_after_free site=read your program used 0x\w+, 3 bytes into the 48-byte ")
        access = re.search(r"the access was in thread \d+:\n(.*)\n", text).group(1)
        self.assertRegex(access, rf"#0 .* look_at\+0x\w+  sampled\.c:{line_of('look')}  \(")
        freed = re.search(r"the block was freed in thread \d+:\n(.*)\n", text).group(1)
        self.assertRegex(freed, rf"#0 .* drop_text\+0x\w+  sampled\.c:{line_of('drop')}  \(")
        allocated = re.search(r"the block was allocated in thread \d+:\n(.*)\n(.*)\n", text)
        self.assertRegex(allocated.group(1), rf"#0 .* make_text\+0x\w+  sampled\.c:{line_of('make')}  \(")
        self.assertRegex(allocated.group(2), r"#1 .* main\+0x")

    def test_double_free(self):
        text = self.report(self.log_of("twice", -signal.SIGABRT))
        self.assertIn("check=double_free site=free", text)
        call = re.search(r"the call was in thread \d+:\n(.*)\n", text).group(1)
        self.assertRegex(call, rf"#0 .* drop_text\+0x\w+  sampled\.c:{line_of('drop')}  \(")

    def test_overflow_as_json(self):
        report = json.loads(self.report(self.log_of("far", -signal.SIGSEGV), "--json", "-"))
        self.assertEqual(report["kind"], "fault_log")
        (fault,) = report["faults"]
        self.assertEqual((fault["check"], fault["site"]), ("overflow", "read"))
        stacks = {stack["stack"]: stack["frames"] for stack in fault["stacks"]}
        self.assertEqual(set(stacks), {"access", "allocated"})
        frame = stacks["access"][0]
        self.assertEqual((frame["symbol"], frame["file"], frame["line"]), ("look_at", "sampled.c", line_of("look")))
        self.assertEqual(os.path.realpath(frame["module"]), os.path.realpath(PROGRAM))

    def run_of(self, way):
        """What hakstress run prints of the program, whose blocks are all samples."""
        done = subprocess.run([HAKSTRESS, "run", "--", PROGRAM, way], capture_output=True, text=True, timeout=60,
                              check=False, env={**self.environment, "HAKMEM_SAMPLE": "1"},
                              cwd=self.directory.name)
        self.assertEqual(done.returncode, 128 + signal.SIGSEGV, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_threads_that_fault_at_once(self):
        """The report is of the thread that told: fault_addr, the check and the verdict name one access."""
        for _ in range(4):
            text = self.run_of("threads")
            address = re.search(r"run: fault signal=SIGSEGV fault_addr=(0x\w+) check=use_after_free ", text).group(1)
            told = re.findall(r"your program used (0x\w+),", text)
            self.assertIn(address, told, text)
            verdict = text[text.index("\nverdict: "):]
            self.assertEqual(set(re.findall(r"your program used (0x\w+),", verdict)), {address}, text)

    def test_death_after_a_fault_that_was_survived(self):
        text = self.run_of("survived")
        self.assertIn("fault_addr=0x43 check=none", text)
        self.assertEqual(text.count("hakmem: check="), 1, text)

    def test_lines_in_a_log_of_others(self):
        log = self.log_of("freed", -signal.SIGSEGV)
        lines = [f"Nov 30 12:00:0{i % 10} host sampled[7]: {line}" for i, line in enumerate(log.splitlines())]
        mixed = "\n".join(["hello", *lines, "hakmem: no fault", "bye"])
        self.assertEqual(self.report(mixed), self.report(log))
        done = subprocess.run([HAKSTRESS, "report", "-"], input=mixed, capture_output=True, text=True, timeout=60,
                              check=False, env=self.environment)
        self.assertEqual(done.stdout, self.report(log))

    def test_another_build(self):
        """The program was replaced since: its lines would be wrong, so none are given."""
        program = os.path.join(self.directory.name, "sampled")
        shutil.copy(PROGRAM, program)
        log = self.log_of("freed", -signal.SIGSEGV, program)
        shutil.copy(LIBRARY, program)
        text = self.report(log)
        self.assertRegex(text, rf"{program} is another build now: the log's has build id [0-9a-f]+, the file [0-9a-f]+")
        self.assertNotIn("look_at", text)
        os.remove(program)
        self.assertIn(f"{program} is gone", self.report(log))

    def test_a_line_without_stacks(self):
        text = self.report("hakmem: check=double_free site=free block 0x10 of 48 bytes was freed before\n")
        self.assertIn("what it means: your code freed a block twice\n", text)
        self.assertIn("hakstress run --guard -- COMMAND", text)

    def test_a_log_without_faults(self):
        """Without the words of a reader of JSON."""
        for log in ("nothing\n", "", "server: started\n", "{broken\n", "# A heading\n"):
            text = self.report(log, status=2)
            self.assertIn("neither a crash report nor a log with faults: no line of it has \"hakmem: check=\"", text)
            self.assertNotIn("expected", text)
        done = subprocess.run([HAKSTRESS, "report", self.directory.name], capture_output=True, text=True, timeout=60,
                              check=False, env=self.environment)
        self.assertEqual((done.returncode, done.stderr),
                         (2, f"hakstress: {self.directory.name} is a folder; name a crash report or a log in it\n"))
        shown = subprocess.run([HAKSTRESS, "report", "--help"], capture_output=True, text=True, check=True)
        self.assertIn("Exit status: 0 if FILE was explained, 2 if there is nothing to explain", shown.stdout)


if __name__ == "__main__":
    HAKSTRESS, PROGRAM, SOURCE, LIBRARY = map(os.path.abspath, sys.argv[1:5])
    unittest.main(argv=sys.argv[:1])
