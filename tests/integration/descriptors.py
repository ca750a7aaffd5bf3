#!/usr/bin/env python3
"""Where the library's words go: never into a file of the program, whatever its number, and into the file asked for.

usage: descriptors.py PROGRAM LIBHAKMEM.so SHIM.so [unittest's arguments]
PROGRAM: of descriptors.c; SHIM.so: of tests/shims/descriptor_calls.c.
Exit status: 0 fine, 1 a finding."""

import json
import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

PROGRAM, LIBRARY, SHIM = (os.path.abspath(path) for path in sys.argv[1:4])
SETUP_FAILED = 99
ROOT = os.geteuid() == 0
NOBODY = 65534
STATISTICS = b"slabs in use"
LAST_WORDS = b"hakmem: check=invalid_free site=free "
CONTENTS = b"the program's own\n"


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HAKMEM_")}
    return {**clean, "LD_PRELOAD": LIBRARY, **more}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)
        self.data = self.path("data")
        self.write(self.data, CONTENTS)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, path, contents):
        with open(path, "wb") as file:
            file.write(contents)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def run_it(self, *steps, status=0, preexec=None, pass_fds=(), stderr=subprocess.PIPE, **variables):
        """Runs the program in the test's folder; its process id is in the result as well."""
        with subprocess.Popen([PROGRAM, *steps], cwd=self.folder, env=environment(**variables),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                              preexec_fn=preexec, pass_fds=pass_fds) as process:
            try:
                out, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        done = subprocess.CompletedProcess(process.args, process.returncode, out.decode(), err)
        done.pid = process.pid
        self.assertEqual(done.returncode, status, (done.stdout, err))
        return done

    def dies(self, *steps, **more):
        return self.run_it(*steps, "free-twice", status=-signal.SIGABRT, **more)

    def assert_unharmed(self):
        self.assertEqual(self.read("data"), CONTENTS)

    def child_of(self, done):
        return int(re.search(r"^child (\d+)$", done.stdout, re.M).group(1))


class AnotherFileAs2(Case):
    """A file that the program opened after it closed stderr has its number."""

    def test_statistics_go_where_stderr_led_at_load(self):
        done = self.run_it(f"data={self.data}", HAKMEM_STATS="text")
        self.assert_unharmed()
        self.assertIn(STATISTICS, done.stderr)

    def test_statistics_go_nowhere_when_that_is_closed_as_well(self):
        self.run_it("close-from=2", f"data={self.data}", HAKMEM_STATS="text")
        self.assert_unharmed()

    def test_statistics_asked_for_late_go_nowhere(self):
        self.run_it("set=HAKMEM_STATS:text", f"data={self.data}")
        self.assert_unharmed()

    def test_last_words_go_nowhere(self):
        done = self.dies(f"data={self.data}")
        self.assert_unharmed()
        self.assertEqual(done.stderr, b"")

    def test_last_words_go_nowhere_where_statistics_are_asked_for(self):
        self.dies(f"data={self.data}", HAKMEM_STATS="text")
        self.assert_unharmed()

    def test_malloc_stats_goes_nowhere(self):
        self.run_it(f"data={self.data}", "malloc-stats")
        self.assert_unharmed()

    def test_a_complaint_about_the_file_at_exit_goes_nowhere(self):
        self.run_it(f"data={self.data}", "set=HAKMEM_STATS_FILE:/no/such/file", "set=HAKMEM_STATS:json")
        self.assert_unharmed()

    def test_every_number_the_kept_one_too_may_be_of_another_file(self):
        done = self.run_it("close-from=3", f"fill={self.data}", HAKMEM_STATS="text")
        self.assert_unharmed()
        self.assertIn(STATISTICS, done.stderr, "2 is as at load")
        self.run_it("close-from=2", f"fill={self.data}", HAKMEM_STATS="text", HAKMEM_STATS_FILE="stats")
        self.assert_unharmed()

    def test_pipes_and_sockets_get_nothing(self):
        ours, theirs = socket.socketpair()
        reads, writes = os.pipe()
        for number in (theirs.fileno(), writes):
            self.dies(f"stderr={number}", pass_fds=[number])
            self.run_it(f"stderr={number}", "malloc-stats", pass_fds=[number], HAKMEM_STATS="text")
        theirs.close()
        os.close(writes)
        with ours, open(reads, "rb") as pipe:
            self.assertEqual((ours.recv(100), pipe.read()), (b"", b""))


class Closed(Case):
    """Descriptor 2 is closed when the program starts."""

    @staticmethod
    def close_2():
        os.close(2)

    def test_nothing_is_written(self):
        self.run_it(f"data={self.data}", "malloc-stats", preexec=self.close_2, HAKMEM_STATS="text", HAKMEM_VERBOSE="1")
        self.assert_unharmed()
        self.dies(f"data={self.data}", preexec=self.close_2, HAKMEM_NOSUCH="1")
        self.assert_unharmed()

    def test_a_file_that_was_asked_for_leaves_the_number_free(self):
        self.run_it(f"data={self.data}", preexec=self.close_2, HAKMEM_STATS="text", HAKMEM_STATS_FILE="stats")
        self.assert_unharmed()
        self.assertIn(STATISTICS, self.read("stats"))

    def test_a_file_that_cannot_be_opened_is_told_to_nobody(self):
        self.run_it(f"data={self.data}", preexec=self.close_2, HAKMEM_STATS="text", HAKMEM_STATS_FILE="no/such")
        self.assert_unharmed()


class Stderr(Case):
    """Where stderr, or what can do no harm, is 2."""

    def test_last_words_go_to_stderr(self):
        self.assertTrue(self.dies().stderr.startswith(LAST_WORDS))

    def test_last_words_before_any_constructor_go_to_stderr(self):
        self.assertTrue(self.run_it("early", status=-signal.SIGABRT).stderr.startswith(LAST_WORDS))

    def test_malloc_stats_goes_to_stderr(self):
        self.assertIn(STATISTICS, self.run_it("malloc-stats").stderr)

    def test_a_log_gets_last_words_but_no_statistics(self):
        done = self.run_it("append=log", HAKMEM_STATS="text")
        self.assertEqual(self.read("log"), b"")
        self.assertIn(STATISTICS, done.stderr)
        self.assertEqual(self.dies("append=log").stderr, b"")
        self.assertTrue(self.read("log").startswith(LAST_WORDS))

    def test_a_terminal_gets_last_words(self):
        master, terminal = pty.openpty()
        self.dies(f"stderr={terminal}", pass_fds=[terminal])
        self.assertTrue(os.read(master, 4096).startswith(LAST_WORDS))
        os.close(master)
        os.close(terminal)

    def test_a_reader_that_has_gone_kills_nobody(self):
        reads, writes = os.pipe()
        os.close(reads)
        for signal_action in (signal.SIG_DFL, signal.SIG_IGN):
            preexec = lambda action=signal_action: signal.signal(signal.SIGPIPE, action)
            self.run_it("malloc-stats", stderr=writes, preexec=preexec, HAKMEM_STATS="text")
            self.dies(stderr=writes, preexec=preexec)
        os.close(writes)

    def test_stderr_is_not_kept_open_unless_statistics_are_asked_for(self):
        with subprocess.Popen([PROGRAM, "close=2", "pause"], env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as daemon:
            daemon.stdout.readline()
            ended = daemon.stderr.read()
            daemon.kill()
        self.assertEqual(ended, b"")

    def test_one_high_number_is_open_for_statistics_and_none_without(self):
        self.assertEqual(self.run_it("list").stdout, "")
        many = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (many, many))
        for variables in ({}, {"HAKMEM_STATS_FILE": "stats"}):
            (number,) = self.run_it("list", preexec=preexec, HAKMEM_STATS="text", **variables).stdout.split()
            self.assertIn(int(number), range(min(200, many - 1), 256))

    def test_an_exec_inherits_none(self):
        done = self.run_it(f"exec={PROGRAM}", HAKMEM_STATS="text", HAKMEM_STATS_FILE="stats.%p")
        self.assertEqual(done.stdout, "")

    def test_few_numbers(self):
        preexec = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
        done = self.run_it("list", f"data={self.data}", preexec=preexec, HAKMEM_STATS="text")
        self.assertEqual(done.stdout, "7\n")
        self.assertIn(STATISTICS, done.stderr)
        last = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
        done = self.run_it("list", preexec=last, HAKMEM_STATS="text", HAKMEM_STATS_FILE="stats")
        self.assertEqual(done.stdout, "3\n")
        self.assertIn(STATISTICS, self.read("stats"))
        self.run_it(f"data={self.data}", preexec=preexec, HAKMEM_STATS="json", HAKMEM_STATS_FILE="stats.%p")
        self.assert_unharmed()


class StatisticsFile(Case):
    """HAKMEM_STATS_FILE."""

    def ask(self, *steps, form="json", name="stats", **more):
        return self.run_it(*steps, HAKMEM_STATS=form, HAKMEM_STATS_FILE=name, **more)

    def lines(self, name="stats"):
        return [json.loads(line) for line in self.read(name).splitlines()]

    def processes(self, name="stats"):
        return [line["pid"] for line in self.lines(name)]

    def test_a_relative_name_is_of_the_folder_at_load(self):
        done = self.ask("folder=/")
        self.assertEqual(self.processes(), [done.pid])

    def test_it_is_written_after_stderr_became_data(self):
        done = self.ask(f"data={self.data}")
        self.assert_unharmed()
        self.assertEqual((done.stderr, self.processes()), (b"", [done.pid]))

    @unittest.skipUnless(ROOT, "needs to be root")
    def test_root_and_user_may_change(self):
        os.mkdir(self.path("jail"))
        steps = (f"root={self.path('jail')}", f"user={NOBODY}")
        done = self.ask(*steps, name=self.path("stats"))
        self.assertEqual((done.stderr, self.processes()), (b"", [done.pid]))
        self.assertEqual(os.listdir(self.path("jail")), [])

    def test_a_child_has_a_file_of_its_own_in_the_folder_at_load(self):
        for name in ("stats.%p", self.path("stats.%p")):
            done = self.ask("fork", "folder=/", name=name)
            for pid in (done.pid, self.child_of(done)):
                self.assertEqual(self.processes(f"stats.{pid}"), [pid])

    def test_a_child_has_a_folder_of_its_own_where_the_name_says_so(self):
        name = os.path.join(self.folder, "%p", "stats")
        done = self.ask("fork", name=name)
        self.assertEqual(done.stderr.count(b"hakmem: HAKMEM_STATS_FILE: cannot open "), 1, "said once, at load")

    @unittest.skipUnless(ROOT, "needs to be root")
    def test_a_child_behind_another_root(self):
        os.mkdir(self.path("jail"))
        done = self.ask("fork", f"root={self.path('jail')}", name=self.path("stats.%p"))
        child = self.child_of(done)
        self.assertEqual(self.processes(f"stats.{child}"), [child])

    @unittest.skipUnless(ROOT, "needs to be root")
    def test_a_child_that_may_not_make_its_own_uses_its_parents(self):
        done = self.ask("fork", f"user={NOBODY}", name=self.path("stats.%p"))
        child = self.child_of(done)
        self.assertEqual(self.processes(f"stats.{done.pid}"), [child, done.pid])
        self.assertFalse(os.path.exists(self.path(f"stats.{child}")))

    def test_it_is_opened_again_after_all_numbers_were_closed(self):
        done = self.ask("close-from=2", f"data={self.data}", name=self.path("stats"))
        self.assert_unharmed()
        self.assertEqual(self.processes(), [done.pid])

    def test_a_relative_name_is_not_looked_up_in_another_folder(self):
        os.mkdir(self.path("elsewhere"))
        done = self.ask("close-from=3", "folder=elsewhere")
        self.assertEqual(os.listdir(self.path("elsewhere")), [])
        self.assertIn(b"HAKMEM_STATS_FILE: cannot open stats (error 2)", done.stderr)
        self.assertIn(b'"pid":%d' % done.pid, done.stderr)

    def test_a_deleted_file_is_made_again_and_a_renamed_one_followed(self):
        done = self.ask("delete=stats", name=self.path("stats"))
        self.assertEqual(self.processes(), [done.pid])
        done = self.ask("rename=renamed:renamed.1", name="renamed")
        self.assertEqual(self.processes("renamed.1"), [done.pid])
        self.assertFalse(os.path.exists(self.path("renamed")))

    def test_lines_of_many_processes_stay_whole(self):
        runs = [subprocess.Popen([PROGRAM, "fork"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                 env=environment(HAKMEM_STATS="json", HAKMEM_STATS_FILE="stats")) for _ in range(20)]
        self.assertEqual([run.wait(timeout=60) for run in runs], [0] * len(runs))
        self.assertEqual(len(set(self.processes())), 2 * len(runs))

    def test_a_file_that_cannot_be_opened_is_told_at_load(self):
        for name in ("no/such", "/", self.folder):
            done = self.ask("malloc-stats", f"data={self.data}", form="text", name=name)
            told, *rest = done.stderr.splitlines()
            self.assertTrue(told.startswith(b"hakmem: HAKMEM_STATS_FILE: cannot open "), told)
            self.assertNotIn(b"cannot open", b"".join(rest))
            self.assertEqual(done.stderr.count(STATISTICS), 2, "of malloc_stats, and at exit")
        self.assert_unharmed()

    def test_nobody_waits_for_a_reader(self):
        os.mkfifo(self.path("fifo"))
        done = self.ask(name="fifo")
        self.assertIn(b"cannot open fifo", done.stderr)
        reader = os.open(self.path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
        done = self.ask(name="fifo")
        self.assertEqual(json.loads(os.read(reader, 8192))["pid"], done.pid)
        os.close(reader)

    def test_full_disks_and_limits_end_nobody(self):
        self.ask(form="text", name="/dev/full")
        self.ask("limit-files=1000", form="text")
        self.assertEqual(len(self.read("stats")), 1000)
        self.ask("limit-files=1000", form="text")

    def test_the_program_may_name_it_later(self):
        done = self.run_it("folder=/", f"set=HAKMEM_STATS_FILE:{self.path('late')}", "set=HAKMEM_STATS:json")
        self.assertEqual(self.processes("late"), [done.pid])

    def test_no_statistics_of_a_program_that_ends_by__exit_or_a_crash(self):
        self.ask("_exit")
        self.dies(HAKMEM_STATS="json", HAKMEM_STATS_FILE="stats")
        self.assertEqual(self.read("stats"), b"")


class Interposed(Case):
    def test_no_function_of_the_c_library_is_called(self):
        for variables in ({}, {"HAKMEM_STATS": "text"}, {"HAKMEM_STATS": "json", "HAKMEM_STATS_FILE": "stats.%p"},
                          {"HAKMEM_VERBOSE": "1", "HAKMEM_NOSUCH": "1"},
                          {"HAKMEM_STATS": "json", "HAKMEM_STATS_FILE": "no/such"}):
            for order in ((SHIM, LIBRARY), (LIBRARY, SHIM)):
                done = self.run_it(LD_PRELOAD=":".join(order), **variables)
                self.assertEqual(done.stdout, "", "what was called")
        for step in ("early", "free-twice"):
            done = self.run_it(step, status=-signal.SIGABRT, LD_PRELOAD=f"{SHIM}:{LIBRARY}")
            self.assertEqual(done.stdout, "", "what was called")


class Core(Case):
    """The last words are in memory, under a name."""

    def gdb(self, *commands, arguments=()):
        words = [word for command in commands for word in ("-ex", command)]
        return subprocess.run(["gdb", "-batch", "-nx", *words, *arguments], cwd=self.folder, capture_output=True,
                              timeout=120, text=True, check=False)

    @unittest.skipUnless(shutil.which("gdb"), "needs gdb")
    def test_a_core_shows_the_last_words(self):
        core = self.path("core.test")
        made = self.gdb("set startup-with-shell off", f"set environment LD_PRELOAD {LIBRARY}",
                        "set environment TEST_CORE 1", f"run data={self.data} free-twice", f"generate-core-file {core}",
                        arguments=[PROGRAM])
        if not os.path.exists(core):
            self.skipTest(f"gdb cannot trace here: {made.stdout}{made.stderr}")
        shown = self.gdb("p (char*) &hakmem_last_words", arguments=[PROGRAM, core])
        self.assertIn(LAST_WORDS.decode(), shown.stdout, shown.stderr)
        with open(core, "rb") as file:
            self.assertIn(LAST_WORDS, file.read(), "without gdb")
        self.assert_unharmed()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
