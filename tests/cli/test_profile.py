#!/usr/bin/env python3
"""hakstress profile: its formats say the same, they can be read back, and wrong input is refused with one line.

usage: test_profile.py HAKSTRESS PROGRAM LIBHAKMEM.so [CLASS...]
"""
import contextlib
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = PROGRAM = LIBRARY = None


def clean_environment(**more):
    return {k: v for k, v in os.environ.items() if not k.startswith(("HAKMEM_", "HAKSTRESS_", "LD_PRELOAD"))} | more


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    """The fields of a protobuf message: (number, whole number or bytes)."""
    at, found = 0, []
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
            assert at <= len(data), "a field ends behind its message"
        else:
            assert key & 7 == 0, f"kind {key & 7} of a field"
        found.append((key >> 3, value))
    return found


def packed(data):
    at, numbers = 0, []
    while at < len(data):
        value, at = varint(data, at)
        numbers.append(value - (1 << 64) if value >> 63 else value)
    return numbers


def several(message, number):
    return [value for field, value in message if field == number]


def one(message, number):
    return dict(message).get(number, 0)


class Pprof:
    """What pprof's profile.proto names: samples as (names of functions, values), the innermost first."""

    def __init__(self, data):
        top = fields(gzip.decompress(data))
        strings = [text.decode() for text in several(top, 6)]
        assert strings[0] == ""
        self.types = [strings[one(fields(kind), 1)] for kind in several(top, 1)]
        self.rate = one(top, 12)
        mappings = {one(fields(mapping), 1) for mapping in several(top, 3)}
        functions = {}
        for function in map(fields, several(top, 5)):
            functions[one(function, 1)] = strings[one(function, 2)]
        locations = {}
        for location in map(fields, several(top, 4)):
            assert one(location, 2) in mappings
            lines = [functions[one(fields(line), 1)] for line in several(location, 4)]
            locations[one(location, 1)] = lines
        self.samples = []
        for sample in map(fields, several(top, 2)):
            names = [name for number in packed(one(sample, 1) or b"") for name in locations[number]]
            self.samples.append((names, dict(zip(self.types, packed(one(sample, 2)), strict=True))))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def profile(self, status, *words, **environment):
        return self.run_command(status, "profile", *words, **environment)

    def run_command(self, status, *words, **environment):
        done = subprocess.run([HAKSTRESS, *words], capture_output=True, text=True, timeout=100, check=False,
                              env=clean_environment(**environment), cwd=self.folder, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done


class Formats(Case):
    def setUp(self):
        if not (self.folder / "raw").exists():
            self.profile(0, "--rate", "4096", "--raw", "raw", "--", PROGRAM, "mixed")
        self.profile(0, "--pprof", "pb.gz", "--collapsed", "stacks", "--json", "json", "--order", "allocated", "raw")
        self.document = json.loads((self.folder / "json").read_text())
        self.at = {name: i for i, name in enumerate(self.document["values"])}

    def sum_of(self, value):
        return sum(stack["values"][self.at[value]] for stack in self.document["stacks"])

    def test_pprof_reads_back(self):
        pprof = Pprof((self.folder / "pb.gz").read_bytes())
        self.assertEqual(pprof.rate, 4096)
        for kind, value in {"alloc_objects": "all_blocks", "alloc_space": "all_bytes",
                            "inuse_objects": "live_blocks", "inuse_space": "live_bytes"}.items():
            self.assertEqual(sum(values[kind] for _, values in pprof.samples), self.sum_of(value), kind)
        inner_and_outer = [names for names, _ in pprof.samples if "small" in names]
        self.assertTrue(inner_and_outer)
        for names in inner_and_outer:
            self.assertLess(names.index("small"), names.index("mixed"))
            self.assertLess(names.index("mixed"), names.index("main"))

    def test_collapsed_stacks_begin_with_the_outermost_function(self):
        total = 0
        for line in (self.folder / "stacks").read_text().splitlines():
            stack, _, number = line.rpartition(" ")
            names = stack.split(";")
            total += int(number)
            if "small" in names:
                self.assertLess(names.index("main"), names.index("small"))
        self.assertEqual(total, self.sum_of("all_bytes"))

    def test_table_begins_with_the_caller_of_a_wrapper(self):
        shown = self.profile(0, "--order", "allocated", "--top", "1", "raw").stdout
        self.assertRegex(shown, r"\n +pages +profile\.c:\d+\n +mixed ")
        shown = self.profile(0, "--order", "allocated", "--top", "1", "--wrapper", "pa?es", "raw").stdout
        self.assertNotIn("pages ", shown)
        self.assertRegex(shown, r"\n +mixed +profile\.c:\d+\n +main ")

    def test_growth_is_what_came_since_the_first_moment(self):
        self.profile(0, "--rate", "4096", "--every", "0.001", "--order", "growth", "--json", "grown", "--", PROGRAM,
                     "mixed")
        self.document = json.loads((self.folder / "grown").read_text())
        self.assertGreater(self.document["moments"], 1)
        self.assertGreater(self.sum_of("first_bytes"), 0)
        self.assertLess(self.sum_of("first_bytes"), self.sum_of("live_bytes") / 2)


class Running(Case):
    @contextlib.contextmanager
    def process(self, way, **more):
        more = {"LD_PRELOAD": LIBRARY, "HAKMEM_PROFILE_RATE": "4096", "HAKMEM_PROFILE_FILE": "asked.%p"} | more
        with subprocess.Popen([PROGRAM, way], stdout=subprocess.PIPE, env=clean_environment(**more),
                              cwd=self.folder) as run:
            try:
                self.assertEqual(run.stdout.readline(), b"ready\n")
                yield str(run.pid)
                self.assertIsNone(run.poll())
            finally:
                run.send_signal(signal.SIGKILL)

    def asks(self, pid):
        shown = self.profile(0, "--pid", pid, "--top", "1").stdout
        self.assertRegex(shown, r"\n +\w+ +profile\.c:\d+\n +mixed ")

    def test_asks_a_process(self):
        with self.process("wait", HAKMEM_PROFILE="1", HAKMEM_PROFILE_SIGNAL="44") as pid:
            self.asks(pid)

    def test_asks_a_process_that_has_no_signal(self):
        with self.process("busy", HAKMEM_PROFILE="1") as pid:
            self.asks(pid)

    def test_finds_a_process_that_has_written_over_its_environment(self):
        with self.process("titled", HAKMEM_PROFILE="1", HAKMEM_PROFILE_SIGNAL="44") as pid:
            self.assertNotIn(b"HAKMEM", pathlib.Path(f"/proc/{pid}/environ").read_bytes())
            self.asks(pid)
            for command in ("stats", "trim", "check"):
                self.run_command(0, command, pid)
            self.run_command(0, "set", pid, "reserve=1M")

    def test_the_profile_is_switched_on_from_outside(self):
        with self.process("busy") as pid:
            err = self.profile(3, "--pid", pid).stderr
            self.assertEqual(err, f"hakstress: the profile of process {pid} is off: switch it on with hakstress set "
                                  f"{pid} profile=1\n")
            self.run_command(0, "set", pid, "profile=1")
            end = time.monotonic() + 30
            while "main" not in (shown := self.profile(0, "--pid", pid, "--order", "allocated").stdout):
                self.assertLess(time.monotonic(), end, shown)
            self.run_command(0, "set", pid, "profile=0")
            self.profile(3, "--pid", pid)

    def test_a_process_without_profile_is_not_signalled(self):
        with subprocess.Popen(["sleep", "60"], env=clean_environment()) as run:
            try:
                err = self.profile(3, "--pid", str(run.pid)).stderr
                self.assertRegex(err, r"^hakstress: process \d+ does not have libhakmem: [^\n]*\n$")
                self.assertIsNone(run.poll())
            finally:
                run.kill()


class Refused(Case):
    def test_wrong_input(self):
        (self.folder / "junk").write_bytes(b"end\nsite 1 2\n\0\xff")
        (self.folder / "cut").write_text("hakmem-profile 1 pid=1 rate=4096 why=exit ms=1\nsite 1024 8 0 0 0 0 1\n")
        for words in ([], ["junk"], ["cut"], ["missing"], ["--pid", "x"], ["--order", "size", "junk"],
                      ["--every", "0", "junk"], ["--rate", "0", "junk"], ["--pid", "1", "junk"],
                      ["--top", "-1", "junk"]):
            with self.subTest(words=words):
                done = self.profile(2, *words)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"^hakstress: [^\n]*\n$")

    def test_command_keeps_its_status(self):
        self.profile(7, "--", "sh", "-c", "exit 7")
        self.profile(127, "--", "./no-such-command")


if __name__ == "__main__":
    HAKSTRESS, PROGRAM, LIBRARY = map(os.path.abspath, sys.argv[1:4])
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
