#!/usr/bin/env python3
"""share/hakmem/hakmem-gdb.py: what it says of a live process and of its core dump, without debug information.

usage: test_gdb.py SCRIPT LAYOUT WAITS LIBHAKMEM...
Exit status 77 where gdb is missing, or has no Python.
"""
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = LAYOUT = WAITS = ""
LIBRARIES = []
ATTACH = ["gdb", "--nx", "--batch", "--quiet"]


def has_python():
    if shutil.which("gdb") is None:
        return False
    said = subprocess.run([*ATTACH, "-ex", "python print(6 * 7)"], capture_output=True, text=True)
    return said.stdout.strip() == "42"


class Layout(unittest.TestCase):
    def test_it_is_that_of_the_headers(self):
        said = subprocess.run([LAYOUT], capture_output=True, text=True, check=True).stdout
        wanted = {name: int(value) for name, value in (line.split() for line in said.splitlines())}
        with open(SCRIPT) as file:
            tree = ast.parse(file.read())
        (table,) = [node.value for node in tree.body
                    if isinstance(node, ast.Assign) and node.targets[0].id == "LAYOUT"]
        self.assertEqual(eval(compile(ast.Expression(table), SCRIPT, "eval")), wanted)


class Commands(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def gdb(self, *commands, **target):
        words = [*ATTACH]
        if "process" in target:
            words += ["-p", str(target["process"])]
        else:
            words += [WAITS, target["core"]]
        words += ["-ex", f"source {SCRIPT}"]
        for command in commands:
            words += ["-ex", command]
        said = subprocess.run(words, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        return said.stdout + said.stderr

    def stripped(self, library):
        """Without debug information; the symbols are there."""
        copy = os.path.join(self.directory.name, "libhakmem-checked.so" if "checked" in library else "libhakmem.so")
        subprocess.run(["objcopy", "--strip-debug", os.path.realpath(library), copy], check=True)
        return copy

    def check(self, library):
        preload = {**os.environ, "LD_PRELOAD": self.stripped(library)}
        with subprocess.Popen([WAITS, "keep"], env=preload, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            self.addCleanup(process.kill)
            live, freed, far = process.stdout.readline().split()
            core = os.path.join(self.directory.name, "core")
            questions = [f"hak block {live}+5", f"hak block {freed}", f"hak block {far}", "hak block 16",
                         f"hak slab {live}", "hak heap"]
            damage = (f"python h = Heap(); m = h.meta + h.slab_of({live}) * LAYOUT['meta.bytes']; "
                      "gdb.selected_inferior().write_memory(m, bytes([255] * 8))")
            said = self.gdb(*questions, f"generate-core-file {core}", damage, "hak heap", process=process.pid)
            self.told(said, live, freed, far)
            self.assertRegex(said, r"the free list of slab \d+ at 0x\w+ is DAMAGED: the link to 0xf+ does not lead to")
            process.kill()
        if "checked" in library:  # one core is enough
            self.told(self.gdb(*questions, core=core), live, freed, far)

    def told(self, said, live, freed, far):
        self.assertRegex(said, rf"{live[:-1]}5: 5 bytes into block {live} of 208 bytes, in use by the program")
        self.assertRegex(said, rf"{freed}: 0 bytes into block {freed} of 208 bytes, (free|in use .*cache)")
        self.assertRegex(said, rf"{far}: 0 bytes into the huge block {far} of \d{{7}} bytes")
        self.assertIn("0x10: not in the heap of libhakmem", said)
        self.assertRegex(said, r"slab \d+ at 0x\w+: 315 blocks of 208 bytes, owned by thread 1\n +\d+ handed out")
        self.assertRegex(said, r"   208 bytes: \d+ slabs, \d+ handed out")
        self.assertIn("no free list is damaged", said)

    def test_each_library(self):
        for library in LIBRARIES:
            with self.subTest(library):
                self.check(library)

    def test_program_without_the_library(self):
        with subprocess.Popen([WAITS, "keep"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            self.assertRegex(self.gdb("hak heap", process=process.pid), "there is no symbol hak_heap")
            process.kill()


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    SCRIPT, LAYOUT, WAITS, *LIBRARIES = (os.path.abspath(path) for path in sys.argv[1:])
    if not has_python():
        print("gdb with Python is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
