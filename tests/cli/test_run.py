#!/usr/bin/env python3
"""hakstress run: crashes of all kinds are explained, and a program does not notice that it is watched.

usage: test_run.py HAKSTRESS CRASHES OWN_MALLOC MISTAKES
"""
import ctypes
import glob
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

import test_cli
from test_cli import clean_environment, is_alive, wait_until

CRASHES = OWN_MALLOC = MISTAKES = ""
FAULT = re.compile(
    r"^run: fault signal=(?P<signal>\w+) fault_addr=(?P<address>\w+) check=(?P<check>\w+) site=(?P<site>\S+)"
    r" pid=(?P<pid>\d+) command=(?P<command>\S+) report=(?P<report>\S+)$",
    re.MULTILINE,
)
X86 = os.uname().machine == "x86_64"


def ring_folder(process):
    """The folder with the ring of a process; None: there is none. Other runs may have theirs in the same places."""
    places = {"/dev/shm", os.environ.get("TMPDIR", "/tmp"), "/tmp"}
    found = [path for place in places for path in glob.glob(f"{place}/hakstress-*/{process}.ring")]
    return os.path.dirname(found[0]) if found else None


def refuse_ptrace():
    """From here on ptrace gives EPERM, in this process and its descendants."""

    class Filter(ctypes.Structure):
        _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    load, jump_unless, ret = 0x20, 0x15, 0x06
    program = [(load, 0, 0, 0), (jump_unless, 0, 1, 101), (ret, 0, 0, 0x50001), (ret, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filter_ = Filter(len(program), ctypes.addressof(code))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(filter_)) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


class RunCase(test_cli.Case):
    def run_command(self, *command, options=(), **more):
        environment = clean_environment(**more.pop("environment", {}))
        settings = dict(stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        settings.update(more)
        return subprocess.run(
            [test_cli.HAKSTRESS, "run", *options, "--", *command],
            cwd=self.directory.name,
            env=environment,
            **settings,
        )

    def crash(self, *way, **more):
        return self.run_command(CRASHES, *way, **more)

    def start_command(self, *command, options=(), **more):
        return subprocess.Popen(
            [test_cli.HAKSTRESS, "run", *options, "--", *command],
            cwd=self.directory.name,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def command_below(self, supervisor, word):
        """The process that runs CRASHES with this word, once it has started."""

        def look():
            for pid in test_cli.children_of(supervisor):
                try:
                    with open(f"/proc/{pid}/cmdline") as file:
                        if file.read().split("\0")[:2] == [CRASHES, word]:
                            return pid
                except OSError:
                    pass
            return 0

        return wait_until(look)

    def quiet(self, result, status):
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertEqual([n for n in os.listdir(self.results) if ".crash" in n], [])
        self.assertEqual(self.only_result()["outcome"], "ok")

    def fault(self, result, status, name):
        """The one fault: its line and its report."""
        self.assertEqual(result.returncode, status, result.stderr)
        found = list(FAULT.finditer(result.stderr))
        self.assertEqual(len(found), 1, result.stderr)
        self.assertEqual(found[0]["signal"], name)
        text, report = self.report(found[0]["report"])
        self.assertEqual(report["pid"], int(found[0]["pid"]))
        self.assertRegex(text, r"^hakstress: (crash|death) .*\nverdict: ")
        self.assertIn("\nverdict: " + report["verdict"]["cause"], result.stderr)
        return found[0], report

    def names_in(self, report):
        return [frame.get("symbol") for frame in report["backtrace"]]


class Crashes(RunCase):
    def test_null(self):
        line, report = self.fault(self.crash("null"), 139, "SIGSEGV")
        self.assertEqual((line["address"], line["check"], line["command"]), ("0x0", "none", CRASHES))
        self.assertEqual(report["command"], f"{CRASHES} null")
        self.assertIn("main", self.names_in(report))
        self.assertTrue(report["registers"])
        events = [event["event"] for event in report["rings"][0]["events"]]
        self.assertIn("malloc", events)
        self.assertIn("free", events)
        self.assertEqual(report["rings"][0]["os_tid"], report["pid"])
        result = self.only_result()
        self.assertEqual((result["kind"], result["status"], result["exit_status"]), ("run", 139, 139))
        self.assertEqual((result["faults"], result["processes"], result["traced"]), (1, 1, True))
        self.assertEqual(result["fault"]["pid"], report["pid"])
        with open(os.path.join(self.directory.name, line["report"])) as file:
            self.assertEqual(self.run_it("report", line["report"]).stdout, file.read())

    def crossed(self, cause, function, *way, **more):
        result = self.crash(*way, **more)
        verdict = self.report(FAULT.search(result.stderr)["report"])[1]["verdict"]
        evidence = "\n".join(verdict["evidence"])
        self.assertEqual((verdict["rule"], verdict["culprit"]), ("crossed_block", "program"), verdict)
        self.assertTrue(verdict["cause"].startswith(cause), verdict)
        self.assertIn("RTLD_DEEPBIND", verdict["cause"])
        self.assertRegex(evidence, rf"\b{function}\b")
        self.assertIn("what to do: ", evidence)
        return evidence

    def test_block_of_ours_in_libc(self):
        cause = "a block of this allocator was given to the C library's free"
        for guard in ("0", "1"):
            for size in ("24", "100", "5000", "100000", "3000000"):
                for way, function in (("libc-free", r"own \w*free"), ("libc-realloc", r"own \w*realloc")):
                    with self.subTest(way=way, size=size, guard=guard):
                        more = {"environment": {"HAKMEM_GUARD": guard}}
                        evidence = self.crossed(cause, function, way, size, **more)
                        self.assertRegex(evidence, r"0x[0-9a-f]+, a live block: ")

    def test_block_of_libc_in_ours(self):
        cause = "a block of the C library's malloc was given to this allocator"
        for guard in ("0", "1"):
            for way, size in (("", "24"), ("", "5000"), ("", "3000000"), ("-in-thread", "100")):
                with self.subTest(way=way, size=size, guard=guard):
                    evidence = self.crossed(
                        cause, "free got 0x[0-9a-f]+", "libc-malloc" + way, size, environment={"HAKMEM_GUARD": guard}
                    )
                    self.assertRegex(evidence, r"the header of a chunk of \d+ bytes")

    def test_block_of_nobody_in_ours(self):
        _, report = self.fault(self.crash("free-of-stack"), 134, "SIGABRT")
        self.assertEqual(report["verdict"]["rule"], "program_check")

    def test_thread(self):
        _, report = self.fault(self.crash("thread"), 139, "SIGSEGV")
        self.assertNotEqual(report["os_tid"], report["pid"])
        self.assertIn("in_thread", self.names_in(report))
        self.assertGreaterEqual(len(report["rings"]), 2)

    def test_thread_when_main_has_ended(self):
        _, report = self.fault(self.crash("thread-without-main"), 139, "SIGSEGV")
        self.assertIn("in_thread", self.names_in(report))

    def test_fork_child(self):
        _, report = self.fault(self.crash("fork", "3"), 1, "SIGSEGV")
        result = self.only_result()
        self.assertEqual((result["status"], result["processes"]), (3, 2))
        self.assertTrue(report["rings"], "the child has a ring of its own")
        self.assertEqual({tail["os_tid"] for tail in report["rings"]}, {report["pid"]})

    def test_exec_grandchild(self):
        line, report = self.fault(self.crash("exec", "4"), 1, "SIGSEGV")
        self.assertEqual(report["command"], f"{CRASHES} fork")
        self.assertEqual(self.only_result()["processes"], 3)

    def test_many_crashing_children(self):
        result = self.crash("crashes", "18")
        self.assertEqual(result.returncode, 1)
        paths = [match["report"] for match in FAULT.finditer(result.stderr)]
        self.assertEqual(len(set(paths)), 16)
        for path in paths:
            self.assertEqual(self.report(path)[1]["signal"]["name"], "SIGSEGV")
        self.assertIn("run: 2 more processes died", result.stderr)
        self.assertEqual(self.only_result()["faults"], 18)

    def test_handler_that_recovers(self):
        self.quiet(self.crash("recover"), 5)

    def test_crash_elsewhere_after_recovering(self):
        _, report = self.fault(self.crash("recover-and-crash-elsewhere"), 139, "SIGSEGV")
        self.assertIn("in_thread", self.names_in(report))

    def test_killed_after_recovering(self):
        process = self.start_command(CRASHES, "recover-and-stay")
        child = self.command_below(process.pid, "recover-and-stay")
        wait_until(lambda: len(os.listdir(f"/proc/{child}/task")) == 2)
        os.kill(child, signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out, err), (143, "", ""))

    def test_handler_that_crashes(self):
        line, report = self.fault(self.crash("handler-crash"), 139, "SIGSEGV")
        self.assertEqual(line["address"], "0x10")
        self.assertIn("crash_too", self.names_in(report))

    def test_handler_that_raises_again(self):
        line, report = self.fault(self.crash("raise-again"), 139, "SIGSEGV")
        self.assertEqual(line["address"], "0x0", "of the fault, not of raise()")
        self.assertNotIn("raise_again", self.names_in(report))

    def test_stack_overflow(self):
        _, report = self.fault(self.crash("stack"), 139, "SIGSEGV")
        self.assertIn("stack overflow", report["verdict"]["cause"])
        self.assertIn("overflow", self.names_in(report))

    def test_abort(self):
        line, report = self.fault(self.crash("abort"), 134, "SIGABRT")
        self.assertEqual(line["check"], "none")
        self.assertIn("abort", self.names_in(report))

    def test_check_of_the_library(self):
        result = self.crash("free")
        line, report = self.fault(result, 134, "SIGABRT")
        self.assertEqual((line["check"], report["check"]), ("invalid_free", "invalid_free"))
        self.assertTrue(result.stderr.startswith("hakmem: check=invalid_free"), "the program's own words come through")

    def test_streams_closed(self):
        result = self.crash("free-silently")
        self.assertNotIn("hakmem: check", result.stderr.splitlines()[0])
        line, report = self.fault(result, 134, "SIGABRT")
        self.assertEqual(line["check"], "invalid_free")
        self.assertIn("check=invalid_free", report["messages"])

    def test_started_with_streams_closed(self):
        """Files that hakstress opens must not replace the closed streams; there is a report without any of them."""
        script = 'exec "$0" run -- "$1" free 0<&- 1>&- 2>&-'
        result = subprocess.run(
            ["sh", "-c", script, test_cli.HAKSTRESS, CRASHES],
            cwd=self.directory.name,
            env=clean_environment(),
            timeout=60,
        )
        self.assertEqual(result.returncode, 134)
        self.assertEqual(self.only_result()["fault"]["check"], "invalid_free")

    def test_check_whose_signal_is_caught(self):
        result = self.crash("free-and-leave")
        line, report = self.fault(result, 1, "SIGABRT")
        self.assertEqual((line["check"], report["check"]), ("invalid_free", "invalid_free"))

    def test_nobody_reads_stderr(self):
        """The broken pipe must take neither the exit status nor the result."""
        script = '("$0" run -- "$1" null; echo $? >status) 2>&1 | true'
        subprocess.run(
            ["sh", "-c", script, test_cli.HAKSTRESS, CRASHES],
            cwd=self.directory.name,
            env=clean_environment(),
            timeout=60,
        )
        wait_until(lambda: os.path.exists(os.path.join(self.directory.name, "status")))
        with open(os.path.join(self.directory.name, "status")) as file:
            wait_until(lambda: file.seek(0) == 0 and file.read() == "139\n")
        self.assertEqual(self.only_result()["faults"], 1)

    def test_words_that_are_not_utf8(self):
        result = self.crash("null", b"a\xffb", "\u00e9" * 3000)
        self.fault(result, 139, "SIGSEGV")
        saved = self.only_result()
        self.assertEqual(saved["command"], [CRASHES, "null", "a?b", "\u00e9" * 3000])
        self.assertIn("a?b", saved["again"])
        self.assertIn("a?b", saved["command_line"])

    def test_killed_from_outside(self):
        process = self.start_command(CRASHES, "sleep")
        child = self.command_below(process.pid, "sleep")
        wait_until(lambda: ring_folder(child))
        os.kill(child, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        result = subprocess.CompletedProcess([], process.returncode, out, err)
        _, report = self.fault(result, 137, "SIGKILL")
        self.assertNotIn("registers", report)
        self.assertEqual(report["died_of"], "SIGKILL")
        self.assertTrue(report["rings"])

    def test_abort_sent_from_outside(self):
        process = self.start_command(CRASHES, "sleep")
        child = self.command_below(process.pid, "sleep")
        wait_until(lambda: ring_folder(child))
        os.kill(child, signal.SIGABRT)
        out, err = process.communicate(timeout=60)
        _, report = self.fault(subprocess.CompletedProcess([], process.returncode, out, err), 134, "SIGABRT")
        self.assertEqual(report["verdict"]["cause"], "a signal from outside")
        self.assertIn(f"sent by process {os.getpid()}", report["verdict"]["evidence"][0])

    def test_core_dump(self):
        with open("/proc/sys/kernel/core_pattern") as file:
            pattern = file.read().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"core_pattern is {pattern}")
        if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
            self.skipTest("no core dumps allowed")

        def allow():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

        self.fault(self.crash("null", preexec_fn=allow), 139, "SIGSEGV")
        cores = [n for n in os.listdir(self.directory.name) if n.startswith("core")]
        self.assertEqual(len(cores), 1)
        with open(os.path.join(self.directory.name, cores[0]), "rb") as file:
            self.assertEqual(file.read(4), b"\x7fELF")


class Mistakes(RunCase):
    """What a C++ program did wrong, where, and what happened to the block."""

    def mistake(self, way, status, name, **more):
        result = self.run_command(MISTAKES, way, options=["--guard"], **more)
        line, report = self.fault(result, status, name)
        self.assertNotRegex(result.stderr, r"thread 0\b")
        self.assertIn(f"\nverdict: {report['verdict']['cause']}; {report['verdict']['where']} (", result.stderr)
        return result, line, report

    def check_past(self, report, of_other_thread):
        (block,) = [block for block in report["blocks"] if block["freed"] and block["size"] == 48]
        allocated, freed = block["allocated"], block["freed"]
        self.assertEqual(block["state"], "freed")
        self.assertEqual(allocated["at"][0]["symbol"], "app::make_item(unsigned long)")
        self.assertEqual(freed["at"][0]["symbol"], "app::drop_item(app::Item*)")
        self.assertEqual(freed["at"][0]["file"], "mistakes.cpp")
        self.assertEqual(allocated["os_tid"], report["pid"])
        self.assertGreater(freed["thread"], 0)
        self.assertEqual(freed["thread"] != allocated["thread"], of_other_thread)
        self.assertLess(allocated["time"], freed["time"])
        self.assertIn("main", [frame.get("symbol") for frame in allocated["at"]])
        if of_other_thread:  # the C++ library, which keeps no frame pointers, began the thread
            self.assertIn("libstdc++", " ".join(frame["module"] for frame in freed["at"]))
            self.assertIn("libc.so", freed["at"][-1]["module"])
        text = self.run_it("report", self.only_result()["reports"][0]["report"]).stdout
        self.assertIn(f"\nblock {block['address']} (", text)
        self.assertRegex(text,
                         r"\n  freed by thread \d+ \(os thread \d+\), -[\d.]+ us\n"
                         r" +#0 .* app::drop_item\(app::Item\*\)\+.*\n +#1 ")
        return block

    def test_read_of_a_freed_block(self):
        """Its thread has ended: the block is on a free list, and the pointer read from its start is a link."""
        result, _, report = self.mistake("read-freed", 139, "SIGSEGV")
        self.assertIn("used a block after it was freed", report["verdict"]["cause"])
        self.assertRegex(report["verdict"]["where"], r"^in app::read_name\(app::Item\* const&\) \(mistakes.cpp:\d+\)$")
        self.assertRegex(result.stderr,
                         r"48 bytes at 0x\w+, allocated by thread \d+ in app::make_item.*, "
                         r"freed by thread \d+ in app::drop_item")
        self.check_past(report, of_other_thread=True)

    def test_read_by_the_thread_that_freed(self):
        _, _, report = self.mistake("read-freed-in-thread", 139, "SIGSEGV")
        block = self.check_past(report, of_other_thread=True)
        self.assertEqual(block["freed"]["thread"], report["thread"])

    def test_double_free(self):
        _, _, report = self.mistake("double-free", 134, "SIGABRT")
        self.assertEqual(report["check"], "double_free")
        self.assertRegex(report["verdict"]["where"], r"^in app::drop_item\(app::Item\*\) \(mistakes.cpp:\d+\)$")
        self.check_past(report, of_other_thread=True)

    def test_pointer_that_a_destructor_read_from_a_freed_block(self):
        """In the release library's links, and in the fill of guard mode."""
        signs = {(): "the encoded link of a free block", ("--guard",): "the fill pattern of freed memory"}
        for options, sign in signs.items():
            result = self.run_command(MISTAKES, "destroy-twice", options=options)
            _, report = self.fault(result, 134, "SIGABRT")
            cause = "your code freed what it had read from a block after it was freed"
            if report["check"] == "invalid_free":
                self.assertEqual(report["verdict"]["cause"], cause)
                self.assertIn(sign, "\n".join(report["verdict"]["evidence"]))
            else:  # guard mode stops the second delete itself
                self.assertTrue(options)
            shutil.rmtree(self.results)

    def test_null(self):
        _, _, report = self.mistake("null", 139, "SIGSEGV")
        self.assertRegex(report["verdict"]["where"], r"^in app::write_to\(int\*\) \(mistakes.cpp:\d+\)$")

    def test_place_outside_of_the_cxx_library(self):
        """The block comes from a header of the C++ library, in which nothing is wrong."""
        _, line, report = self.mistake("past-vector", 134, "SIGABRT")
        self.assertEqual(line["check"], "overflow")
        self.assertRegex(report["verdict"]["where"],
                         r"^the block was allocated in app::write_past_vector\(\) \(mistakes.cpp:\d+\)$")

    def test_who_called_abort(self):
        for way, cause in (
            ("throw", "a C++ exception was not caught"),
            ("terminate", "std::terminate was called"),
            ("assert", "an assertion of the program failed"),
            ("abort", "the process called abort() itself"),
        ):
            with self.subTest(way):
                _, line, report = self.mistake(way, 134, "SIGABRT")
                self.assertTrue(report["verdict"]["cause"].startswith(cause), report["verdict"])
                self.assertRegex(report["verdict"]["where"],
                                 r"^in (app::throw_it\(std::.*\)|main) \(mistakes.cpp:\d+\)$")

    def test_damage_between_two_blocks(self):
        """The whole gap can be overwritten from either side; a part of it shows which side."""
        for way, cause in (
            ("fill-gap", "your code wrote past the end of a block, or before the start of the next one"),
            ("overflow", "your code wrote past the end of a block"),
        ):
            with self.subTest(way):
                _, line, report = self.mistake(way, 134, "SIGABRT")
                self.assertEqual((line["check"], report["verdict"]["cause"]), ("overflow", cause))
                self.assertIn("the block was allocated in app::overflow_into_next(unsigned long)",
                              report["verdict"]["where"])


class Survived(RunCase):
    """Wrong acts after which the program went on."""

    REPORT = {"HAKMEM_ON_ERROR": "report"}

    def told(self, result, status, count):
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertRegex(result.stderr,
                         rf"(?m)^run: told count={count} check=double_free site=free pid=\d+ command=\S+")
        saved = self.only_result()
        self.assertEqual((saved["outcome"], [one["count"] for one in saved["told"]]), ("fault", [count]))

    def test_what_the_library_told(self):
        """More than the library writes lines about."""
        self.told(self.crash("free-twice", "150", environment=self.REPORT), 1, 150)

    def test_told_by_a_child(self):
        self.told(self.crash("free-twice-in-child", "4", environment=self.REPORT), 1, 1)

    def test_told_before_exec(self):
        self.told(self.crash("free-twice-and-exec", environment=self.REPORT), 1, 1)

    def test_told_without_ptrace(self):
        if not X86:
            self.skipTest("the filter is for x86-64")
        self.told(self.crash("free-twice", "2", environment=self.REPORT, preexec_fn=refuse_ptrace), 1, 2)

    def test_fault_exit(self):
        self.told(self.crash("free-twice", "1", environment=self.REPORT, options=["--fault-exit", "42"]), 42, 1)

    def test_accesses_that_a_handler_caught(self):
        for size, options, what in (
            (100, ["--pages"], r"50 bytes into the 100-byte block 0x\w+, which was freed"),
            (100000, ["--guard"], "page run|freed memory"),
        ):
            with self.subTest(size):
                result = self.crash("recover-from-freed", str(size), options=options)
                self.assertEqual(result.returncode, 5, result.stderr)
                self.assertRegex(result.stderr,
                                 r"run: a signal handler of the program caught 3 accesses to closed memory, pid \d+")
                self.assertRegex(result.stderr,
                                 rf"  the first was at 0x\w+, in use_freed \(crashes\.c:\d+\).*: .*({what})")
                shutil.rmtree(self.results)

    @unittest.skipUnless(os.geteuid() == 0, "only root can change its root and its user")
    def test_a_child_after_a_change_of_root_or_user(self):
        """Its ring is in its memory, since it cannot open the file."""
        for way in ("change-root", "change-user"):
            for generations in ("1", "2"):
                with self.subTest(way, generations=generations):
                    line, report = self.fault(self.crash(way, generations), 1, "SIGABRT")
                    self.assertEqual((line["check"], line["site"]), ("double_free", "free"))
                    self.assertTrue(any(ring["events"] for ring in report["rings"]))
                    shutil.rmtree(self.results)
                    self.told(self.crash(way, generations, environment=self.REPORT), 1, 1)
                    shutil.rmtree(self.results)

    def test_the_fault_of_which_it_died_was_not_survived(self):
        result = self.crash("give-up-on-freed", "100", options=["--pages"])
        self.fault(result, 139, "SIGSEGV")
        self.assertNotIn("caught", result.stderr)

    def test_blocks_that_the_program_closed(self):
        result = self.crash("close-own", options=["--guard"])
        self.assertEqual((result.returncode, result.stderr), (5, ""))


class Pages(RunCase):
    """A page for every block."""

    COVERED = re.compile(r"run: pages of their own covered (\d+\.\d) % of ([\d,]+) blocks? in \d+ process(es)?(, .*)?")

    def test_what_was_covered_is_told(self):
        result = self.run_command("sh", "-c", "echo hello | sed s/l/x/", options=["--pages"])
        self.assertEqual((result.returncode, result.stdout), (0, "hexlo\n"))
        told = self.COVERED.fullmatch(result.stderr.strip())
        self.assertTrue(told, result.stderr)
        pages = self.only_result()["pages"]
        self.assertEqual((told[1], told[2].replace(",", "")), (f"{pages['percent']:.1f}", str(pages["blocks"])))
        self.assertGreaterEqual(pages["percent"], 99)
        self.assertGreaterEqual(pages["processes"], 2)
        self.assertIn(" run --pages=end -- sh ", self.only_result()["again"])

    def test_quiet(self):
        self.assertEqual(self.crash("exit", "3", options=["--pages", "--quiet"]).stderr, "")

    def test_all_that_is_known(self):
        """A read by another thread than those that allocated and freed the block."""
        result = self.run_command(MISTAKES, "read-freed", options=["--pages"])
        _, report = self.fault(result, 139, "SIGSEGV")
        verdict = report["verdict"]
        self.assertEqual((verdict["rule"], verdict["cause"]), ("page", "your code read a block after it was freed"))
        self.assertRegex(verdict["where"], r"^in app::read_name\(app::Item\* const&\) \(mistakes.cpp:\d+\)$")
        self.assertRegex(verdict["evidence"][0], r"\d+ bytes? into the 48-byte block 0x\w+, which was freed")
        self.assertRegex(verdict["evidence"][1], r"allocated by thread \d+ in app::make_item.*, "
                                                 r"freed by thread \d+ in app::drop_item")
        self.assertEqual(report["signal"]["access"], "read")
        # In the words of the verdict.
        self.assertRegex(report["signal"]["fault_addr_is"]["points_at"],
                         r"^\d+ bytes? into the 48-byte block 0x\w+, on pages of its own, freed$")

    def test_memory_has_a_bound(self):
        command = ("sh", "-c", "set -- $(seq 2000); echo $#")
        result = self.run_command(*command, options=["--pages"], environment={"HAKMEM_PAGES_MEMORY": "64K"})
        self.assertEqual((result.returncode, result.stdout), (0, "2000\n"))
        self.assertLess(self.only_result()["pages"]["percent"], 50)

    def test_leaks(self):
        self.crash("leak", "7", options=["--leaks", "--pages"])
        leaks = self.only_result()["leaks"]
        self.assertEqual((leaks["definite"]["blocks"], leaks["definite"]["bytes"]), (10, 1000900))

    def test_usage(self):
        for options, wanted in (
            (["--pages=middle"], "--pages takes end or start"),
            (["--pages", "--pages=start"], "--pages may be given once"),
            (["--pages="], "--pages= lacks its value"),
            (["--pages", "start"], "write --pages=start"),
        ):
            with self.subTest(options):
                result = self.run_it("run", *options, "--", "true")
                self.assertEqual((result.returncode, len(result.stderr.splitlines())), (2, 1), result.stderr)
                self.assertIn(wanted, result.stderr)

    def test_by_the_variable(self):
        result = self.crash("exit", "3", environment={"HAKMEM_PAGES": "start"})
        self.assertEqual(result.returncode, 3)
        self.assertTrue(self.COVERED.fullmatch(result.stderr.strip()), result.stderr)


class Status(RunCase):
    def test_exit_status_is_kept(self):
        for status in (0, 7, 255):
            with self.subTest(status):
                self.assertEqual(self.crash("exit", str(status)).returncode, status)

    def test_signals_that_tell_of_no_fault(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1):
            with self.subTest(number):
                result = self.crash("raise", str(int(number)))
                self.assertEqual((result.returncode, result.stderr), (128 + number, ""))

    def test_fault_exit(self):
        quiet = ["--quiet"]
        self.assertEqual(self.crash("null", options=["--fault-exit", "42"]).returncode, 42)
        self.assertEqual(self.crash("fork", "3", options=["--fault-exit", "0"]).returncode, 0)
        self.assertEqual(self.crash("exit", "3", options=["--fault-exit", "42"]).returncode, 3)
        brief = self.crash("fork", "3", options=quiet)
        self.assertEqual(brief.returncode, 1)
        self.assertEqual(len(brief.stderr.splitlines()), 1)
        self.assertTrue(FAULT.match(brief.stderr))

    def test_not_found_and_not_executable(self):
        plain = os.path.join(self.directory.name, "plain")
        with open(plain, "w") as file:
            file.write("no program\n")
        for command, status in (("no-such-program", 127), (plain, 126), (self.directory.name, 126)):
            with self.subTest(command):
                result = self.run_command(command)
                self.assertEqual(result.returncode, status)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(command, result.stderr)

    def test_usage(self):
        for args, wanted in (
            (["run"], "name a command"),
            (["run", "true"], "put -- before the command"),
            (["run", "--"], "name a command"),
            (["run", "--fault-exit", "256", "--", "true"], "--fault-exit must be"),
            (["run", "--fault-exit=x", "--", "true"], "--fault-exit must be"),
            (["run", "--seed", "foo", "--", "true"], "--seed must be a whole number"),
            (["run", "--seed=-1", "--", "true"], "--seed must be a whole number"),
        ):
            with self.subTest(args):
                result = self.run_it(*args)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(wanted, result.stderr)
        self.assertIn("Examples:", self.run_it("run", "--help").stdout)

    def test_json(self):
        result = self.crash("exit", "6", options=["--json", "-"])
        value = json.loads(result.stdout)
        self.assertEqual((result.returncode, value["command"]), (6, [CRASHES, "exit", "6"]))


class Environment(RunCase):
    def test_library_and_variables(self):
        script = "echo $LD_PRELOAD; env | grep HAKMEM | sort"
        lines = self.run_command("sh", "-c", script, environment={"LD_PRELOAD": "libm.so.6"}).stdout.splitlines()
        library, others = lines[0].split(":")
        self.assertTrue(library.endswith("/libhakmem-checked.so"))
        self.assertEqual(others, "libm.so.6")
        self.assertEqual(lines[1], "HAKMEM_RING=1024")
        self.assertRegex(lines[2], r"^HAKMEM_RING_FILE=/\S+/%p.ring$")
        self.assertEqual(len(lines), 3)

    def test_guard_and_what_the_user_set(self):
        mine = {"HAKMEM_RING": "64", "HAKMEM_GUARD": "0", "HAKMEM_LINKS": "plain"}
        lines = self.run_command("env", options=["--guard"], environment=mine).stdout.splitlines()
        for line in ("HAKMEM_RING=64", "HAKMEM_GUARD=1", "HAKMEM_LINKS=plain", "HAKMEM_DEBUG_OWNERSHIP=1"):
            self.assertIn(line, lines)

    def test_variables_that_do_nothing(self):
        for options, variable, why in (
            ([], {"HAKMEM_GUARD_FILL": "1"}, "it needs --guard"),
            ([], {"HAKMEM_SAMPLE_SLOTS": "32"}, "it needs HAKMEM_SAMPLE"),
            (["--guard"], {"HAKMEM_PAGES_ALIGN": "1"}, "it needs --pages=end"),
            (["--guard"], {"HAKMEM_ZERO": "free"}, "guard mode does not heed it"),
            ([], {"HAKMEM_GUARD": "1", "HAKMEM_ON_ERROR": "report"}, "guard mode does not heed it"),
            (["--guard"], {"HAKMEM_GUARD_FILL": "1"}, ""),
            (["--guard"], {"HAKMEM_SAMPLE": "0"}, ""),
            ([], {"HAKMEM_SAMPLE": "1000", "HAKMEM_SAMPLE_SLOTS": "32"}, ""),
        ):
            with self.subTest(options=options, variable=variable):
                result = self.crash("exit", "3", options=options, environment=variable)
                name, value = list(variable.items())[-1]
                self.assertEqual((result.returncode, result.stderr),
                                 (3, f"run: {name}={value} did nothing: {why}\n" if why else ""))

    def test_program_without_the_library(self):
        result = self.run_command("env", "-i", CRASHES, "exit", "3")
        self.assertEqual(result.returncode, 3)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(f"was not loaded in {CRASHES} exit 3 (it was started without LD_PRELOAD", result.stderr)
        self.assertEqual(self.only_result()["processes_without_library"], 1)

    def test_program_with_its_own_malloc(self):
        result = self.run_command(OWN_MALLOC)
        self.assertEqual(result.returncode, 0)
        self.assertIn("never used the library (it has a malloc of its own, or allocates nothing)", result.stderr)
        self.assertEqual(self.only_result()["processes_not_using_library"], 1)

    def test_rings_are_removed(self):
        process = self.start_command(CRASHES, "sleep")
        child = self.command_below(process.pid, "sleep")
        folder = wait_until(lambda: ring_folder(child))
        os.kill(child, signal.SIGSEGV)
        process.communicate(timeout=60)
        self.assertFalse(os.path.exists(folder))

    def test_supervisor_killed(self):
        process = self.start_command(CRASHES, "sleep")
        child = self.command_below(process.pid, "sleep")
        folder = wait_until(lambda: ring_folder(child))
        process.kill()
        process.communicate(timeout=60)
        wait_until(lambda: not is_alive(child))
        wait_until(lambda: not os.path.exists(folder))

    def test_file_size_limit(self):
        """A ring is a large file. A process that may not have one runs without it, and is not killed."""
        result = self.crash("exit", "3", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536,) * 2))
        self.assertEqual(result.returncode, 3, result.stderr)

    def test_ptrace_refused(self):
        if not X86:
            self.skipTest("the filter is for x86-64")
        refused = "ptrace was refused (Operation not permitted)"
        result = self.crash("null", preexec_fn=refuse_ptrace)
        _, report = self.fault(result, 139, "SIGSEGV")
        self.assertTrue(report["rings"])
        self.assertIn(refused, result.stderr.splitlines()[-1])
        self.assertEqual(self.crash("exit", "3", preexec_fn=refuse_ptrace).returncode, 3)
        result = self.run_command("sh", "-c", f"{CRASHES} free; exit 5", preexec_fn=refuse_ptrace)
        line, _ = self.fault(result, 1, "SIGABRT")
        self.assertEqual(line["check"], "invalid_free", "a child's last words are in its ring")

    NOTED = [  # how it ends, exit status, signal, a function of the backtrace
        (["null"], 139, "SIGSEGV", "main"),
        (["thread"], 139, "SIGSEGV", "in_thread"),
        (["thread-without-main"], 139, "SIGSEGV", "in_thread"),
        (["stack"], 139, "SIGSEGV", "overflow"),
        (["fork", "4"], 1, "SIGSEGV", "main"),
        (["exec", "4"], 1, "SIGSEGV", "main"),
        (["raise", "5"], 133, "SIGTRAP", "main"),
        (["raise", "11"], 139, "SIGSEGV", "main"),
        (["abort"], 134, "SIGABRT", "main"),
        (["free-silently"], 134, "SIGABRT", "free_what_is_not_ours"),
    ]

    def test_noted_crashes(self):
        """Without ptrace the process itself notes its registers and its stack, also after a stack overflow."""
        if not X86:
            self.skipTest("the filter is for x86-64")
        for way, status, name, function in self.NOTED:
            with self.subTest(way=way):
                shutil.rmtree(self.results, ignore_errors=True)
                _, report = self.fault(self.crash(*way, preexec_fn=refuse_ptrace), status, name)
                self.assertIn(function, self.names_in(report))
                self.assertTrue(report["registers"])

    def test_noted_crash_after_change_of_root(self):
        """The record is in a file that was open before, and so are the names of the functions."""
        if not X86 or os.geteuid() != 0:
            self.skipTest("the filter is for x86-64, and only root may change the root")
        result = self.crash("change-root", "0", preexec_fn=refuse_ptrace)
        _, report = self.fault(result, 134, "SIGABRT")
        self.assertIn("free_twice_far_away", self.names_in(report))

    def test_noted_crashes_of_children_are_told_once_each(self):
        if not X86:
            self.skipTest("the filter is for x86-64")
        result = self.crash("crashes", "3", preexec_fn=refuse_ptrace)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len({found["pid"] for found in FAULT.finditer(result.stderr)}), 3, result.stderr)
        self.assertEqual(len(FAULT.findall(result.stderr)), 3)

    def test_noted_crash_that_nobody_reads(self):
        """Without hakstress the process notes it all the same, and dies of the signal."""
        library = os.path.realpath(os.path.join(os.path.dirname(test_cli.HAKSTRESS), "../lib/libhakmem-checked.so"))
        ring = os.path.join(self.directory.name, "ring")
        environment = clean_environment(LD_PRELOAD=library, HAKMEM_RING_FILE=ring, HAKMEM_CRASH_RECORD="1")
        for way, number in (("null", signal.SIGSEGV), ("abort", signal.SIGABRT), ("stack", signal.SIGSEGV)):
            with self.subTest(way=way):
                done = subprocess.run([CRASHES, way], env=environment, capture_output=True, timeout=60, check=False)
                self.assertEqual(done.returncode, -number)
                with open(ring, "rb") as file:
                    self.assertIn(CRASHES.encode(), file.read(), "the memory map")

    def test_noted_crash_waits_to_be_looked_at(self):
        """Guard mode's records are in the memory of the process alone."""
        if not X86:
            self.skipTest("the filter is for x86-64")
        result = self.crash("free-twice-in-child", "3", options=["--guard"], preexec_fn=refuse_ptrace)
        _, report = self.fault(result, 1, "SIGABRT")
        self.assertTrue(report["blocks"], "what guard mode recorded of the block")


class Leaks(RunCase):
    def test_leaks(self):
        result = self.crash("leak", "7", options=["--leaks"])
        self.assertEqual(result.returncode, 0)
        if "leaks are unknown" in result.stderr:
            self.skipTest("the library keeps no records of blocks")
        leaks = self.only_result()["leaks"]
        parent, child = sorted(leaks["processes"], key=lambda process: -process["definite"]["bytes"])
        lost = [(process["definite"]["blocks"], process["definite"]["bytes"]) for process in (parent, child)]
        self.assertEqual(lost, [(8, 1000700), (2, 200)], "not what the parent lost")
        self.assertRegex(result.stderr, r"^run: definitely lost: 1000900 bytes in 10 blocks; ")
        self.assertRegex(result.stderr, r"200 bytes in 2 blocks definitely lost; by lose\b")

    def test_leaks_of_a_cxx_program(self):
        result = self.run_command(MISTAKES, "leak", options=["--leaks"])
        self.assertRegex(result.stderr, r"  40 bytes in 1 block indirectly lost; by app::Leaky::Leaky\(int\) "
                                        r"\(mistakes.cpp:\d+\)\n      called from main \(mistakes.cpp:\d+\)\n")
        self.assertNotIn("libstdc++", result.stderr, "its emergency pool can be reached")

    def test_leaks_of_a_crash(self):
        result = self.crash("null", options=["--leaks"])
        self.assertIn("run: 1 process died of a signal: what it had lost is not listed", result.stderr)
        self.assertNotIn("unknown", result.stderr)

    def test_leaks_of_many_processes(self):
        script = "for i in $(seq 30); do %s leak 1; done" % CRASHES
        result = self.run_command("sh", "-c", script, options=["--leaks"])
        leaks = self.only_result()["leaks"]
        self.assertEqual(leaks["definite"], {"blocks": 120, "bytes": 30 * 1000300})
        self.assertEqual(sorted(stack["processes"] for stack in leaks["stacks"]), [30, 30, 30])
        self.assertIn("in 30 processes; by lose", result.stderr)


class Transparency(RunCase):
    def test_signal_to_the_own_process_group(self):
        for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM, signal.SIGRTMIN):
            with self.subTest(number):
                result = self.crash("group", str(int(number)), start_new_session=True)
                self.assertEqual(result.returncode, 1, "heard once: " + result.stderr)

    def test_closed_streams_stay_closed(self):
        for number in range(3):
            script = f'exec "$0" run -- "$1" open {number} {number}>&-'
            result = subprocess.run(
                ["sh", "-c", script, test_cli.HAKSTRESS, CRASHES],
                cwd=self.directory.name,
                env=clean_environment(),
                timeout=60,
            )
            self.assertEqual(result.returncode, 0)

    def test_streams(self):
        result = self.run_command("sh", "-c", "cat; echo err >&2", stdin=None, input="through\n")
        self.assertEqual((result.stdout, result.stderr), ("through\n", "err\n"))

    def test_same_process_group(self):
        process = self.start_command(CRASHES, "identity", start_new_session=True)
        group, parent, _ = process.communicate(timeout=60)[0].split()
        self.assertEqual((int(group), int(parent)), (process.pid, process.pid))

    def test_stop_and_continue(self):
        self.quiet(self.crash("stopped"), 0)

    def test_termination_is_passed_on(self):
        process = self.start_command(CRASHES, "terminate")
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6)

    def test_waits_for_all_processes(self):
        begun = time.monotonic()
        result = self.run_command("sh", "-c", f"(sleep 0.5; exec {CRASHES} null) & exit 0")
        self.assertGreater(time.monotonic() - begun, 0.5)
        self.fault(result, 1, "SIGSEGV")

    def on_terminal(self, *command):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory.name)
            os.execve(test_cli.HAKSTRESS, [test_cli.HAKSTRESS, "run", "--", *command], clean_environment())
        return pid, terminal

    @staticmethod
    def read_until(terminal, word):
        seen = ""
        while word not in seen:
            if not select.select([terminal], [], [], 20)[0]:
                raise AssertionError(f"no {word!r} in {seen!r}")
            seen += os.read(terminal, 4096).decode()
        return seen

    def test_ctrl_c(self):
        pid, terminal = self.on_terminal("sh", "-c", "trap 'exit 9' INT; echo ready; while :; do sleep 0.1; done")
        self.read_until(terminal, "ready")
        os.write(terminal, b"\x03")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 9)
        os.close(terminal)

    def test_ctrl_z(self):
        """In a shell with job control, the job stops, continues in the foreground, and still reads the terminal."""
        bash = shutil.which("bash")
        if bash is None:
            self.skipTest("no bash")
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory.name)
            os.environ["PS1"] = ""
            os.execv(bash, [bash, "--norc", "--noediting", "-i"])
        os.write(terminal, b"stty -echo; echo in''side\n")
        self.read_until(terminal, "inside")
        command = f"{test_cli.HAKSTRESS} run -- sh -c 'echo rea\"\"dy; read x; echo got $x; exit 4'\n"
        os.write(terminal, command.encode())
        self.read_until(terminal, "ready")
        os.write(terminal, b"\x1a")
        self.read_until(terminal, "Stopped")
        os.write(terminal, b"fg\n")
        time.sleep(0.2)
        os.write(terminal, b"hello\n")
        self.read_until(terminal, "got hello")
        os.write(terminal, b"echo status=$?; exit\n")
        self.read_until(terminal, "status=4")
        os.waitpid(pid, 0)
        os.close(terminal)

    def timed(self, *command, **more):
        begun = time.monotonic()
        result = self.run_command(*command, **more)
        return result, time.monotonic() - begun

    def test_many_forks(self):
        result, seconds = self.timed(CRASHES, "forks", "1000")
        self.quiet(result, 0)
        self.assertEqual(self.only_result()["processes"], 1001)
        self.assertLess(seconds, 15)

    def test_many_forks_in_threads(self):
        """Some children end before the event of their creation is read. The run still ends."""
        self.quiet(self.crash("forks-in-threads", "300"), 0)

    def test_many_threads(self):
        result, seconds = self.timed(CRASHES, "threads", "4000")
        self.quiet(result, 0)
        self.assertLess(seconds, 15)

    def program(self, name):
        found = shutil.which(name)
        if found is None or subprocess.run([found, "--version"], capture_output=True).returncode != 0:
            self.skipTest(f"no {name}")
        return found

    def test_python(self):
        script = "import os, signal, threading\n"
        script += "signal.signal(signal.SIGUSR1, lambda *_: print('handled'))\n"
        script += "os.kill(os.getpid(), signal.SIGUSR1)\n"
        script += "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        script += "raise SystemExit(8)"
        result = self.run_command(sys.executable, "-c", script)
        self.assertEqual(result.stdout, "handled\nthread\n")
        self.quiet(result, 8)

    def test_python_crash(self):
        result = self.run_command(sys.executable, "-X", "faulthandler", "-c", "import ctypes; ctypes.string_at(0)")
        self.assertIn("Fatal Python error", result.stderr, "its own handler ran")
        line, _ = self.fault(result, 139, "SIGSEGV")
        self.assertEqual(line["address"], "0x0")

    def test_node(self):
        script = "process.on('SIGTERM', () => process.exit(11)); process.kill(process.pid, 'SIGTERM');"
        self.quiet(self.run_command(self.program("node"), "-e", script + "setInterval(() => {}, 1000)"), 11)

    def test_java(self):
        """Null checks and safepoints of the Java machine are SIGSEGVs that it handles."""
        java = self.program("java")
        source = """public class Nulls {
            static class Box { int value; }
            static int read(Box box) { return box.value; }
            public static void main(String[] words) {
                int caught = 0;
                for (int i = 0; i < 100000; i++)
                    try { read(i % 2 == 0 ? null : new Box()); } catch (NullPointerException e) { caught++; }
                System.exit(caught == 50000 ? 9 : 1);
            }
        }"""
        path = os.path.join(self.directory.name, "Nulls.java")
        with open(path, "w") as file:
            file.write(source)
        result = self.run_command(java, "-Xmx200m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", path)
        if result.returncode == 1 and "no compiler" in result.stderr:
            self.skipTest("java without a compiler")
        self.quiet(result, 9)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    test_cli.HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    CRASHES = os.path.abspath(sys.argv.pop(1))
    OWN_MALLOC = os.path.abspath(sys.argv.pop(1))
    MISTAKES = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it, and children inherit that
    unittest.main(verbosity=2)
