#!/usr/bin/env python3
"""The command line of hakstress: exit statuses, messages, the fixed last line, result files, and how runs end.

usage: test_cli.py HAKSTRESS
"""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = ""
OK = re.compile(
    r"^(repro|guard): ok events=(\d+) ops=(\d+) ops_per_sec=(\d+) seconds=([\d.]+) threads=(\d+) peak_rss_kib=(\d+)$"
)
FAULT = re.compile(
    r"^repro: fault signal=(\w+) fault_addr=(\w+) thread=(\d+) events=(\d+) after=([\d.]+) report=(\S+)$"
)
CHECK = re.compile(r"^repro: fault check=(\S+) site=(\S+) thread=(\d+) events=(\d+) after=([\d.]+) report=(\S+)$")
HANG = re.compile(r"^repro: hang after=([\d.]+) report=(\S+)$")
STOPPED = re.compile(r"^repro: stopped after=([\d.]+)$")
CHILD_VERB = "--run-planned-workload"


def clean_environment(**more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}
    environment.update(more)
    return environment


def told_of_process(path):
    """What the system says about a process; empty if the process has ended."""
    try:
        with open(f"/proc/{path}") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    return [int(word) for word in told_of_process(f"{pid}/task/{pid}/children").split()]


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_stopped(pid):
    def state(thread):
        with open(f"/proc/{pid}/task/{thread}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    return all(state(thread) == "T" for thread in os.listdir(f"/proc/{pid}/task"))


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.results = os.path.join(self.directory.name, "results")

    def tearDown(self):
        self.directory.cleanup()

    def run_it(self, *args, **environment):
        return subprocess.run(
            [HAKSTRESS, *args],
            cwd=self.directory.name,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *args, **environment):
        """A run in progress, and its child."""
        process = subprocess.Popen(
            [HAKSTRESS, *args],
            cwd=self.directory.name,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        child = wait_until(lambda: children_of(process.pid))[0]
        # The lanes run beside the main thread and the one that keeps the statistics.
        wait_until(lambda: self.command_of(child).find(CHILD_VERB) >= 0 and len(os.listdir(f"/proc/{child}/task")) > 2)
        time.sleep(0.3)
        return process, child

    @staticmethod
    def command_of(pid):
        return told_of_process(f"{pid}/cmdline")

    def end(self, process, status):
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, out + err)
        return out, err

    def last_line(self, out, pattern):
        line = out.splitlines()[-1]
        match = pattern.match(line)
        self.assertTrue(match, line)
        return match

    def only_result(self):
        names = [n for n in os.listdir(self.results) if n.endswith(".json") and ".crash" not in n]
        self.assertEqual(len(names), 1, names)
        with open(os.path.join(self.results, names[0])) as file:
            return json.load(file)

    def report(self, path):
        path = os.path.join(self.directory.name, path)
        with open(path) as file:
            text = file.read()
        with open(path[: -len(".txt")] + ".json") as file:
            return text, json.load(file)


class Usage(Case):
    def refused(self, args, wanted, status=2, **environment):
        result = self.run_it(*args, **environment)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(wanted, result.stderr)

    def test_damaged_report(self):
        """Whatever type a field has, the report is printed or refused."""
        _, path = tempfile.mkstemp(suffix=".crash.json", dir=self.directory.name)
        fields = ("not_had", "verdict", "story", "rings", "registers", "backtrace", "histories", "signal", "headline",
                  "blocks")
        damage = (1, "text", None, [1], [None], [[]], [{}],
                  {"evidence": [1], "steps": [1], "unknown": [2], "events": [3]})
        for field in fields:
            for value in damage:
                with open(path, "w") as file:
                    json.dump({"schema": 2, "kind": "crash_report", field: value}, file)
                self.assertIn(self.run_it("report", path).returncode, (0, 2), f"{field}: {value}")

    def test_nothing_to_do(self):
        result = self.run_it()
        self.assertEqual(result.returncode, 2)
        self.assertIn("usage: hakstress", result.stderr)

    def verbs(self):
        result = self.run_it("list", "verbs", "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr)
        return {verb["name"]: verb for verb in json.loads(result.stdout)["verbs"]}

    def test_a_newcomer_finds_where_to_begin(self):
        """The lines at the top name verbs and options that exist, and a library that can be preloaded."""
        text = self.run_it("--help").stdout
        beginnings = re.findall(r"(?m)^  \S.*\s+hakstress (\w+) ?(?:--([\w-]+))?.*$", text[:text.index("All verbs:")])
        self.assertGreater(len(beginnings), 6)
        verbs = self.verbs()
        for verb, option in beginnings:
            self.assertIn(option, {"", *(known["name"] for known in verbs[verb]["options"])})
        library = re.search(r"LD_PRELOAD=(\S+)", text)[1]
        with subprocess.Popen(["sleep", "60"]) as other:
            try:
                self.refused(["top", str(other.pid)], f"start it with LD_PRELOAD={library}", status=3)
            finally:
                other.kill()
        with subprocess.Popen(["sleep", "60"], env={**os.environ, "LD_PRELOAD": library}) as process:
            try:
                wait_until(lambda: self.run_it("top", "--count", "1", str(process.pid)).returncode == 0)
            finally:
                process.kill()

    def test_help_and_version(self):
        overview = self.run_it("--help")
        self.assertEqual(overview.returncode, 0)
        verbs = self.verbs()
        self.assertIn("repro", verbs)
        for verb in verbs:
            self.assertIn(f"hakstress {verb}", overview.stdout)
            verb_help = self.run_it(verb, "--help")
            self.assertEqual(verb_help.returncode, 0)
            self.assertNotRegex(verb_help.stdout, r"(?m) $")
            options = re.search(r"(?ms)^Common options:\n(.*?)\n\n", verb_help.stdout).group(1)
            self.assertLessEqual(max(map(len, options.splitlines())), 100)
            for option in verbs[verb]["options"]:
                self.assertRegex(verb_help.stdout, rf"(?m)^  --{option['name']}\b")
            self.assertIn("--profile NAME", verb_help.stdout)
            self.assertIn("\nExamples:\n  hakstress " + verb, verb_help.stdout)
            self.assertEqual(verb_help.stderr, "")
            self.assertEqual(self.run_it("help", verb).stdout, verb_help.stdout)
        self.assertNotRegex(overview.stdout, r"(?m) $")
        self.assertEqual(self.run_it("-V").stdout, self.run_it("--version").stdout)
        self.refused(["help", "repo"], "did you mean 'repro'")
        self.assertRegex(self.run_it("--version").stdout, r"^hakstress \d+\.\d+\.\d+\n$")
        self.assertRegex(self.run_it("repro", "--version").stdout, r"^hakstress \d+\.\d+\.\d+\n$")

    def test_bad_input(self):
        self.refused(["repo"], "did you mean 'repro'")
        self.refused(["xyzzy"], "no verb 'xyzzy'")
        self.refused(["repro", "--chunk", "3"], "did you mean --chunks")
        self.refused(["repro", "--zzz"], "no option --zzz")
        self.refused(["repro", "-q"], "no option -q")
        self.refused(["repro", "--chunks"], "--chunks needs a value")
        self.refused(["repro", "--chunks", "--seed", "1"], "--chunks N; it is followed by --seed")
        self.refused(["run", "--hang-after", "--", "true"], "--hang-after needs a value: --hang-after S; it is")
        self.refused(["run", "--leaks-save", "--leaks", "--", "true"], "--leaks-save needs a value")
        self.refused(["compare", "--prepare", "--", "true"], "--prepare needs a value")
        self.refused(["repro", "--quiet=1"], "--quiet takes no value")
        self.refused(["repro", "--chunks", "0"], "from 1 to")
        self.refused(["repro", "--chunks", "5x"], "not '5x'")
        self.refused(["repro", "--seed", "-1"], "not '-1'")
        self.refused(["repro", "1", "1", "--min", "9", "--max", "8"], "min")
        self.refused(["repro", "soon"], "SECONDS")
        self.refused(["repro", "1", "0"], "THREADS")
        self.refused(["repro", "1", "2.5"], "THREADS")
        self.refused(["repro", "1", "1", "1"], "unexpected operand")
        self.refused(["repro", "1", "1", "--", "ls"], "unexpected operand")
        for bad in ("7", "0", "1-", "2-1", "1,,2", "some", ""):
            self.refused(["repro", "--changes", bad], "--changes")
        self.refused(["repro", "--profile", "repr"], "did you mean 'repro'")
        self.refused(["list"], "name a list")
        self.refused(["list", "event"], "did you mean 'events'")
        self.refused(["report"], "name a report")
        self.refused(["report", "none.json"], "none.json")
        for verb in (["repro", "5", "1"], ["testplan"], ["bench", "pair"], ["run", "--", "true"]):
            verb[1:1] = ["--json", "no-such-directory/result.json"]
            self.refused(verb, "cannot write --json no-such-directory/result.json")
        self.refused([CHILD_VERB], "for internal use")

    def test_bad_variables(self):
        """Refused in one line, before anything is done. Verbs that do not use them go on."""
        verbs = (["repro", "0.1", "1"], ["guard", "0.1", "1"], ["bench", "pair"], ["run", "--", "true"], ["testplan"],
                 ["compare", "pair"])
        for verb in verbs:
            self.refused(verb, "hakstress: HAKMEM_TINY_FAST_CAP must be -1 to 4096, not 'abc'",
                         HAKMEM_TINY_FAST_CAP="abc")
            self.refused(verb, "no variable HAKMEM_CHOAS; did you mean HAKMEM_CHAOS?", HAKMEM_CHOAS="3")
        self.refused(verbs[0], "there is no variable HAKMEM_FOO; see: hakstress list options", HAKMEM_FOO="1")
        self.refused(verbs[0], "HAKMEM_CHANGES must be all", HAKMEM_CHANGES="9")
        self.assertEqual(os.listdir(self.directory.name), [], "nothing was written")
        self.assertEqual(self.run_it("list", "options", HAKMEM_TINY_FAST_CAP="abc").stderr, "")
        self.assertEqual(self.run_it("repro", "0.1", "1", HAKMEM_TINY_FAST_CAP="").returncode, 0, "as if not set")

    def test_results_without_a_name(self):
        self.refused(["repro", "0.1", "1", "--results", ""], "--results needs the name of a directory")
        self.refused(["run", "--results=", "--", "true"], "--results needs the name of a directory")

    def test_report_whose_json_is_gone(self):
        path = os.path.join(self.directory.name, "alone.crash.txt")
        open(path, "w").close()
        self.refused(["report", path], f"{path} is plain text: read it as it is; to explain it, hakstress needs")
        self.refused(["report", "none.crash.txt"], "cannot read none.crash.txt")

    def test_report_of_something_else(self):
        for name, text in (("text", "hello"), ("other", '{"kind": "other"}'),
                           ("future", '{"kind": "crash_report", "schema": 99}')):
            path = os.path.join(self.directory.name, name)
            with open(path, "w") as file:
                file.write(text)
            self.refused(["report", path], path)

    def test_value_with_a_suffix_that_is_not_known(self):
        self.refused(["repro"], "where K, M and G stand for powers of 1024, as in 2M, not '2MB'", HAKMEM_RESERVE="2MB")

    def test_trace_is_no_report(self):
        path = os.path.join(self.directory.name, "x.trace")
        with open(path, "w") as file:
            file.write("hktrace\0" + 100 * "x")
        self.refused(["report", path], f"not a report; to replay it: hakstress bench trace:{path}")

    def test_results_in_a_folder_of_somebody_else(self):
        state = os.path.join(self.directory.name, "state")
        ran = subprocess.run([HAKSTRESS, "run", "--", "/bin/true"], cwd="/", capture_output=True, text=True,
                             env=clean_environment(XDG_STATE_HOME=state), stdin=subprocess.DEVNULL)
        if os.path.isdir("/results"):
            self.skipTest("there is a folder /results")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn(f"results go to {state}/hakstress", ran.stderr)
        self.assertEqual(len(os.listdir(os.path.join(state, "hakstress"))), 1)

    def test_no_results(self):
        ran = self.run_it("run", "--results", "none", "--", "sh", "-c", "kill -SEGV $$")
        self.assertEqual(ran.returncode, 139)
        self.assertIn("\nverdict: the process sent the signal to itself", ran.stderr)
        self.assertIn("\nbacktrace", ran.stderr)
        self.assertEqual(os.listdir(self.directory.name), [])
        self.refused(["testplan", "--results", "none"], "hakstress testplan writes files")

    def test_results_that_cannot_be_written(self):
        open(os.path.join(self.directory.name, "results"), "w").close()
        result = self.run_it("repro", "0.1", "1")
        self.assertEqual(result.returncode, 3)
        self.assertIn("--results", result.stderr)

    def test_stdout_that_cannot_be_written(self):
        for arguments in (["repro", "0.1", "1"], ["list", "events"], ["--help"], ["help", "run"]):
            with open("/dev/full", "w") as full:
                result = subprocess.run(
                    [HAKSTRESS, *arguments], cwd=self.directory.name, env=clean_environment(), stdout=full,
                    stderr=subprocess.PIPE
                )
            self.assertEqual(result.returncode, 3)
            self.assertIn(b"stdout", result.stderr)

    def test_lists(self):
        for what, wanted in (
            ("workloads", "larson"),
            ("profiles", "fast0"),
            ("changes", "6  mmap_gate"),
            ("counters", "sticky_hit"),
            ("events", "drain"),
            ("options", "HAKMEM_TINY_FAST_CAP"),
            ("verbs", "repro"),
        ):
            result = self.run_it("list", what)
            self.assertEqual(result.returncode, 0)
            self.assertIn(wanted, result.stdout)
        explained = self.run_it("list", "--help").stdout
        for what in ("allocators", "workloads", "profiles", "changes", "counters", "events", "options", "verbs"):
            self.assertRegex(explained, rf"(?m)^{what} +\w", "each list is explained")

    def test_doctor(self):
        path = os.path.join(self.directory.name, "doctor.json")
        result = self.run_it("doctor", "--json", path)
        with open(path) as file:
            saved = json.load(file)
        self.assertTrue(saved["fit_for_runs"])
        self.assertEqual(saved["fit_for_measurements"], saved["noise"] < 0.5)
        end = (0, "doctor: fit") if saved["noise"] < 0.5 else (4, "doctor: fit for runs, too noisy for measurements")
        self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), end)
        self.assertEqual([check["name"] in result.stdout for check in saved["checks"]], [True] * len(saved["checks"]))
        self.assertRegex(result.stdout, r"\n(ok   |note )  allocators +glibc hakmem")
        self.assertRegex(result.stdout, r"\n(ok   |note )  noise +\d+\.\d %")


class Profiles(Case):
    def profile(self, text):
        path = os.path.join(self.directory.name, "mine.profile")
        with open(path, "w") as file:
            file.write(text)
        return path

    def options(self, *args, **environment):
        result = self.run_it("repro", "0.1", "1", *args, **environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        value = self.only_result()
        for name in os.listdir(self.results):
            os.remove(os.path.join(self.results, name))
        return value

    def test_who_beats_whom(self):
        path = self.profile("# mine\nHAKMEM_CHAOS=7\nHAKMEM_RING=128\nchunks=55\n")
        plain = self.options("--profile", path)
        self.assertEqual(plain["options"]["HAKMEM_CHAOS"], "7")
        self.assertEqual(plain["options"]["HAKMEM_RING"], "128")
        self.assertEqual(plain["params"]["chunks"], 55)
        self.assertEqual(plain["params"]["max"], 128)
        by_environment = self.options("--profile", path, HAKMEM_CHAOS="8", HAKMEM_RING="256")
        self.assertEqual(by_environment["options"]["HAKMEM_CHAOS"], "8")
        self.assertEqual(by_environment["options"]["HAKMEM_RING"], "256")
        by_option = self.options("--profile", path, "--chaos", "9", "--chunks=66", HAKMEM_CHAOS="8")
        self.assertEqual(by_option["options"]["HAKMEM_CHAOS"], "9")
        self.assertEqual(by_option["params"]["chunks"], 66)
        self.assertEqual(self.options()["options"]["HAKMEM_LINKS"], "plain")

    def test_guard_has_its_own(self):
        self.assertEqual(self.run_it("guard", "0.1", "1").returncode, 0)
        options = self.only_result()["options"]
        self.assertEqual(options["HAKMEM_GUARD"], "1")
        self.assertEqual(options["HAKMEM_DEBUG_OWNERSHIP"], "1")

    def test_guard_checks_whatever_the_profile(self):
        for profile in ("repro", "tput", "fast0"):
            with self.subTest(profile):
                self.assertEqual(self.run_it("guard", "0.1", "1", "--profile", profile).returncode, 0)
                options = self.only_result()["options"]
                checks = [options[name] for name in ("HAKMEM_GUARD", "HAKMEM_DEBUG_OWNERSHIP", "HAKMEM_LINKS")]
                self.assertEqual(checks, ["1", "1", "encoded"])
                for name in os.listdir(self.results):
                    os.remove(os.path.join(self.results, name))

    def test_guard_refuses_not_to_check(self):
        for name, value in (("HAKMEM_GUARD", "0"), ("HAKMEM_DEBUG_OWNERSHIP", "0"), ("HAKMEM_LINKS", "plain")):
            result = self.run_it("guard", "0.1", "1", **{name: value})
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            wanted = f"{name}={value} switches off what hakstress guard checks; unset it, or use: hakstress repro"
            self.assertEqual(result.stderr, f"hakstress: {wanted}\n")

    def test_bad_profiles(self):
        for text, wanted in (
            ("chunks=5\n", "first line"),
            ("# mine\nchunks\n", "KEY=VALUE"),
            ("# mine\nchunkz=5\n", "no option 'chunkz'"),
            ("# mine\nchunks=x\n", "chunks in profile"),
            ("# mine\nHAKMEM_RING=x\n", "mine.profile:2: HAKMEM_RING must be 64 to 1048576, not 'x'"),
            ("# mine\nHAKMEM_RINGS=64\n",
             "mine.profile:2: there is no variable HAKMEM_RINGS; did you mean HAKMEM_RING?"),
        ):
            path = self.profile(text)
            result = self.run_it("repro", "0.1", "1", "--profile", path)
            self.assertEqual(result.returncode, 2, text)
            self.assertIn(wanted, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1)



class Endings(Case):
    def test_ok(self):
        result = self.run_it("repro", "1.2", "3", "--seed", "42")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0],
                         r"^again: .*HAKMEM_LINKS=plain .* repro 1\.2 3 --profile repro --seed 42 --changes all ")
        match = self.last_line(result.stdout, OK)
        events, ops, rate = (int(match.group(i)) for i in (2, 3, 4))
        self.assertGreater(ops, 1000)
        self.assertGreaterEqual(events, 2 * ops)  # each operation is a malloc and a free
        self.assertAlmostEqual(float(match.group(5)), 1.2, delta=0.5)
        self.assertAlmostEqual(rate, ops / float(match.group(5)), delta=rate * 0.05)
        self.assertGreater(int(match.group(7)), 100)
        value = self.only_result()
        self.assertEqual(value["schema"], 1)
        self.assertEqual(value["outcome"], "ok")
        self.assertEqual(value["seed"], 42)
        self.assertEqual(value["line"], lines[1])
        self.assertEqual(value["ops"], ops)
        self.assertEqual(value["threads"], 3)
        self.assertIsNone(value["fault"])
        self.assertEqual(len(value["samples"]), 1)
        self.assertIsInstance(value["counters"], dict)
        for key in ("command_line", "machine", "build", "options", "params"):
            self.assertTrue(value[key], key)

    def test_again(self):
        """The first line repeats the run."""
        first = self.run_it("repro", "0.2", "1", "--max", "64").stdout.splitlines()[0]
        command = first[len("again: ") :]
        second = subprocess.run(
            ["sh", "-c", command], cwd=self.directory.name, env=clean_environment(), capture_output=True, text=True,
            timeout=60
        )
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertEqual(second.stdout.splitlines()[0], first)

    def test_json(self):
        result = self.run_it("repro", "0.1", "1", "--json", "-")
        self.assertEqual(json.loads(result.stdout)["outcome"], "ok")
        self.assertRegex(result.stderr.splitlines()[-1], OK)
        path = os.path.join(self.directory.name, "copy.json")
        self.assertEqual(self.run_it("repro", "0.1", "1", "--json", path).returncode, 0)
        with open(path) as file:
            self.assertEqual(json.load(file)["kind"], "repro")

    def test_keeps_fifty(self):
        os.makedirs(os.path.join(self.results, "kept"))
        for i in range(60):
            for suffix in (".json", ".crash.txt"):
                path = os.path.join(self.results, f"repro-20200101-0000{i:02}-1{suffix}")
                open(path, "w").close()
                os.utime(path, (1577836800 + i, 1577836800 + i))
        for name in ("notes.json", "kept/repro-20200101-000000-1.json"):
            open(os.path.join(self.results, name), "w").close()
        self.assertEqual(self.run_it("repro", "0.1", "1").returncode, 0)
        names = os.listdir(self.results)
        stems = {n.split(".")[0] for n in names if n.startswith("repro-")}
        self.assertEqual(len(stems), 50)
        self.assertNotIn("repro-20200101-000010-1", stems)
        self.assertIn("repro-20200101-000011-1", stems)
        self.assertIn("repro-20200101-000059-1.crash.txt", names)
        self.assertIn("notes.json", names)
        self.assertEqual(os.listdir(os.path.join(self.results, "kept")), ["repro-20200101-000000-1.json"])

    def test_stopped(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process, child = self.start("repro", "60", "2")
            process.send_signal(number)
            out, _ = self.end(process, 130)
            self.last_line(out, STOPPED)
            self.assertFalse(is_alive(child))
            value = self.only_result()
            self.assertEqual(value["outcome"], "stopped")
            self.assertGreater(value["ops"], 0)
            for name in os.listdir(self.results):
                os.remove(os.path.join(self.results, name))

    def test_stopped_though_the_child_does_not_answer(self):
        process, child = self.start("repro", "60", "2")
        os.kill(child, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        out, _ = self.end(process, 130)
        self.last_line(out, STOPPED)
        self.assertFalse(is_alive(child))

    def test_ctrl_c_on_a_terminal(self):
        """The terminal's own signal. A progress bar appears only on a terminal."""
        try:
            pid, terminal = pty.fork()
        except OSError as error:
            self.skipTest(f"no pseudo terminals here: {error}")
        if pid == 0:
            os.chdir(self.directory.name)
            os.execve(HAKSTRESS, [HAKSTRESS, "repro", "60", "1"], clean_environment(TERM="xterm"))
        seen = b""

        def read_more():
            nonlocal seen
            try:
                more = os.read(terminal, 4096)
            except OSError:
                return False
            seen += more
            return bool(more)

        wait_until(lambda: read_more() and b"M ops/s" in seen)
        os.write(terminal, b"\x03")
        while read_more():
            pass
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 130)
        self.assertRegex(seen.decode().replace("\r", "\n"), r"repro: stopped after=[\d.]+")

    def test_supervisor_killed(self):
        process, child = self.start("repro", "60", "2")
        process.kill()
        process.communicate(timeout=20)
        wait_until(lambda: not is_alive(child))

    def test_hang(self):
        process, child = self.start("repro", "60", "2", "--hang-after", "1")
        os.kill(child, signal.SIGSTOP)
        out, _ = self.end(process, 5)
        text, value = self.report(self.last_line(out, HANG).group(2))
        self.assertEqual(value["reason"], "hang")
        self.assertGreaterEqual(len(value["threads"]), 4)
        self.assertIn("stopped by a signal", value["verdict"]["cause"])
        frames = [f.get("symbol") for t in value["threads"] for f in t["backtrace"]]
        self.assertIn("larson_run", frames)
        self.assertIn("larson_run", text)
        self.assertFalse(is_alive(child))

    def test_killed(self):
        process, child = self.start("repro", "60", "2")
        os.kill(child, signal.SIGKILL)
        out, _ = self.end(process, 1)
        match = self.last_line(out, FAULT)
        self.assertEqual(match.group(1, 2), ("SIGKILL", "none"))
        text, value = self.report(match.group(6))
        self.assertEqual(value["died_of"], "SIGKILL")
        self.assertNotIn("registers", value)
        self.assertTrue(any(ring["events"] for ring in value["rings"]))
        self.assertIn("before they could be copied", text)


class Crashes(Case):
    def test_signal_from_outside(self):
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
            process, child = self.start("repro", "60", "2")
            os.kill(child, number)
            out, _ = self.end(process, 1)
            match = self.last_line(out, FAULT)
            self.assertEqual(match.group(1), number.name)
            _, value = self.report(match.group(6))
            self.assertEqual(value["signal"]["name"], number.name)
            self.assertEqual(value["signal"]["sender"], os.getpid())
            self.assertTrue(value["backtrace"])

    @staticmethod
    def change_heap(child, change):
        """Applies change to the blocks of the heap while the process is stopped.

        The first 64 KiB of each 2 MiB are headers."""
        header, unit = 64 << 10, 2 << 20
        os.kill(child, signal.SIGSTOP)
        wait_until(lambda: all_stopped(child))
        with open(f"/proc/{child}/maps") as maps, open(f"/proc/{child}/mem", "r+b", buffering=0) as memory:
            for line in maps.read().splitlines():
                fields = line.split()
                start, end = (int(word, 16) for word in fields[0].split("-"))
                if len(fields) > 5 or fields[1] != "rw-p" or start % unit != 0:
                    continue
                for base in range(start, end - unit + 1, unit):
                    memory.seek(base + header)
                    blocks = memory.read(unit - header)
                    memory.seek(base + header)
                    memory.write(change(blocks))
        os.kill(child, signal.SIGCONT)

    def test_link_overwritten(self):
        """The seed's crash: a free-list link that holds the user's "ab" is followed."""
        process, child = self.start("repro", "60", "2", "--min", "16", "--max", "16", "--chaos", "0")
        # Live blocks begin with "ab" anyway. In a free block this replaces the link.
        self.change_heap(child, lambda blocks: b"ab".ljust(16, b"\0") * (len(blocks) // 16))
        out, _ = self.end(process, 1)
        match = self.last_line(out, FAULT)
        self.assertEqual(match.group(1, 2), ("SIGSEGV", "0x6261"))
        self.assertGreater(int(match.group(3)), 0)
        text, value = self.report(match.group(6))
        self.assertEqual(value["signal"]["code_name"], "SEGV_MAPERR")
        self.assertEqual(value["signal"]["fault_addr_is"]["text"], "ab")
        self.assertIn(value["signal"]["access"], ("read", "write"))
        self.assertIn("0x6261", [r["value"] for r in value["registers"]])
        self.assertEqual(value["verdict"]["confidence"], "high")
        self.assertIn("free-list link", value["verdict"]["cause"])
        symbols = [f.get("symbol") for f in value["backtrace"]]
        self.assertTrue({"lane_thread", "thread_end_round"} & set(symbols), symbols)
        self.assertEqual(value["rings"][0]["os_tid"], value["os_tid"])
        # The ring stops at the crash: its newest event is not later.
        self.assertLess(abs(value["rings"][0]["events"][-1]["time"]), 0.1)
        self.assertIn('text "ab"', text)
        again = self.run_it("report", match.group(6))
        self.assertEqual(again.returncode, 0)
        self.assertEqual(again.stdout, text)

    def test_check_failed(self):
        """What the allocator prints before it aborts becomes the result."""
        process, child = self.start("repro", "60", "2", "--min", "64", "--max", "64", "--chaos", "0")
        self.change_heap(child, lambda blocks: blocks.replace(b"ab\0", b"Xb\0"))
        out, err = self.end(process, 1)
        match = self.last_line(out, CHECK)
        self.assertEqual(match.group(1, 2), ("payload", "larson"))
        self.assertIn("check=payload", err)
        _, value = self.report(match.group(6))
        self.assertEqual(value["signal"]["name"], "SIGABRT")
        self.assertEqual(value["check"], "payload")
        self.assertIn("check=payload", value["messages"])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    HAKSTRESS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
