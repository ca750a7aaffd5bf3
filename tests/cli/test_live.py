#!/usr/bin/env python3
"""A process that has the library, read from outside while it runs (hakstress stats, top), and its own statistics.

usage: test_live.py HAKSTRESS LIBHAKMEM LIBHAKMEM_CHECKED FALSE_LIVE"""

import csv
import io
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS, LIBRARY, CHECKED, FALSE_LIVE = (os.path.abspath(name) for name in sys.argv[1:5])
PARTS = [f"memory_{part}" for part in ("live", "cached", "gaps", "free", "tables")]
TIMEOUT = 60

# Holds blocks, frees some, and does what it reads: take SIZE, drop, option NAME, fork, zeros, handle SIGNAL.
PROGRAM = """
import ctypes, os, signal, sys
library = ctypes.CDLL(None)
malloc, free = library.malloc, library.free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.calloc.restype = ctypes.c_void_p
def take(size, count):
    blocks = [malloc(size) for _ in range(count)]
    for block in blocks: ctypes.memset(block, 1, size)
    return blocks
kept = [take(size, count) for size, count in ((24, 40000), (700, 9000), (40000, 300), (5000000, 3))]
for blocks in kept[:3]:
    while len(blocks) % 4: free(blocks.pop())
for block in kept[1][::2]: free(block)
print("ready", flush=True)
more = []
def option(name):
    text = ctypes.create_string_buffer(99)
    library.hak_option_get(name.encode(), text, 99)
    return text.value.decode()
def zeros():
    size = 50 << 20
    start = library.calloc(1, size)
    return sum(ctypes.c_char.from_address(start + i).value[0] for i in range(0, size, 4096))
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    answer = "done"
    if word == "take":
        more += take(int(rest), 1000)
    elif word == "drop":
        while more: free(more.pop())
    elif word == "option":
        answer = option(rest)
    elif word == "zeros":
        zeros()
    elif word == "fork":
        before = option("HAKMEM_RESERVE")
        child = os.fork()
        if child == 0:
            take(3000, 1000)
            sys.exit(option("HAKMEM_RESERVE") != before)
        answer = f"{child} {os.waitpid(child, 0)[1]}"
    elif word == "damage":
        blocks = [malloc(1792) for _ in range(8)]
        for block in blocks:
            free(ctypes.c_void_p(block))
        for block in blocks:
            ctypes.memset(block, 0x41, 8)
    elif word == "handle":
        signal.signal(int(rest), lambda *_: os._exit(7))
    print(answer, flush=True)
"""


class Process:
    """The program, under a library."""

    def __init__(self, library, ignores=None, stderr=subprocess.PIPE, **variables):
        self.child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
            text=True, env={**os.environ, "LD_PRELOAD": library, **variables},
            preexec_fn=ignores and (lambda: signal.signal(ignores, signal.SIG_IGN)))
        self.pid = self.child.pid
        assert self.child.stdout.readline() == "ready\n"

    def ask(self, line):
        self.child.stdin.write(f"{line}\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()

    def take(self, size):
        assert self.ask(f"take {size}") == "done"

    def end(self):
        _, told = self.child.communicate(timeout=TIMEOUT)
        assert self.child.returncode == 0, told
        return told

    def freeze(self):
        """For figures that are compared: the interpreter may be on its way to the next line."""
        self.child.send_signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def kill(self, number):
        """The exit status of a process that should die of a signal."""
        self.child.send_signal(number)
        self.child.communicate(timeout=TIMEOUT)
        return self.child.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        for file in filter(None, (self.child.stdin, self.child.stdout, self.child.stderr)):
            file.close()


def hakstress(*words):
    return subprocess.run([HAKSTRESS, *map(str, words)], capture_output=True, text=True, timeout=TIMEOUT, check=False)


def stats(pid):
    done = hakstress("stats", pid, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["processes"][0]


def resident(pid, told):
    """Bytes in memory by /proc/PID/smaps: (the allocator's, others')."""
    ours, others, ranges = 0, 0, [(told[f"{name}_start"], told[f"{name}_end"]) for name in ("heap", "tables")]
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as lines:
        for line in lines:
            start = re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line)
            if start:
                is_ours = any(low <= int(start[1], 16) < high for low, high in ranges)
            elif line.startswith("Rss:"):
                bytes_ = int(line.split()[1]) << 10
                ours, others = ours + bytes_ * is_ours, others + bytes_ * (not is_ours)
    return ours, others


def of_size(told, size):
    """The class that serves a size."""
    return min((row for row in told["classes"] if row["size"] >= size), key=lambda row: row["size"])


class Outside(unittest.TestCase):
    def test_the_parts_add_up_to_what_the_system_says(self):
        with Process(LIBRARY) as process:
            process.freeze()
            told = stats(process.pid)
            ours, others = resident(process.pid, told)
        self.assertLess(abs(sum(told[part] for part in PARTS) - ours), 0.02 * ours)
        self.assertLess(abs(told["memory_others"] - others), 0.02 * (ours + others))
        self.assertLess(abs(told["rss"] - ours - others), 0.02 * told["rss"])
        self.assertGreater(told["memory_live"], 30 << 20)

    def test_pages_of_zeros_are_no_memory(self):
        with Process(LIBRARY) as process:
            process.ask("zeros")
            process.freeze()
            told = stats(process.pid)
            ours, _ = resident(process.pid, told)
        self.assertLess(abs(sum(told[part] for part in PARTS) - ours), 0.02 * ours)

    def test_garbage_is_read_to_its_end(self):
        for seed in (1, 2, int.from_bytes(os.urandom(2), "big")):
            with self.subTest(seed=seed), subprocess.Popen(
                    [FALSE_LIVE, str(seed)], stdout=subprocess.PIPE, text=True) as child:
                child.stdout.readline()
                try:
                    self.assertNotIn('"', stats(child.pid)["version"])
                    self.assertIn("does not add up", hakstress("stats", child.pid).stdout)
                    self.assertEqual(hakstress("top", child.pid, "--count", 1).returncode, 0)
                finally:
                    child.kill()

    def test_live_blocks_are_counted_exactly(self):
        for library in (LIBRARY, CHECKED):
            with self.subTest(library=library), Process(library) as process:
                before = stats(process.pid)
                process.take(7000)
                after = stats(process.pid)
                gained = of_size(after, 7000)["live"] - of_size(before, 7000)["live"]
                self.assertLess(abs(gained - 1000), 3)  # the interpreter may take some of that size
                self.assertGreater(after["mallocs"] - before["mallocs"], 990)
                self.assertEqual(after["counts_exact"], library == CHECKED)

    def test_what_guard_mode_keeps_back_is_not_live(self):
        for size in (3000, 20000):
            with self.subTest(size=size), Process(CHECKED, HAKMEM_GUARD="1") as process:
                process.take(size)
                before = stats(process.pid)
                self.assertEqual(process.ask("drop"), "done")
                process.freeze()
                after = stats(process.pid)
                self.assertGreater(after["kept_back_blocks"], 100)
                self.assertLess(abs(before["live_blocks"] - after["live_blocks"] - 1000), 50)
                self.assertLess(abs(after["frees"] - before["frees"] - 1000), 200)

    def test_what_bins_hold_is_not_live(self):
        with Process(LIBRARY) as process:
            process.freeze()
            told = stats(process.pid)
        row = of_size(told, 700)
        self.assertGreater(row["cached"], 0)
        self.assertLess(abs(row["live"] - 4500), 40)

    def test_every_form_has_every_figure(self):
        with Process(LIBRARY) as process:
            process.freeze()
            told = stats(process.pid)
            table = list(csv.DictReader(io.StringIO(hakstress("stats", process.pid, "--csv").stdout)))
            prometheus = hakstress("stats", process.pid, "--prometheus").stdout
            text = hakstress("stats", process.pid).stdout
        self.assertEqual(len(table), 1)
        for name in ("live_bytes", "rss", "memory_gaps", "tls_slab_tried"):
            self.assertIn(name, table[0])
        self.assertEqual(int(table[0]["live_bytes"]), told["live_bytes"])
        self.assertIn(f'hakmem_live_bytes{{pid="{process.pid}"}} {told["live_bytes"]}\n', prometheus)
        names = re.findall(r"^# TYPE (\S+)", prometheus, re.M)
        self.assertEqual(len(names), len(set(names)))
        self.assertRegex(text.splitlines()[0], rf"process {process.pid}$")
        self.assertLess(text.index("where the memory is"), text.index("internals"))

    def test_top_shows_processes_and_rates(self):
        with Process(LIBRARY) as process:
            done = hakstress("top", "--count", 1)
            self.assertRegex(done.stdout, rf"(?m)^ *{process.pid} python")
            command = [HAKSTRESS, "top", str(process.pid), "--count", "2"]
            top = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            first = top.stdout.readline() + top.stdout.readline()
            process.take(3000)
            rest = top.communicate(timeout=TIMEOUT)[0]
        self.assertEqual((first.split()[-13], first.split()[-3:]), (str(process.pid), ["-"] * 3), "no rates yet")
        row = next(line.split() for line in rest.splitlines() if line.split()[:1] == [str(process.pid)])
        self.assertGreater(float(row[-3].removesuffix("+")), 100, "malloc/s")
        self.assertTrue(row[-3].endswith("+"), "a lower bound")

    def test_who_cannot_be_read_is_told_why(self):
        with subprocess.Popen(["sleep", "60"]) as other:
            done = hakstress("stats", other.pid)
            other.kill()
        self.assertEqual(done.returncode, 3)
        self.assertIn("does not have libhakmem", done.stderr)
        self.assertEqual(hakstress("stats").returncode, 2)
        self.assertEqual(hakstress("stats", "12x").returncode, 2)
        done = hakstress("stats", other.pid)
        self.assertIn("does not exist", done.stderr)
        ended = subprocess.Popen(["true"])
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        self.assertIn("has ended", hakstress("stats", ended.pid).stderr)
        ended.wait()


class Asked(unittest.TestCase):
    """hakstress set, trim, check."""

    def begin(self, *words):
        """A request; the caller then has the process answer it."""
        child = subprocess.Popen([HAKSTRESS, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
        self.addCleanup(child.communicate)
        return child

    def finish(self, child, process, size=3000):
        while child.poll() is None:
            process.take(size)
            process.ask("drop")
            time.sleep(0.01)
        out, err = child.communicate()
        self.assertEqual(child.returncode, 0, err)
        return out

    def test_options_change_while_it_runs(self):
        with Process(LIBRARY) as process:
            self.finish(self.begin("set", process.pid, "reserve=3M", "HAKMEM_PURGE_MS=77"), process)
            self.assertEqual(process.ask("option HAKMEM_RESERVE"), str(3 << 20))
            self.assertEqual(process.ask("option HAKMEM_PURGE_MS"), "77")

    def test_trim_gives_memory_back(self):
        with Process(LIBRARY, HAKMEM_RESERVE="1G") as process:
            process.take(30000)
            process.ask("drop")
            out = self.finish(self.begin("trim", process.pid), process, 100)
            before, after = map(float, re.findall(r"([0-9.]+) MiB", out))
        self.assertGreater(before - after, 15, out)

    def test_a_sound_heap_is_told(self):
        for library in (LIBRARY, CHECKED):
            with self.subTest(library=library), Process(library) as process:
                self.assertIn("no fault was found", self.finish(self.begin("check", process.pid), process))
                told = json.loads(self.finish(self.begin("check", process.pid, "--json", "-"), process))
                self.assertEqual((told["pid"], told["wrong"]), (process.pid, 0))

    def test_a_check_that_ends_the_process_says_so(self):
        with Process(LIBRARY) as process:
            process.ask("damage")
            child = self.begin("check", process.pid)
            while child.poll() is None:
                try:
                    process.take(3000)
                    process.ask("drop")
                except (AssertionError, BrokenPipeError):
                    pass  # it has ended
                time.sleep(0.01)
            out, err = child.communicate()
            self.assertEqual((child.returncode, process.child.wait(TIMEOUT)), (1, -signal.SIGABRT), out + err)
            self.assertIn("a damaged list of free blocks ends a process that is checked", out)

    def test_one_that_has_ended_does_not_hide_the_others(self):
        with Process(LIBRARY) as process:
            done = hakstress("stats", 2**22 - 1, process.pid)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"process {process.pid}", done.stdout)
            self.assertIn("4194303", done.stderr)

    def test_a_process_that_does_not_answer_does_nothing_later(self):
        with Process(LIBRARY) as process:
            done = hakstress("set", process.pid, "reserve=3M", "--wait", 1)
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr, r"^hakstress: process \d+ has not answered within 1 s: [^\n]*\n$")
            process.take(3000)
            self.assertEqual(process.ask("option HAKMEM_RESERVE"), str(2 << 20))

    def test_the_child_of_a_fork_is_not_asked(self):
        with Process(LIBRARY) as process:
            child = self.begin("set", process.pid, "reserve=3M", "--wait", 20)
            time.sleep(0.1)
            self.assertEqual(process.ask("fork").split()[1], "0")
            self.assertIn("RESERVE", self.finish(child, process))

    def test_wrong_usage_is_one_line(self):
        with Process(LIBRARY) as process:
            for words in (("set",), ("set", process.pid), ("set", process.pid, "reserve"), ("trim",), ("check", "x"),
                          ("set", process.pid, "reserve=few"), ("set", process.pid, "guard=1"),
                          ("set", process.pid, "debug_ownership=1"), ("set", process.pid, "reserve="),
                          ("set", process.pid, "resreve=1"), ("trim", process.pid, "--wait", 0),
                          ("set", process.pid, "reserve=1", "links=plain"), ("set", process.pid, "links=plain")):
                done = hakstress(*words)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), words)
            self.assertEqual(process.ask("option HAKMEM_RESERVE"), str(2 << 20))

    @unittest.skipIf(os.geteuid() != 0, "only root becomes another user")
    def test_another_user_is_refused(self):
        with Process(LIBRARY) as process:
            for verb in (("stats",), ("trim",), ("set", "reserve=1")):
                words = [HAKSTRESS, verb[0], str(process.pid), *verb[1:]]
                done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=False, user=65534,
                                      group=65534, extra_groups=[])
                self.assertEqual(done.returncode, 3, done)
                self.assertIn("another user", done.stderr)


class Written(unittest.TestCase):
    """HAKMEM_DUMP_SIGNAL, HAKMEM_STATS_INTERVAL, SIGTERM."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def files(self):
        return sorted(os.listdir(self.folder))

    def read(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8") as file:
            return file.read()

    def wait_for(self, count):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if len(self.files()) >= count and all(self.read(name).endswith("}\n") for name in self.files()):
                return
            time.sleep(0.01)
        self.fail(self.files())

    def variables(self, name, **more):
        return {"HAKMEM_STATS": "json", "HAKMEM_STATS_FILE": f"{self.folder}/{name}", **more}

    def test_a_signal_writes_numbered_files(self):
        with Process(LIBRARY, **self.variables("%c.%p.%n", HAKMEM_DUMP_SIGNAL=str(int(signal.SIGUSR2)))) as process:
            for number in (1, 2):
                process.child.send_signal(signal.SIGUSR2)
                self.wait_for(number)
            command = stats(process.pid)["command"]
            process.end()
        self.assertEqual(self.files(), [f"{command}.{process.pid}.{number}" for number in (1, 2, 3)])
        told = [json.loads(self.read(name)) for name in self.files()]
        self.assertTrue(all(one["pid"] == process.pid and one["live_bytes"] > 30 << 20 for one in told))

    def test_sigterm_writes_and_ends(self):
        with Process(LIBRARY, **self.variables("at.%p")) as process:
            self.assertEqual(process.kill(signal.SIGTERM), -signal.SIGTERM)
        self.assertEqual(json.loads(self.read(f"at.{process.pid}"))["pid"], process.pid)

    def test_sigterm_is_left_alone_where_nothing_is_asked(self):
        with Process(LIBRARY) as process:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                caught = int(re.search(r"SigCgt:\s*(\w+)", status.read())[1], 16)
            self.assertEqual(caught >> (signal.SIGTERM - 1) & 1, 0)
            self.assertEqual(process.kill(signal.SIGTERM), -signal.SIGTERM)

    def test_a_handler_of_the_program_stays(self):
        variables = self.variables("at", HAKMEM_DUMP_SIGNAL=str(int(signal.SIGUSR2)))
        for number in (signal.SIGTERM, signal.SIGUSR2):
            with self.subTest(signal=number), Process(LIBRARY, **variables) as process:
                process.ask(f"handle {int(number)}")
                process.child.send_signal(number)
                self.assertEqual(process.child.wait(TIMEOUT), 7)
        self.assertEqual(self.read("at"), "")

    def test_an_ignored_signal_stays_ignored(self):
        with Process(LIBRARY, ignores=signal.SIGTERM, **self.variables("at")) as process:
            process.child.send_signal(signal.SIGTERM)
            process.take(100)
            process.end()
        self.assertEqual(len(self.read("at").splitlines()), 1)

    def test_a_child_writes_its_own_file(self):
        with Process(LIBRARY, **self.variables("at.%p.%n", HAKMEM_DUMP_SIGNAL=str(int(signal.SIGUSR2)))) as process:
            process.child.send_signal(signal.SIGUSR2)
            self.wait_for(1)
            child = process.ask("fork").split()[0]
            process.end()
        self.assertEqual(self.files(), sorted([f"at.{process.pid}.1", f"at.{process.pid}.2", f"at.{child}.1"]))

    def test_an_interval_writes_while_memory_is_taken(self):
        with Process(LIBRARY, **self.variables("at.%n", HAKMEM_STATS_INTERVAL="1")) as process:
            end = time.monotonic() + TIMEOUT
            while len(self.files()) < 1 and time.monotonic() < end:
                process.take(100)
                process.ask("drop")
            process.end()
        self.assertGreater(len(self.files()), 1)
        self.assertEqual(json.loads(self.read("at.1"))["pid"], process.pid)

    def test_a_second_sigterm_does_not_wait_for_a_reader(self):
        ours, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        with Process(LIBRARY, stderr=theirs, HAKMEM_STATS="text") as process:
            end = time.monotonic() + 10
            while process.child.poll() is None and time.monotonic() < end:
                process.child.send_signal(signal.SIGTERM)
                time.sleep(0.05)
            self.assertEqual(process.child.returncode, -signal.SIGTERM)
        os.close(ours)
        os.close(theirs)


class AtExit(unittest.TestCase):
    def test_the_text_begins_with_what_a_user_asks(self):
        with Process(LIBRARY, HAKMEM_STATS="text") as process:
            text = process.end()
        self.assertRegex(text, rf"^libhakmem \S+ \(release build\), process {process.pid}\n")
        head = text[:text.index("where the memory is")]
        for word in ("command", "uptime", "rss", "live", "mallocs          at least", "most of it"):
            self.assertIn(word, head)
        self.assertGreater(text.index("internals"), text.index("by size"))

    def test_the_line_is_the_same_as_from_outside(self):
        with Process(CHECKED, HAKMEM_STATS="json") as process:
            outside = stats(process.pid)
            inside = json.loads(process.end().splitlines()[-1])
        self.assertEqual(outside.keys(), inside.keys())
        self.assertLess(abs(sum(inside[part] for part in PARTS) + inside["memory_others"] - inside["rss"]),
                        0.02 * inside["rss"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]], verbosity=2)
