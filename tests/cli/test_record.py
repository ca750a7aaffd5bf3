#!/usr/bin/env python3
"""hakstress record and its replay.

The events of known programs, exactly; what is kept after a crash; damaged files.

usage: test_record.py HAKSTRESS RECORD_PROGRAM LIBHAKMEM
"""
import collections
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

HAKSTRESS = PROGRAM = LIBRARY = ""
BEGIN, END = 12345, 54321
KINDS = ["malloc", "calloc", "aligned", "realloc", "free"]
HEADER = struct.Struct("<8sII6Q4I")
THREAD = struct.Struct("<IIQQQ")
Op = collections.namedtuple("Op", "position thread lane kind slot size align turn hands_on")


def padded(size):
    return (size + 7) // 8 * 8


class Trace:
    """Reads a file by its description in docs/RECORD.md, not by the program's code."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        fields = HEADER.unpack_from(self.data)
        magic, version, self.flags, self.file_bytes, self.sum = fields[:5]
        self.events, self.allocations, self.frees, self.peak = fields[5:9]
        self.threads, self.lanes, self.groups, command_bytes = fields[9:]
        assert (magic, version) == (b"hktrace\0", 1)
        self.command = self.data[HEADER.size : HEADER.size + command_bytes].decode()
        at = HEADER.size + padded(command_bytes)
        self.group_lanes = struct.unpack_from(f"<{self.groups}H", self.data, at)
        at += padded(2 * self.groups)
        self.ops = []
        for index in range(self.threads):
            self.read_thread(index, *THREAD.unpack_from(self.data, at + index * THREAD.size))
        self.ops.sort()

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def read_thread(self, index, lane, _, operations, offset, size):
        position = slot = count = 0
        self.at = offset
        while self.at < offset + size:
            tag = self.data[self.at]
            self.at += 1
            if tag & 7 == 5:
                position += self.number()
                continue
            near = tag >> 5
            near = self.number() if near == 7 else near
            slot += (near >> 1) ^ -(near & 1)
            turn = self.number() if tag & 8 else None
            kind = KINDS[tag & 7]
            align = 0
            if kind == "aligned":
                align = 1 << self.data[self.at]
                self.at += 1
            amount = None if kind == "free" else self.number()
            self.ops.append(Op(position, index, lane, kind, slot, amount, align, turn, bool(tag & 16)))
            position += 1
            count += 1
        assert count == operations

    def between_marks(self):
        begin = next(i for i, op in enumerate(self.ops) if op.size == BEGIN)
        end = next(i for i, op in enumerate(self.ops) if op.size == END)
        return self.ops[begin + 2 : end]

    def of_size(self, *sizes):
        return [op for op in self.ops if op.size in sizes]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.temporary = self.path("tmp")
        os.mkdir(self.temporary)

    def tearDown(self):
        self.assertEqual(os.listdir(self.temporary), [], "left over by hakstress record")
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}
        return {**kept, "TMPDIR": self.temporary, **more}

    def run_it(self, *command, **more):
        return subprocess.run(
            command,
            cwd=self.folder.name,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def record(self, *command, status=0, output="t.trace", **more):
        done = self.run_it(HAKSTRESS, "record", "--output", output, "--", *command, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def trace(self, *command, **more):
        self.record(*command, **more)
        return self.checked("t.trace")

    def checked(self, name):
        """The trace, after its operations were replayed in order: each must find its slot in the expected state."""
        trace = Trace(self.path(name))
        self.assertEqual([op.position for op in trace.ops], list(range(trace.events)))
        self.assertEqual(trace.file_bytes, len(trace.data))
        live, last, turns = {}, {}, collections.Counter()
        bytes_now = peak = frees = 0
        for op in trace.ops:
            before = last.get(op.slot)
            if before is not None and before.lane != op.lane:
                self.assertTrue(before.hands_on, (before, op))
                turns[op.slot] += 1
                self.assertEqual(op.turn, turns[op.slot])
            else:
                self.assertIsNone(op.turn)
                self.assertTrue(before is None or not before.hands_on)
            last[op.slot] = op
            if op.kind in ("free", "realloc"):
                bytes_now -= live.pop(op.slot)
            else:
                self.assertEqual(trace.group_lanes[op.slot // 64], op.lane)
            self.assertNotIn(op.slot, live)
            if op.kind == "free":
                frees += 1
                continue
            live[op.slot] = op.size
            bytes_now += op.size
            peak = max(peak, bytes_now)
        self.assertEqual((trace.peak, trace.frees, trace.allocations), (peak, frees, trace.events - frees))
        trace.left = sorted(live.values())
        return trace

    def worker(self, name, *settings, library=None):
        more = {"LD_PRELOAD": library} if library else {}
        worker = os.path.join(os.path.dirname(HAKSTRESS), "hakstress-worker")
        return self.run_it(worker, f"trace:{name}", *settings, **more)

    def replay_once(self, name, library=None):
        done = self.worker(name, "count=1", library=library)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return int(done.stdout.split()[0].removeprefix("ops="))


def shape(ops):
    return [(op.kind, op.size) for op in ops]


class Events(Case):
    KNOWN = [
        ("malloc", 100), ("calloc", 200), ("free", None), ("malloc", 0), ("free", None), ("malloc", 101),
        ("free", None), ("malloc", 12), ("free", None), ("free", None), ("malloc", 77),
    ]  # fmt: skip

    def test_known(self):
        done = self.record(PROGRAM, "known")
        trace = self.checked("t.trace")
        ops = trace.between_marks()
        self.assertEqual(shape(ops), self.KNOWN)
        a, b, _, c, _, a2 = (op.slot for op in ops[:6])
        self.assertEqual([op.slot for op in ops if op.kind == "free"], [a, b, c, ops[7].slot, a2])
        self.assertEqual(trace.command, f"{PROGRAM} known")
        self.assertEqual((trace.threads, trace.lanes, trace.flags), (1, 1, 0))
        line = done.stderr.splitlines()[-1]
        self.assertRegex(line, rf"^record: events={trace.events} allocations={trace.allocations} .*file=t\.trace$")
        self.assertEqual(len([n for n in os.listdir(self.path("results")) if n.startswith("record-")]), 1)

    def test_under_another_allocator(self):
        self.assertEqual(shape(self.trace(PROGRAM, "known", LD_PRELOAD=LIBRARY).between_marks()), self.KNOWN)

    def test_resize(self):
        ops = self.trace(PROGRAM, "resize").between_marks()
        self.assertEqual(
            shape(ops),
            [("malloc", 10), ("realloc", 20), ("realloc", 100000), ("realloc", 30),
             ("malloc", 40), ("free", None), ("free", None)],
        )  # fmt: skip
        self.assertEqual(len({op.slot for op in ops[:4]}), 1)
        self.assertEqual([ops[5].slot, ops[6].slot], [ops[4].slot, ops[0].slot])

    def test_align(self):
        page = os.sysconf("SC_PAGESIZE")
        ops = [op for op in self.trace(PROGRAM, "align").between_marks() if op.align not in (0, 16)]
        self.assertEqual([(op.kind, op.align, op.size) for op in ops], [
            ("aligned", 64, 200), ("aligned", 4096, 8192), ("aligned", 32, 33), ("aligned", page, 50),
        ])  # fmt: skip

    def test_across_threads(self):
        trace = self.trace(PROGRAM, "cross")
        given = [op for op in trace.between_marks() if op.kind == "malloc" and 1000 <= op.size < 1007]
        grown = trace.of_size(3000)
        self.assertEqual((len(given), len(grown)), (5000, 500))
        self.assertEqual((trace.threads, trace.lanes), (2, 2))
        self.assertEqual({op.thread for op in given}, {1})
        self.assertEqual({op.thread for op in grown}, {0})
        self.assertEqual({op.kind for op in grown}, {"realloc"})
        # checked() has followed them: each foreign free and realloc waits for its malloc.
        waiting = [op for op in trace.ops if op.turn is not None and op.kind in ("free", "realloc") and op.thread == 0]
        self.assertEqual(len(waiting), 5000)  # one for each block: a free after a realloc is local
        self.assertLessEqual(len(trace.data) / trace.events, 8)

    def test_threads_one_after_the_other(self):
        trace = self.trace(PROGRAM, "churn")
        self.assertEqual(len(trace.of_size(500)), 100 * 1024)
        self.assertEqual((trace.threads, trace.lanes), (101, 2))
        self.assertEqual(self.replay_once("t.trace"), trace.allocations)

    def test_bytes_per_event(self):
        trace = self.trace(PROGRAM, "many")
        self.assertGreaterEqual(trace.events, 400000)
        self.assertLess(len(trace.data) / trace.events, 4)


class Ends(Case):
    def test_fork(self):
        self.record(PROGRAM, "fork")
        own = self.checked("t.trace")
        self.assertEqual([len(own.of_size(n)) for n in (600, 601, 602)], [1, 0, 1])
        children = [n for n in os.listdir(self.folder.name) if n.startswith("t.trace.")]
        self.assertEqual(len(children), 1)
        child = self.checked(children[0])
        self.assertEqual(shape(child.ops), [("malloc", 601), ("free", None)])

    def test_exec(self):
        self.record("sh", "-c", f'exec "{PROGRAM}" known')
        self.assertEqual(shape(self.checked("t.trace").between_marks()), Events.KNOWN)
        for name in os.listdir(self.folder.name):
            if name.startswith("t.trace."):
                self.assertIn("sh", self.checked(name).command)

    def test_crash(self):
        trace = self.trace(PROGRAM, "crash", status=128 + signal.SIGSEGV)
        self.assertEqual(shape(trace.ops)[-1], ("malloc", 700))

    def test_killed(self):
        trace = self.trace(PROGRAM, "kill", status=128 + signal.SIGKILL)
        self.assertEqual(shape(trace.ops)[-1], ("malloc", 702))

    def test_exit_at_once(self):
        trace = self.trace(PROGRAM, "leave", status=7)
        self.assertEqual(shape(trace.ops)[-1], ("malloc", 701))

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [HAKSTRESS, "record", "--output", "t.trace", "--", PROGRAM, "wait"],
                cwd=self.folder.name,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self.assertEqual(process.stdout.readline(), "ready\n")
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # as a terminal does
            else:
                process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(len(self.checked("t.trace").of_size(BEGIN)), 1)

    def test_killed_hakstress(self):
        """The command ends with it. What was recorded stays, as docs/RECORD.md says."""
        process = subprocess.Popen([HAKSTRESS, "record", "--output", "t.trace", "--", PROGRAM, "wait"],
                                   cwd=self.folder.name,
                                   env=self.environment(), stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.kill()
        try:
            process.communicate(timeout=20)  # its output ends when the command does
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.fail("the command goes on without hakstress")
        for left in os.listdir(self.temporary):
            shutil.rmtree(os.path.join(self.temporary, left))

    def test_one_trace_cannot_be_saved(self):
        """The other traces are saved."""
        done = self.record("sh", "-c", f'echo mine >t.trace; "{PROGRAM}" known; true', status=3)
        self.assertIn("cannot write t.trace: a file with that name exists and is not a trace", done.stderr)
        others = [n for n in os.listdir(self.folder.name) if n.startswith("t.trace.")]
        self.assertEqual(len(others), 1, done.stderr)
        self.assertEqual(shape(self.checked(others[0]).between_marks()), Events.KNOWN)

    def test_no_room(self):
        """The recorder stops, with one line, and the program does not notice."""
        done = self.record("sh", "-c", f'ulimit -f 1024; "{PROGRAM}" many && echo went on')
        self.assertEqual(done.stdout, "went on\n")
        self.assertEqual(done.stderr.count("recording of process"), 1, done.stderr)
        cut = [t for t in os.listdir(self.folder.name) if t.startswith("t.trace") and Trace(self.path(t)).flags == 1]
        self.assertEqual(len(cut), 1, done.stderr)
        self.assertIn("cut_short", done.stderr)
        trace = self.checked(cut[0])
        self.assertGreater(trace.events, 1000)
        self.assertEqual(self.replay_once(cut[0]), trace.allocations)


class Replay(Case):
    def test_counts(self):
        for mode in ("known", "resize", "align", "cross"):
            trace = self.trace(PROGRAM, mode)
            for library in (None, LIBRARY):
                self.assertEqual(self.replay_once("t.trace", library), trace.allocations, (mode, library))

    def test_again_and_again(self):
        """A replay under the recorder: the trace's events and those of every repetition, and nothing is left."""
        worker = os.path.join(os.path.dirname(HAKSTRESS), "hakstress-worker")
        first = self.trace(PROGRAM, "known")
        self.record(worker, "trace:t.trace", f"count={3 * first.allocations}", output="again.trace")
        again = self.checked("again.trace")
        self.assertEqual(shape(again.between_marks()), Events.KNOWN)
        self.assertEqual([len(again.of_size(size)) for size in (BEGIN, 77, END)], [3, 3, 3])
        self.assertNotIn(77, again.left)
        self.assertIn(77, first.left)
        # The worker itself has a few more.
        self.assertLess(again.events - 3 * (first.events + len(first.left)), 10)

    def test_across_threads_again_and_again(self):
        worker = os.path.join(os.path.dirname(HAKSTRESS), "hakstress-worker")
        self.trace(PROGRAM, "cross")
        self.record(worker, "trace:t.trace", "seconds=0.2", output="again.trace")
        again = self.checked("again.trace")
        passes = len(again.of_size(BEGIN))
        self.assertGreater(passes, 0)
        self.assertEqual(len(again.of_size(3000)), 500 * passes)
        given = again.of_size(*range(1000, 1007))
        self.assertEqual(len(given), 5000 * passes)
        self.assertEqual(len({op.thread for op in given}), 1)

    def test_bench(self):
        self.trace(PROGRAM, "cross")
        for library in (["--lib", "none"], []):
            done = self.run_it(HAKSTRESS, "bench", "trace:t.trace", "--seconds", "0.1", "--runs", "2", *library)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"(?m)^trace:t\.trace +[1-9]\d* \(")

    def test_guarded(self):
        """The replay passes every check of the checked library."""
        self.trace(PROGRAM, "cross")
        worker = os.path.join(os.path.dirname(HAKSTRESS), "hakstress-worker")
        done = self.run_it(HAKSTRESS, "run", "--guard", "--", worker, "trace:t.trace", "seconds=0.1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Damaged(Case):
    def refused(self, name, words):
        for done in (self.run_it(HAKSTRESS, "bench", f"trace:{name}", "--seconds", "0.1"), self.worker(name)):
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
            self.assertIn(words, done.stderr)

    def write(self, data):
        with open(self.path("bad.trace"), "wb") as file:
            file.write(data)

    def test_damaged(self):
        good = self.trace(PROGRAM, "known").data
        for data, words in (
            (b"", "not a trace"),
            (b"hktrace\0", "not a trace"),
            (b"x" * 1000, "not a trace"),
            (good[:-8], "cut"),
            (good[: HEADER.size], "cut"),
            (good + b"more", "cut"),
            (good[:8] + b"\2" + good[9:], "another version"),
        ):
            self.write(data)
            self.refused("bad.trace", words)
        for at in range(32, len(good), 37):
            self.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            done = self.worker("bad.trace", "count=1")
            self.assertEqual(done.returncode, 2, (at, done.stderr))
            self.assertIn("damaged", done.stderr)
        self.refused(".", "directory")
        self.refused("missing", "No such file")

    def test_sum_right_and_content_wrong(self):
        """A forged file may give a strange replay, but no access outside of its slots."""
        good = bytearray(self.trace(PROGRAM, "known").data)
        for at in range(HEADER.size, len(good)):
            data = bytearray(good)
            data[at] ^= 0xFF
            data[24:32] = bytes(8)
            total = 0xCBF29CE484222325
            for byte in data:
                total = (total ^ byte) * 0x100000001B3 & (1 << 64) - 1
            data[24:32] = struct.pack("<Q", total)
            if at % 5 == 0:
                self.write(data)
                try:
                    done = self.worker_within("bad.trace", 2)
                except subprocess.TimeoutExpired:
                    continue
                self.assertGreaterEqual(done.returncode, 0, (at, done.stderr))

    def worker_within(self, name, seconds):
        worker = os.path.join(os.path.dirname(HAKSTRESS), "hakstress-worker")
        return subprocess.run(
            [worker, f"trace:{name}", "seconds=0.01"],
            cwd=self.folder.name, env=self.environment(), capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip


class Usage(Case):
    def fails(self, status, words, *command):
        done = self.run_it(HAKSTRESS, *command)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
        self.assertIn(words, done.stderr)

    def test_usage(self):
        self.fails(2, "name a command", "record")
        self.fails(2, "name a command", "record", "--")
        self.fails(2, "put -- before", "record", PROGRAM)
        self.fails(127, "No such file", "record", "--", "./no-such-command")
        with open(self.path("mine"), "w") as file:
            file.write("a file of mine")
        self.fails(126, "Permission denied", "record", "--", "./mine")
        self.fails(3, "a file with that name exists and is not a trace", "record", "--output", "mine", "--", "touch",
                   "ran")
        self.fails(3, "No such file", "record", "--output", "missing/t.trace", "--", "touch", "ran")
        self.fails(3, "device", "record", "--output", "/dev/full", "--", "touch", "ran")
        self.assertFalse(os.path.exists(self.path("ran")))  # all of that is checked before the command runs
        self.assertFalse([n for n in os.listdir(self.folder.name) if ".part" in n])

    def test_threads_of_a_trace(self):
        self.trace(PROGRAM, "known")
        self.fails(2, "leave out --threads", "bench", "trace:t.trace", "--threads", "2")
        done = self.worker("t.trace", "threads=2")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("leave out threads=", done.stderr)

    def test_help_and_list(self):
        self.assertIn("hakstress record", self.run_it(HAKSTRESS, "--help").stdout)
        self.assertIn("-- python3", self.run_it(HAKSTRESS, "record", "--help").stdout)
        self.assertIn("trace:FILE", self.run_it(HAKSTRESS, "list", "workloads").stdout)

    def test_names_that_are_no_text(self):
        done = self.run_it(HAKSTRESS, "record", "--quiet", "--output", b"caf\xe9.trace", "--", "sh", "-c", "exit",
                           b"caf\xe9")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        name, = os.listdir(self.path("results"))
        with open(os.path.join(self.path("results"), name), encoding="utf-8") as file:
            result = json.load(file)
        self.assertEqual(result["command"], ["sh", "-c", "exit", "caf?"])
        self.assertEqual([trace["file"] for trace in result["traces"]], ["caf?.trace"])

    def test_default_name_and_replacement(self):
        for _ in range(2):
            done = self.run_it(HAKSTRESS, "record", "--quiet", "--", PROGRAM, "known")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.checked(os.path.basename(PROGRAM) + ".trace")


class Programs(Case):
    def check(self, *command, wanted):
        done = self.record(*command)
        self.assertEqual(done.stdout, wanted)
        traces = [n for n in os.listdir(self.folder.name) if n.startswith("t.trace")]
        sizes = {n: self.checked(n).allocations for n in traces}
        busiest = max(sizes, key=sizes.get)
        self.assertGreater(sizes[busiest], 1000)
        self.assertEqual(self.replay_once(busiest, LIBRARY), sizes[busiest])

    def test_python(self):
        code = ("import threading; "
                "t = [threading.Thread(target=lambda: [bytes(1000 + i) for i in range(2000)]) for _ in range(4)]; "
                "[x.start() for x in t]; [x.join() for x in t]; print('done')")
        self.check(sys.executable, "-I", "-S", "-c", code, wanted="done\n")

    @unittest.skipUnless(shutil.which("sqlite3"), "no sqlite3 here")
    def test_sqlite(self):
        sql = ("create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000) "
               "insert into t select i, 'x' || i from n; select count(*), max(b) from t order by 1;")
        self.check("sqlite3", ":memory:", sql, wanted="3000|x999\n")

    @unittest.skipUnless(shutil.which("gcc"), "no gcc here")
    def test_gcc(self):
        with open(self.path("a.c"), "w") as file:
            file.write("#include <stdlib.h>\nint f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\n")
        self.check("gcc", "-O2", "-c", "a.c", wanted="")
        self.assertTrue(os.path.exists(self.path("a.o")))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    LIBRARY, PROGRAM, HAKSTRESS = (os.path.abspath(sys.argv.pop(i)) for i in (3, 2, 1))
    unittest.main(verbosity=2)
