#!/usr/bin/env python3
"""hakstress config: what it says of a hakmem.conf, and that it says what the library does.

usage: test_config.py HAKSTRESS LIBHAKMEM.so
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HAKSTRESS = LIBRARY = None
RIGHT = """\
# for all
HAKMEM_RESERVE = 64M
[nginx]
HAKMEM_PURGE_MS=1000
HAKMEM_GUARD=1
[true]
HAKMEM_PURGE_MS=7
HAKMEM_RESERVE=8K
"""
WRONG = ["nonsense", "HAKMEM_PURGE=1", "HAKMEM_PURGE_MS=-1", "[a/b]", "HAKMEM_CONF=/a", "HAKMEM_THP="]


class Config(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.conf = Path(directory.name) / "my.conf"
        self.clean = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}

    def config(self, status, *arguments, **variables):
        done = subprocess.run([HAKSTRESS, "config", *map(str, arguments)], env={**self.clean, **variables},
                              cwd=self.conf.parent, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status < 2 else done.stderr

    def test_a_right_file(self):
        self.conf.write_text(RIGHT)
        self.conf.chmod(0o644)
        said = self.config(0, "check", self.conf)
        self.assertIn(f"{self.conf}:5: note: only libhakmem-checked.so has HAKMEM_GUARD\n", said)
        self.assertEqual(said.splitlines()[-1], f"config: ok {self.conf}: 5 options, 2 sections")

    def test_each_wrong_line_is_named(self):
        self.conf.write_text("\n".join(WRONG) + "\nHAKMEM_THP=never\n")
        said = self.config(1, "check", self.conf)
        lines = [int(number) for number in re.findall(rf"(?m)^{self.conf}:(\d+): ", said)]
        self.assertEqual(lines, [1, 2, 3, 4, 5, 6])
        self.assertIn("HAKMEM_PURGE_MS must be 0 to 3600000, not '-1'", said)
        self.assertEqual(said.splitlines()[-1], f"config: 6 wrong lines in {self.conf}")
        told = json.loads(self.config(1, "check", self.conf, "--json", "-"))
        self.assertEqual([one["line"] for one in told["wrong"]], lines)

    def test_a_file_that_others_may_write(self):
        self.conf.write_text("")
        self.conf.chmod(0o666)
        self.assertIn("set-user-id programs ignore it", self.config(0, "check", self.conf))

    def test_wrong_usage(self):
        for arguments in ([], ["chek"], ["check", "a", "b"], ["check", "/no/such"], ["check", "/"],
                          ["show", "/no/such"]):
            said = self.config(2, *arguments)
            self.assertEqual(said.count("\n"), 1, said)

    def test_show_says_where_each_option_comes_from(self):
        self.conf.write_text(RIGHT)
        said = self.config(0, "show", self.conf, "--program", "nginx", HAKMEM_THP="never", HAKMEM_PURGE_MS="3")
        self.assertIn(f"HAKMEM_RESERVE=64M   ({self.conf}:2)\n", said)
        self.assertIn("HAKMEM_PURGE_MS=3   (environment)\n", said)
        self.assertIn("HAKMEM_THP=never   (environment)\n", said)
        everybody = self.config(0, "show", self.conf)
        self.assertEqual(everybody, f"HAKMEM_RESERVE=64M   ({self.conf}:2)\nconfig: 1 option for every program\n")

    def test_show_agrees_with_a_process(self):
        self.conf.write_text("HAKMEM_VERBOSE=1\n" + RIGHT + "\n".join(WRONG) + "\nHAKMEM_PURGE_MS=9\n")
        told = json.loads(self.config(0, "show", self.conf, "--program", "true", "--json", "-"))
        process = subprocess.run([shutil.which("true")], capture_output=True, text=True, timeout=60, check=True,
                                 env={**self.clean, "LD_PRELOAD": LIBRARY, "HAKMEM_CONF": str(self.conf)}).stderr
        in_force = dict(re.findall(r"(?m)^hakmem: (HAKMEM_\w+)=(.*)$", process))
        self.assertEqual(set(told["options"]), {"HAKMEM_VERBOSE", "HAKMEM_PURGE_MS", "HAKMEM_RESERVE"})
        self.assertEqual({name: told["options"][name]["value"] for name in ("HAKMEM_VERBOSE", "HAKMEM_PURGE_MS")},
                         {name: in_force[name] for name in ("HAKMEM_VERBOSE", "HAKMEM_PURGE_MS")})
        self.assertEqual((told["options"]["HAKMEM_RESERVE"]["value"], in_force["HAKMEM_RESERVE"]), ("8K", "8192"))

    def test_hakstress_itself_reads_no_file(self):
        self.conf.write_text("HAKMEM_VERBOSE=1\nnonsense\n")
        done = subprocess.run([HAKSTRESS, "repro", "0.1", "1", "--quiet", "--results", "none"], capture_output=True,
                              text=True, timeout=60, env={**self.clean, "HAKMEM_CONF": str(self.conf)}, check=True)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    HAKSTRESS, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
