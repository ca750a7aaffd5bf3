#!/usr/bin/env python3
"""Scripts, profiles and documents use names that exist.

The names are HAKMEM_ variables of the option table, profiles, and options of hakstress.

usage: test_names.py HAKSTRESS
"""
import glob
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HAKSTRESS = ""


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def files(*patterns):
    found = [os.path.relpath(path, ROOT) for pattern in patterns for path in glob.glob(os.path.join(ROOT, pattern))]
    assert found, patterns
    return sorted(found)


def variables_of_the_table():
    rows = re.findall(r"^OPTION_[A-Z]+\(\w+, ([A-Z_]+),", text_of("lib/config/options.def"), re.M)
    assert "TINY_USE_SUPERSLAB" in rows
    return {"HAKMEM_" + row for row in rows}


def help_of(*command):
    return subprocess.run([HAKSTRESS, *command, "--help"], capture_output=True, text=True, check=True).stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text))


def profiles():
    return {os.path.basename(path)[: -len(".profile")] for path in files("profiles/*.profile")}


class Names(unittest.TestCase):
    def test_variables(self):
        known = variables_of_the_table()
        for path in files("scripts/*", "profiles/*", "docs/*.md", "README.md", "tests/integration/*.sh"):
            # HAKMEM_VERSION and the like are macros that the public header defines or asks for.
            macros = set(re.findall(r"(?m)^#.*\b(HAKMEM_[A-Z_]+)", text_of("include/hakmem/hakmem.h")))
            for name in set(re.findall(r"\bHAKMEM_[A-Z][A-Z_]*[A-Z]\b", text_of(path))) - macros:
                self.assertIn(name, known, path)

    def test_profiles_hold_variables_and_options_of_hakstress(self):
        known = variables_of_the_table()
        verbs = re.findall(r"^  hakstress ([a-z]+) ", help_of(), re.M)
        self.assertIn("repro", verbs)
        options = set().union(*(options_in(help_of(verb)) for verb in verbs))
        for path in files("profiles/*.profile"):
            lines = text_of(path).splitlines()
            self.assertRegex(lines[0], r"^# \w", path)
            for line in lines[1:]:
                key = line.split("=")[0]
                self.assertIn(key, known | options, path)

    def test_the_runners_know_every_profile(self):
        for path in ("scripts/run_larson_claude.sh", "scripts/larson.sh"):
            (usage,) = re.findall(r"usage: scripts/\S+ ([a-z0-9|]+) ", text_of(path))
            self.assertEqual(set(usage.split("|")), profiles(), path)
            wrong = subprocess.run([os.path.join(ROOT, path), "nosuch", "1", "1"], capture_output=True, text=True)
            self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
            self.assertIn(f"no profile 'nosuch'\nusage: {path} ", wrong.stderr)
        helped = subprocess.run([os.path.join(ROOT, "scripts/larson.sh"), "--help"], capture_output=True, text=True)
        self.assertEqual((helped.returncode, helped.stderr), (0, ""))
        self.assertRegex(helped.stdout, r"\Ausage: scripts/larson\.sh \S+ \[SECONDS\] \[THREADS\]")
        listed = subprocess.run([HAKSTRESS, "list", "profiles"], capture_output=True, text=True, check=True).stdout
        for profile in profiles():
            self.assertRegex(listed, rf"(?m)^{profile}\b")

    def test_commands_in_scripts_and_documents(self):
        """hakstress accepts each `hakstress VERB --option` in these files."""
        seen = 0
        for path in files("scripts/*.sh", "docs/*.md", "README.md", "CONTRIBUTING.md"):
            text = text_of(path).replace("\\\n", " ")
            for verb, rest in re.findall(r"hakstress\"? ([a-z]+)((?:[ \t][^\s`|;#()]+)*)", text):
                options = options_in(rest.split(" -- ")[0])
                if not options:
                    continue
                seen += 1
                self.assertLessEqual(options, options_in(help_of(verb)), f"{path}: hakstress {verb}{rest}")
        self.assertGreater(seen, 10)


VERDICT_SOURCES = files("cli/report/verdict*.c", "cli/report/abort_caller.c")


def causes():
    """Every wording of a verdict, except those that are composed of parts."""
    found = set()
    for path in VERDICT_SOURCES:
        source = re.sub(r'"\s*\n\s*"', "", text_of(path))
        for statement in re.findall(r"\bjudge\(\s*verdict,.*?\);", source, re.S):
            found.update(text for text in re.findall(r'"([^"\n]*)"', statement) if " " in text)
        found.update(re.findall(r'return "([^"]+ [^"]+)";', source))
        found.update(re.findall(r'\{"\w+(?:\(\)|::\w+\(\))?", "([a-z][^"]+ [^"]+)"\}', source))
    return {cause for cause in found if not cause.startswith(("missing change", "found "))}


class Verdicts(unittest.TestCase):
    def test_the_tables_have_every_wording(self):
        rows = re.findall(r"^\| ([^|]+) \|", text_of("docs/VERDICTS.md"), re.M)
        told = {row.strip() for row in rows} - {"verdict"}
        self.assertEqual(causes() - told, set(), "not in docs/VERDICTS.md")
        source = "".join(re.sub(r'"\s*\n\s*"', "", text_of(path)) for path in VERDICT_SOURCES)
        self.assertEqual({row for row in told if row not in source}, set(), "no verdict")
        self.assertGreater(len(told), 40)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
