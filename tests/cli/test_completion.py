#!/usr/bin/env python3
"""The completion of hakstress in real shells: what a user types, then the tab key.

usage: test_completion.py HAKSTRESS FOLDER
FOLDER has hakstress for bash, _hakstress for zsh, and hakstress.fish. A shell that is not installed is skipped.
"""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = FOLDER = None
PATIENCE = 30  # seconds, on a busy machine
PROMPT = "READY> "


class Case(unittest.TestCase):
    shell = None

    def setUp(self):
        if shutil.which(self.shell) is None:
            self.skipTest(f"{self.shell} is missing")
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        for name in ("crash-one.txt", "crash-two.txt"):
            open(os.path.join(self.directory.name, name), "w").close()
        os.mkdir(os.path.join(self.directory.name, "kept"))

    def environment(self):
        path = os.path.dirname(HAKSTRESS) + ":" + os.environ["PATH"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_")}
        return {**clean, "PATH": path, "HOME": self.directory.name, "TERM": "dumb", "PS1": PROMPT}

    def file(self):
        return os.path.join(FOLDER, {"bash": "hakstress", "zsh": "_hakstress", "fish": "hakstress.fish"}[self.shell])


class Questions:
    """What every shell must answer."""

    def test_verbs(self):
        self.assertEqual(self.offered("hakstress re"), {"repro", "report", "record"})

    def test_every_option_of_every_verb(self):
        listed = subprocess.run([HAKSTRESS, "list", "verbs", "--json", "-"], check=True, capture_output=True)
        for verb in json.loads(listed.stdout)["verbs"]:
            wanted = {f"--{option['name']}" for option in verb["options"]}
            offered = {one.split("=")[0] for one in self.offered(f"hakstress {verb['name']} --")}
            self.assertEqual(offered - {"--"}, wanted, verb["name"])

    def test_a_choice_of_words(self):
        self.assertEqual(self.offered("hakstress explore --strategy "), {"exhaustive", "pct", "random", "all"})
        self.assertEqual(self.offered("hakstress list co"), {"counters"})

    def test_what_this_machine_has(self):
        self.assertEqual(self.offered("hakstress bench lars"), {"larson", "larson-sized"})
        self.assertIn("fast0", self.offered("hakstress repro --profile "))

    def test_processes_that_have_the_library(self):
        """And no others: this test has none."""
        libraries = os.path.join(os.path.dirname(HAKSTRESS), "../lib/libhakmem.so")
        environment = {**self.environment(), "LD_PRELOAD": os.path.realpath(libraries)}
        with subprocess.Popen(["sleep", "60"], env=environment) as process:
            try:
                end = time.monotonic() + PATIENCE
                pid, offered = str(process.pid), set()
                while pid not in offered and time.monotonic() < end:
                    offered = self.offered("hakstress stats ")
                self.assertIn(pid, offered)
                self.assertNotIn(str(os.getpid()), offered)
                self.assertEqual(self.offered(f"hakstress set {pid} rese"), {"reserve="})
                self.assertEqual(self.offered(f"hakstress set {pid} stats"), {"stats=", "stats_interval="})
            finally:
                process.kill()

    def test_files_and_folders(self):
        self.assertEqual(self.offered("hakstress report crash-"), {"crash-one.txt", "crash-two.txt"})
        self.assertEqual({one.rstrip("/") for one in self.offered("hakstress repro --results ")}, {"kept"})

    def test_the_command_after_the_dashes(self):
        self.assertIn("printf", self.offered("hakstress run --guard -- print"))


class Typed(Case):
    """A shell in a terminal, where a line and the tab key are typed."""

    def setUp(self):
        super().setUp()
        self.unread = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory.name)
            os.execvpe(self.arguments[0], self.arguments, self.environment())
        self.addCleanup(self.end, pid)
        self.read_until(PROMPT)
        for line in self.preparation:
            self.type(line.format(file=self.file()) + "\n")
            self.read_until(PROMPT)

    def end(self, pid):
        os.close(self.terminal)
        os.waitpid(pid, 0)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, what):
        """What the shell wrote up to this. The rest is kept for the next call."""
        end = time.monotonic() + PATIENCE
        while what not in self.unread:
            ready, _, _ = select.select([self.terminal], [], [], max(end - time.monotonic(), 0))
            self.assertTrue(ready, f"{self.shell} is silent: {self.unread!r}")
            self.unread += os.read(self.terminal, 65536).decode().replace("\r", "")
            self.unread = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07", "", self.unread)
        text, self.unread = self.unread.split(what, 1)
        return text

    def offered(self, typed):
        # What the tab key wrote stands before the next command, which clears the line first.
        self.type(typed + "\t\x15echo EN''D\n")
        lines = self.read_until("\nEND\n").split("\n")
        self.read_until(PROMPT)
        first = next(i for i, line in enumerate(lines) if typed.strip() in line)
        last = next(i for i, line in enumerate(lines) if "echo EN''D" in line)
        if last > first:
            return set(" ".join(lines[first + 1 : last]).split())
        # Only one is possible: it is completed in the line.
        completed = re.split(rf"\x08|\s\s|\s*echo EN|\s*{PROMPT}", lines[first][lines[first].index(typed.strip()) :])[0]
        return {completed[typed.rfind(" ") + 1 :].strip()}


class Bash(Typed, Questions):
    shell = "bash"
    arguments = ["bash", "--norc", "-i"]
    preparation = ["bind 'set enable-bracketed-paste off'", "bind 'set completion-query-items 0'",
                   "bind 'set page-completions off'", "bind 'set show-all-if-ambiguous on'", "source '{file}'"]


class Zsh(Typed, Questions):
    shell = "zsh"
    arguments = ["zsh", "-f", "-i"]
    preparation = ["setopt no_always_last_prompt no_prompt_sp no_prompt_cr no_beep no_list_ambiguous",
                   "unset zle_bracketed_paste", "autoload -Uz compinit; compinit -D -u", "LISTMAX=10000",
                   "zstyle ':completion:*' verbose no", "source '{file}'"]


class Fish(Case, Questions):
    shell = "fish"

    def offered(self, typed):
        script = f"source {self.file()}; complete -C '{typed}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], cwd=self.directory.name, env=self.environment(),
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.stderr, "")
        return {line.split("\t")[0] for line in done.stdout.splitlines()}


if __name__ == "__main__":
    HAKSTRESS, FOLDER = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
