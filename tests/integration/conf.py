#!/usr/bin/env python3
"""hakmem.conf in real processes: preloaded, linked and static ones, by the name of the program; what wins over what;
what is told; what privileged programs take from it; and what it costs a process that has none.

usage: conf.py SHARED_PROGRAM STATIC_PROGRAM LIBHAKMEM.so
SHARED_PROGRAM is linked with the library, STATIC_PROGRAM with the archive: conf_program.c.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SHARED = STATIC = LIBRARY = None
PURGE, RESERVE = "HAKMEM_PURGE_MS", "HAKMEM_RESERVE"


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        self.conf = self.folder / "hakmem.conf"

    def run_it(self, *command, **variables):
        """What it wrote to stdout and to stderr."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                              env={**clean, **{name: str(value) for name, value in variables.items()}}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip(), done.stderr

    def value(self, option, *, program=None, conf=None, **variables):
        return self.run_it(program or SHARED, option, HAKMEM_CONF=conf or self.conf, **variables)

    def named(self, name, program=None):
        """A copy under this name; the program without libraries finds none from there."""
        path = self.folder / name
        shutil.copy(program or STATIC, path)
        return path


class Values(Case):
    def test_shared_and_static_programs(self):
        self.conf.write_text(f"{PURGE}=7\n")
        for program in (SHARED, STATIC):
            self.assertEqual(self.value(PURGE, program=program), ("7", ""), program)

    def test_a_preloaded_program_without_any_environment_of_its_own(self):
        self.conf.write_text(f"HAKMEM_VERBOSE=1\n[true]\n{PURGE}=7\n")
        true = shutil.which("true")
        _, said = self.run_it(true, LD_PRELOAD=LIBRARY, HAKMEM_CONF=self.conf)
        self.assertIn(f"{PURGE}=7\n", said)
        _, said = self.run_it(self.named("other", true), LD_PRELOAD=LIBRARY, HAKMEM_CONF=self.conf)
        self.assertIn(f"{PURGE}=250\n", said)

    def test_sections_are_for_programs_of_that_name(self):
        self.conf.write_text(f"{PURGE}=1\n{RESERVE}=1\n[one]\n{PURGE}=2\n[two]\n{PURGE}=3\n[one]\n{RESERVE}=4K\n")
        one, two, three = self.named("one"), self.named("two"), self.named("three")
        self.assertEqual([self.value(PURGE, program=program)[0] for program in (one, two, three)], ["2", "3", "1"])
        self.assertEqual([self.value(RESERVE, program=program)[0] for program in (one, two, three)],
                         ["4096", "1", "1"])

    def test_a_script_has_its_own_name(self):
        self.conf.write_text(f"{PURGE}=1\n[script]\n{PURGE}=2\n[{Path(SHARED).name}]\n{PURGE}=3\n")
        script = self.folder / "script"
        script.write_text(f"#!{SHARED} {PURGE}\n")
        script.chmod(0o755)
        # The program gets the script's path as an operand more, so the script itself is asked for verbose options.
        clean = {"HAKMEM_CONF": str(self.conf), "HAKMEM_VERBOSE": "1", "PATH": os.environ["PATH"]}
        done = subprocess.run([str(script)], env=clean, capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(f"{PURGE}=2\n", done.stderr)

    def test_the_last_line_counts_and_the_environment_wins(self):
        self.conf.write_text(f"{PURGE}=1\n{PURGE}=2\n")
        self.assertEqual(self.value(PURGE)[0], "2")
        self.assertEqual(self.value(PURGE, HAKMEM_PURGE_MS=9)[0], "9")
        self.assertEqual(self.value(PURGE, HAKMEM_PURGE_MS="")[0], "2")
        value, said = self.value(PURGE, HAKMEM_PURGE_MS="x")
        self.assertEqual(value, "2")
        self.assertIn("it stays 2\n", said)

    def test_fork_keeps_and_exec_reads_again(self):
        self.conf.write_text(f"{PURGE}=1\n[after]\n{PURGE}=2\n")
        after = self.named("after")
        self.assertEqual(self.run_it(SHARED, "fork", PURGE, HAKMEM_CONF=self.conf)[0], "1")
        # By the file, not by what the caller calls it.
        self.assertEqual(self.run_it(SHARED, "exec", after, PURGE, HAKMEM_CONF=self.conf)[0], "2")

    def test_lines_of_other_systems_and_a_last_line_without_an_end(self):
        self.conf.write_bytes(f"# x\r\n\r\n{RESERVE} =  4K \r\n{PURGE}=7".encode())
        self.assertEqual(self.value(PURGE), ("7", ""))
        self.assertEqual(self.value(RESERVE), ("4096", ""))


class Told(Case):
    def told(self, text, program=None):
        self.conf.write_bytes(text.encode())
        value, said = self.value(PURGE, program=program)
        return value, said.replace(str(self.conf), "FILE")

    def test_one_wrong_line(self):
        value, said = self.told(f"{PURGE}=3\n{PURGE}=many\n")
        self.assertEqual(said, f"hakmem: FILE:2: {PURGE} must be 0 to 3600000, not 'many'; the line is ignored\n")
        self.assertEqual(value, "3")

    def test_many_wrong_lines_are_one_line(self):
        value, said = self.told("HAKMEM_RESERV=1\n" + "x\n" * 1000 + f"{PURGE}=3\n")
        self.assertEqual(said, "hakmem: FILE:1: there is no option 'HAKMEM_RESERV'; the nearest is HAKMEM_RESERVE; "
                               "1001 wrong lines are ignored: hakstress config check FILE\n")
        self.assertEqual(value, "3")

    def test_wrong_lines_of_others_are_theirs(self):
        text = f"[other]\nnonsense\n[mine]\n{PURGE}=3\n"
        self.assertEqual(self.told(text, self.named("mine")), ("3", ""))
        self.assertIn("FILE:2:", self.told(text, self.named("other"))[1])

    def test_nothing_below_a_wrong_section_counts(self):
        value, said = self.told(f"[nginx\n{PURGE}=3\n")
        self.assertEqual(value, "250")
        self.assertRegex(said, r"^hakmem: FILE:1: expected \[PROGRAM\], not '\[nginx'; the line is ignored\n$")

    def test_what_the_release_library_does_not_have(self):
        _, said = self.told("HAKMEM_GUARD=1\n")
        self.assertIn("FILE:1: HAKMEM_GUARD does nothing here: only libhakmem-checked.so has it", said)

    def test_a_missing_file_is_told_if_it_was_named(self):
        _, said = self.value(PURGE, conf="/no/such.conf")
        self.assertEqual(said, "hakmem: cannot read /no/such.conf (error 2)\n")
        for nothing in ("/dev/null", "/dev/zero", self.folder):
            self.assertEqual(self.value(PURGE, conf=nothing), ("250", ""))

    def test_a_pipe_without_a_writer_does_not_stop_the_process(self):
        os.mkfifo(self.conf)
        self.assertEqual(self.value(PURGE), ("250", ""))

    def test_any_bytes(self):
        self.conf.write_bytes(bytes(range(256)) * 300)
        _, said = self.value(PURGE)
        self.assertEqual(said.count("\n"), 1)
        self.assertRegex(said, r"^[ -~]*\n$")


class EtcFile(Case):
    """/etc/hakmem.conf itself, in a mount namespace where /etc is empty."""

    def in_new_etc(self, script, **variables):
        if os.getuid() != 0:
            self.skipTest("only root may mount")
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/etc"], check=False,
                          capture_output=True, timeout=60).returncode != 0:
            self.skipTest("mount is not allowed here")
        return self.run_it("unshare", "-m", "sh", "-ec", f"mount -t tmpfs none /etc\n{script}", **variables)

    def test_the_file_is_found_there(self):
        text = f"echo {PURGE}=5 >/etc/hakmem.conf; chmod 600 /etc/hakmem.conf"
        self.assertEqual(self.in_new_etc(f"{text}; {SHARED} {PURGE}")[0], "5")
        self.assertEqual(self.in_new_etc(f"{text}; {STATIC} {PURGE}")[0], "5")

    def privileged(self, prepare, option):
        """The value in a program that runs as another user than who started it. Another file may be named in vain."""
        program = self.named("privileged", STATIC)
        self.folder.chmod(0o755)
        os.chown(program, 65534, 65534)
        program.chmod(0o4755)
        self.conf.write_text(f"{PURGE}=99\n")
        value, said = self.in_new_etc(f"{prepare}; {program} {option}", HAKMEM_CONF=self.conf, HAKMEM_PURGE_MS=98)
        if not value.endswith("privileged"):
            self.skipTest("set-user-id has no effect here")
        self.assertEqual(said, "")
        return value.removesuffix("privileged").strip()

    def test_a_privileged_program_takes_a_file_of_root_alone(self):
        write = f"echo {PURGE}=5 >/etc/hakmem.conf"
        self.assertEqual(self.privileged(f"{write}; chmod 644 /etc/hakmem.conf", PURGE), "5")
        self.assertEqual(self.privileged(f"{write}; chmod 664 /etc/hakmem.conf", PURGE), "250")
        self.assertEqual(self.privileged(f"{write}; chmod 646 /etc/hakmem.conf", PURGE), "250")
        self.assertEqual(self.privileged(f"{write}; chown 65534 /etc/hakmem.conf", PURGE), "250")
        self.assertEqual(self.privileged(":", PURGE), "250")

    def test_a_privileged_program_writes_no_files(self):
        write = "printf 'HAKMEM_STATS_FILE=/tmp/a\\nHAKMEM_PROFILE=1\\n' >/etc/hakmem.conf"
        self.assertEqual(self.privileged(write, "HAKMEM_STATS_FILE"), "")
        self.assertEqual(self.privileged(write, "HAKMEM_PROFILE"), "0")


class Price(Case):
    def calls(self, *names, conf):
        if shutil.which("strace") is None:
            self.skipTest("strace is missing")
        clean = {"PATH": os.environ["PATH"], **({"HAKMEM_CONF": str(conf)} if conf else {})}
        log = self.folder / "calls"
        command = ["strace", "-f", "-o", log, "-E", f"LD_PRELOAD={LIBRARY}", "-e", "trace=" + ",".join(names), "true"]
        if subprocess.run(command, env=clean, check=False, capture_output=True, timeout=60).returncode != 0:
            self.skipTest("strace may not trace here")
        return log.read_text()

    def test_one_failed_open_where_there_is_no_file(self):
        if Path("/etc/hakmem.conf").exists():
            self.skipTest("there is a file here")
        said = self.calls("all", conf=None)
        about = re.findall(r".*hakmem\.conf.*\n(.*)", said)
        self.assertEqual(len(about), 1, said)
        self.assertRegex(said, r'openat\(AT_FDCWD, "/etc/hakmem\.conf".* = -1 ENOENT')
        self.assertNotRegex(about[0], r"fstat|newfstatat|read\(")

    def test_the_file_is_closed(self):
        self.conf.write_text(f"{PURGE}=1\n")
        said = self.calls("openat", "read", "close", "fstat", "newfstatat", conf=self.conf)
        number = re.search(rf'"{self.conf}".* = (\d+)', said)[1]
        after = said.split(str(self.conf))[1]
        self.assertEqual([call for call in re.findall(rf"(\w+)\({number}\b", after)][:4],
                         ["fstat", "read", "read", "close"])


if __name__ == "__main__":
    SHARED, STATIC, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:4])
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]])
