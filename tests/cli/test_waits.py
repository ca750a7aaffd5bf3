#!/usr/bin/env python3
"""hakstress run: reports of living processes: when the time is over, when nothing moves, and on demand.

usage: test_waits.py HAKSTRESS WAITS LIBHAKMEM_CHECKED
"""
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
import unittest

import test_cli
import test_run
from test_cli import clean_environment

WAITS = LIBRARY = ""
LOOK = re.compile(
    r"^run: look reason=(?P<reason>\w+) pid=(?P<pid>\d+) threads=(?P<threads>\d+) command=\S+"
    r" report=(?P<report>\S+)\r?$",
    re.MULTILINE,
)


def functions(threads):
    """The names of all functions on the stacks, also of inlined ones."""
    frames = [frame for thread in threads for frame in thread["backtrace"]]
    inlined = [one["symbol"] for frame in frames for one in frame.get("inlined", [])]
    return {frame.get("symbol") for frame in frames} | set(inlined)


class Looks(test_run.RunCase):
    def looks(self, text, reason, count):
        found = list(LOOK.finditer(text))
        self.assertEqual([look["reason"] for look in found], [reason] * count, text)
        reports = [self.report(look["report"]) for look in found]
        for look, (_, report) in zip(found, reports):
            self.assertEqual((report["reason"], report["pid"]), (reason, int(look["pid"])))
            self.assertEqual(len(report["threads"]), int(look["threads"]))
        return reports

    def read_looks(self, run, count):
        """What a run says, up to the verdict of this many looks."""
        text = ""
        while len(LOOK.findall(text)) < count or not text.splitlines()[-1].startswith("verdict: "):
            line = run.stderr.readline()
            self.assertTrue(line, text)
            text += line
        return text


class Waits(Looks):
    def test_timeout_names_the_deadlock(self):
        result = self.run_command(WAITS, "deadlock", options=["--timeout", "0.7"])
        self.assertEqual(result.returncode, 124, result.stderr)
        ((text, report),) = self.looks(result.stderr, "timeout", 1)
        self.assertEqual(report["verdict"]["cause"], "a deadlock: threads wait for each other's locks")
        waiting = {t["os_tid"]: t["waits_for"]["holder"] for t in report["threads"] if "holder" in t["waits_for"]}
        (one, two) = waiting
        self.assertEqual(waiting, {one: two, two: one})
        self.assertLessEqual({"take_first_then_second", "take_second_then_first"}, functions(report["threads"]))
        for function in ("take_first_then_second", "take_second_then_first"):
            wanted = rf"\n  - os thread \d+ waits in {function} \(waits.c:\d+\) for the mutex 0x"
            self.assertRegex(result.stderr, wanted)
        self.assertIn("malloc", [event["event"] for ring in report["rings"] for event in ring["events"]])
        self.assertGreater(report["waits"]["locks"], 50)
        self.assertEqual(self.run_it("report", LOOK.search(result.stderr)["report"]).stdout, text)
        saved = self.only_result()
        self.assertEqual((saved["timed_out"], saved["faults"], saved["exit_status"]), (True, 0, 124))

    def test_many_threads_at_one_place_are_shown_once(self):
        result = self.run_command(WAITS, "idle", "60", options=["--timeout", "0.7"])
        self.assertEqual(result.returncode, 124, result.stderr)
        ((text, report),) = self.looks(result.stderr, "timeout", 1)
        self.assertEqual(len([t for t in report["threads"] if "idle" in functions([t])]), 60)
        self.assertEqual(text.count("\nbacktrace of"), 2)
        self.assertRegex(result.stderr, r"\n  - 60 threads in idle \(waits.c:\d+\)\n")

    def test_no_timeout(self):
        self.quiet(self.run_command("sh", "-c", "exit 4", options=["--timeout", "50", "--hang-after", "50"]), 4)

    def test_a_hang_is_told_once_and_goes_on(self):
        """Of the process and of its child."""
        options = ["--hang-after", "1", "--timeout", "50"]
        run = self.start_command(WAITS, "child", "idle", "3", options=options)
        reports = self.looks(self.read_looks(run, 2), "hang", 2)
        child = next(report["pid"] for _, report in reports if len(report["threads"]) == 3)
        os.kill(child, signal.SIGKILL)
        rest = run.communicate(timeout=30)[1]
        self.assertEqual((run.returncode, LOOK.search(rest)), (7, None), rest)

    def test_who_computes_does_not_hang(self):
        result = self.run_command(WAITS, "spin", options=["--hang-after", "0.4", "--timeout", "1.2"])
        ((_, report),) = self.looks(result.stderr, "timeout", 1)
        self.assertIn("main", functions(report["threads"]))

    def test_sigquit_while_threads_begin_and_end(self):
        run = self.start_command(WAITS, "births")
        self.assertEqual(run.stdout.readline(), "ready\n")
        for _ in range(5):
            run.send_signal(signal.SIGQUIT)
            ((_, report),) = self.looks(self.read_looks(run, 1), "asked", 1)
            self.assertEqual(report["verdict"]["culprit"], "nobody")
            self.assertIn("main", functions(report["threads"]))
        run.terminate()
        run.communicate(timeout=30)
        self.assertEqual(run.returncode, 143)

    def test_key_that_sends_sigquit(self):
        pid, terminal = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # who started this test may have ignored it
            os.chdir(self.directory.name)
            os.execve(test_cli.HAKSTRESS, [test_cli.HAKSTRESS, "run", "--", WAITS, "births"], clean_environment())
        test_run.Transparency.read_until(terminal, "ready")
        for _ in range(2):
            os.write(terminal, b"\x1c")
            test_run.Transparency.read_until(terminal, "report was asked for")
            time.sleep(0.2)  # if the key's signal did reach the program, it has died by now
        os.write(terminal, b"\x03")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        os.close(terminal)

    def test_usage(self):
        for wrong in ("0", "-1", "soon", "inf"):
            result = self.run_command("true", options=[f"--timeout={wrong}"])
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(f"--timeout must be a number of seconds above 0, not '{wrong}'", result.stderr)

    def test_without_ptrace(self):
        options = ["--timeout", "0.5"]
        result = self.run_command(WAITS, "births", options=options, preexec_fn=test_run.refuse_ptrace)
        self.assertEqual(result.returncode, 124, result.stderr)
        ((_, report),) = self.looks(result.stderr, "timeout", 1)
        self.assertEqual(report["threads"][0]["backtrace_problem"], "Operation not permitted")


class Attached(Looks):
    """To a process that runs already."""

    def setUp(self):
        super().setUp()
        environment = clean_environment(LD_PRELOAD=LIBRARY)
        self.other = subprocess.Popen([WAITS, "births"], env=environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.other.stdout.close)
        self.addCleanup(self.other.wait)
        self.addCleanup(self.other.kill)
        self.assertEqual(self.other.stdout.readline(), "ready\n")

    def attach(self):
        run = subprocess.Popen([test_cli.HAKSTRESS, "run", "--pid", str(self.other.pid)], cwd=self.directory.name,
                               env=clean_environment(), stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.stderr.close)
        self.assertIn(f"watching process {self.other.pid}, {WAITS} births", run.stderr.readline())
        return run

    def test_report_and_let_go(self):
        for _ in range(2):
            run = self.attach()
            run.send_signal(signal.SIGQUIT)
            ((_, report),) = self.looks(self.read_looks(run, 1), "asked", 1)
            self.assertIn("main", functions(report["threads"]))
            self.assertTrue(any(ring["events"] for ring in report["rings"]))
            run.send_signal(signal.SIGINT)
            self.assertEqual((run.wait(30), self.other.poll()), (0, None))
            with open(f"/proc/{self.other.pid}/status") as file:
                self.assertIn("TracerPid:\t0\n", file.read())

    def test_crash(self):
        run = self.attach()
        self.other.send_signal(signal.SIGSEGV)
        said = run.stderr.read()
        self.assertEqual((run.wait(30), self.other.wait(30)), (139, -11))
        report = self.report(test_run.FAULT.search(said)["report"])[1]
        self.assertEqual(report["verdict"]["cause"], "a signal from outside")
        self.assertTrue(report["backtrace"])

    def test_refused(self):
        for options, why in ((["--pid", "1", "--guard"], "--guard is for a command"),
                             (["--pid", "1", "--", "true"], "not both"), (["--pid", "x"], "whole number")):
            result = self.run_it("run", *options)
            self.assertEqual((result.returncode, why in result.stderr), (2, True), result.stderr)
        result = self.run_it("run", "--pid", str(os.getpid()))
        self.assertEqual(result.returncode, 3)
        self.assertIn("has not loaded libhakmem-checked.so", result.stderr)

    def test_leaks_need_records(self):
        """Without guard mode nothing can be known of leaks: that is said at once, and the process goes on."""
        result = self.run_it("run", "--leaks", "--pid", str(self.other.pid))
        self.assertEqual((result.returncode, self.other.poll()), (3, None))
        wanted = rf"\Ahakstress: process {self.other.pid} has no records .* HAKMEM_GUARD=1.*\n\Z"
        self.assertRegex(result.stderr, wanted)


class Core(test_run.RunCase):
    def dump(self):
        with open("/proc/sys/kernel/core_pattern") as file:
            pattern = file.read().strip()
        if pattern.startswith("|") or "/" in pattern or resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
            self.skipTest(f"no core dumps here: {pattern}")

        def allow():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

        process = subprocess.Popen([WAITS, "idle-crash", "3"], cwd=self.directory.name, preexec_fn=allow,
                                   env=clean_environment(LD_PRELOAD=LIBRARY))
        self.assertEqual(process.wait(60), -11)
        (core,) = [name for name in os.listdir(self.directory.name) if name.startswith("core")]
        return core

    def explain(self, core, *more):
        path = os.path.join(self.directory.name, "explained.json")
        said = self.run_it("report", core, "--exe", WAITS, *more, "--json", path)
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        with open(path) as file:
            return said.stdout, json.load(file)

    def test_core(self):
        core = self.dump()
        text, report = self.explain(core)
        self.assertRegex(report["verdict"]["cause"], "^a null pointer was dereferenced")
        self.assertIn("main", functions([report]))
        self.assertEqual([("idle" in functions([thread])) for thread in report["threads"]], [True] * 3)
        self.assertEqual(report["heap_state"]["damaged"], [])
        self.assertGreater(report["heap_state"]["used_blocks"], 3)
        self.assertIn("\n  no free list is damaged\n", text)
        events = [event for ring in report["rings"] for event in ring["events"] if event["event"] == "malloc"]
        live = next(event["ptr"] for event in events if event["text"].endswith("288 bytes"))  # of a thread that lives
        text, report = self.explain(core, "--address", live)
        self.assertIn(f"\naddress: {live}     0 bytes into block {live}, in use", text)
        self.assertEqual(report["address"]["place"]["kind"], "block")

    def test_what_is_no_core(self):
        for arguments, why in ((["--exe", WAITS], "are for core dumps"), (["--address", "0x10"], "are for core dumps")):
            result = self.run_it("report", WAITS, *arguments)
            self.assertEqual((result.returncode, why in result.stderr), (2, True), result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    test_cli.HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    WAITS = os.path.abspath(sys.argv.pop(1))
    LIBRARY = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
