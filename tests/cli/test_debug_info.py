#!/usr/bin/env python3
"""A crash is named by function, inlined function and line, whatever form its debug information has.

usage: test_debug_info.py HAKSTRESS SOURCE COMPILER...
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest


class DebugInformation(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.program = os.path.join(self.directory.name, "program")
        with open(SOURCE) as file:
            lines = file.read().split("\n")
        self.line = {what: 1 + next(i for i, line in enumerate(lines) if f"// the {what}" in line)
                     for what in ("crash", "inner call", "nested call", "plain call")}

    def compile(self, *options, compiler=None):
        command = (compiler or COMPILER) + ["-O1", "-g", *options, SOURCE, "-o", self.program]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)

    def tool(self, *command):
        subprocess.run(command, check=True, cwd=self.directory.name, timeout=60)

    def sections(self):
        return subprocess.check_output(["readelf", "-SW", self.program], text=True, timeout=60)

    def split(self, debug):
        """Moves the debug information to a separate file, which the program names by .gnu_debuglink."""
        self.tool("objcopy", "--only-keep-debug", self.program, debug)
        self.tool("objcopy", "--strip-all", "--add-gnu-debuglink=" + debug, self.program)
        self.assertNotIn(".debug_line", self.sections())

    def report(self, *arguments, **environment):
        results = os.path.join(self.directory.name, "results")
        command = [HAKSTRESS, "run", "--results", results, "--quiet", "--", self.program, *arguments]
        environment = {**os.environ, **environment}
        pipe = subprocess.PIPE
        done = subprocess.run(command, stdout=pipe, stderr=pipe, text=True, timeout=60, env=environment)
        path = re.search(r"report=(\S+\.txt)", done.stdout + done.stderr)
        self.assertTrue(path, done.stdout + done.stderr)
        with open(path[1]) as file:
            text = file.read()
        with open(path[1][: -len("txt")] + "json") as file:
            return json.load(file), text

    def assert_named(self):
        crash, call = self.line["crash"], self.line["plain call"]
        report, text = self.report()
        self.assertEqual(report["verdict"]["where"], f"in store (debug_info.c:{crash}), inlined into write_to")
        frame = report["backtrace"][0]
        self.assertEqual((frame["symbol"], frame["file"], frame["line"]), ("write_to", "debug_info.c", crash))
        self.assertEqual(frame["inlined"], [{"symbol": "store", "called_from": f"debug_info.c:{call}"}])
        self.assertRegex(
            text,
            rf"store  debug_info\.c:{crash}  \(inlined\)\n +write_to\+0x\w+  debug_info\.c:{call}  \(program\+0x",
        )
        self.assertIn("main", [frame.get("symbol") for frame in report["backtrace"]])

    def test_inlined_in_an_inlined_function(self):
        self.compile()
        crash, inner, nested = (self.line[what] for what in ("crash", "inner call", "nested call"))
        report, text = self.report("nested")
        self.assertEqual(
            report["backtrace"][0]["inlined"],
            [
                {"symbol": "store", "called_from": f"debug_info.c:{inner}"},
                {"symbol": "store_two", "called_from": f"debug_info.c:{nested}"},
            ],
        )
        self.assertRegex(
            text,
            rf"store  debug_info\.c:{crash}  \(inlined\)\n +store_two  debug_info\.c:{inner}  \(inlined\)\n"
            rf" +write_to\+0x\w+  debug_info\.c:{nested}  \(",
        )

    def test_in_the_file_itself(self):
        self.compile()
        self.assert_named()

    def test_compressed(self):
        self.compile("-gz=zlib")
        self.assertRegex(self.sections(), r"\.debug_line .* C ")
        self.assert_named()

    def test_dwarf_4(self):
        self.compile("-gdwarf-4")
        self.assert_named()

    def test_separate_file_beside_the_program(self):
        self.compile()
        self.split("program.debug")
        self.assert_named()

    def test_separate_file_compressed_in_the_folder_for_it(self):
        self.compile("-gz=zlib")
        self.split("other-name")
        self.tool("mkdir", ".debug")
        self.tool("mv", "other-name", ".debug")
        self.assert_named()

    def test_separate_file_of_another_build_is_not_believed(self):
        self.compile("-DANOTHER_BUILD")
        self.tool("objcopy", "--only-keep-debug", self.program, "another.debug")
        self.compile("-fno-omit-frame-pointer")
        self.split("program.debug")
        self.tool("mv", "another.debug", "program.debug")
        report, _ = self.report()
        self.assertNotIn("file", report["backtrace"][0])
        self.assertRegex(report["verdict"]["where"], r"^in .*/program\+0x\w+$")

    def test_names_are_found_later(self):
        """Where the debug information is, which the run did not have: in a folder of build ids."""
        self.compile("-Wl,--build-id")
        self.split("program.debug")
        os.rename(os.path.join(self.directory.name, "program.debug"), os.path.join(self.directory.name, "elsewhere"))
        report, text = self.report()
        frame = report["backtrace"][0]
        self.assertNotIn("symbol", frame)
        self.assertIn(f"no names for {self.program}, build id {frame['build_id']}", text)
        folder = os.path.join(self.directory.name, "symbols", ".build-id", frame["build_id"][:2])
        os.makedirs(folder)
        os.rename(os.path.join(self.directory.name, "elsewhere"),
                  os.path.join(folder, frame["build_id"][2:] + ".debug"))
        os.unlink(self.program)
        (saved,) = [name for name in os.listdir(os.path.join(self.directory.name, "results"))
                    if name.endswith(".crash.json")]
        command = [HAKSTRESS, "report", "--symbols", os.path.join(self.directory.name, "symbols"),
                   os.path.join(self.directory.name, "results", saved)]
        named = subprocess.check_output(command, text=True, timeout=60)
        self.assertRegex(named, rf"in store \(debug_info\.c:{self.line['crash']}\), inlined\s+into write_to")
        self.assertRegex(named, rf"store  debug_info\.c:{self.line['crash']}  \(inlined\)\n +write_to\+0x")
        self.assertNotIn("no names for", named)

    def test_nothing_is_fetched(self):
        """DEBUGINFOD_URLS asks for downloads, for which the crashed process would have to wait."""
        self.compile()
        self.split("program.debug")
        os.remove(os.path.join(self.directory.name, "program.debug"))
        cache = self.directory.name + "/cache"
        self.report(DEBUGINFOD_URLS="http://127.0.0.1:1/", DEBUGINFOD_CACHE_PATH=cache)
        self.assertFalse(os.path.exists(cache))

    @unittest.skipUnless(shutil.which("clang"), "clang is not installed")
    def test_of_clang_which_writes_no_table_of_addresses(self):
        self.compile(compiler=["clang"])
        self.assertNotIn(".debug_aranges", self.sections())
        self.assert_named()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    HAKSTRESS, SOURCE, *COMPILER = sys.argv[1:]
    HAKSTRESS, SOURCE = os.path.abspath(HAKSTRESS), os.path.abspath(SOURCE)
    unittest.main(argv=sys.argv[:1])
