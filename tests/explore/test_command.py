#!/usr/bin/env python3
"""What hakstress explore does around its searches: resuming, parts, two files of one name, minimising, being stopped
and being killed.

usage: test_command.py HAKSTRESS"""

import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HAKSTRESS = pathlib.Path(sys.argv.pop(1)).resolve()
WORKER = HAKSTRESS.with_name("hakstress-explore")
SCENARIOS = pathlib.Path(__file__).resolve().parent
TOO_MANY = "bound slabs 1\nthread A: a=malloc 64, b=malloc 1024\n"
FINE = "thread A: a=malloc 64\n"
# Workers for a supervisor.
DONE = "result scenario=one schedules=1 pruned=0 ends=1 complete=1 bound=0 seconds=0 words={} steps=0 weakened=0"
IS_DONE = f'[ "$1" = --build ] && echo "build 0badcafe" || echo "{DONE.format(1)}"\n'
TELLS_NO_WORDS = f'echo "{DONE.format("$$")}"\n'
FINDS_A_FAULT = """case "$*" in *two*) name=two ;; *) name=one; sleep 1 ;; esac
echo "fault scenario=$name check=bound schedules=1 switches=0 replayed=3/3 replay=$name@0badcafe:A"
exit 1
"""
ENDLESS = ("--strategy", "exhaustive", "--preemptions", "none")  # for some minutes
MANY_FREES = """set TINY_FAST_CAP 0
setup A: 2000*malloc 64
thread B: discard 700
thread C: discard 700
"""
UNQUOTED = {ord('"'): None, ord("\\"): None}
FULL = "thread A: 20*malloc 16M\nthread B: flush\n"  # more than the arena has


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listens_to(pid, number):
    caught = re.search(r"^SigCgt:\t([0-9a-f]+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(caught[1], 16) >> (number - 1) & 1


def end_all(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.002)
    raise AssertionError("it does not come")


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run_it(self, *arguments, program=HAKSTRESS, **more):
        command = [program, *(["explore", "--quiet"] if program == HAKSTRESS else []), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=self.folder, **more
        )

    def begin(self, *arguments, program=HAKSTRESS):
        command = [program, *(["explore", "--quiet"] if program == HAKSTRESS else []), *map(str, arguments)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder, start_new_session=True
        )
        self.addCleanup(process.communicate)
        self.addCleanup(end_all, process)
        return process

    def last(self, result):
        return result.stdout.rstrip("\n").rsplit("\n", 1)[-1]

    def string_of(self, result):
        return re.search(r" replay=(\S+)", result.stdout)[1]

    # --- what was remembered

    def resumes(self, *scenarios):
        result = self.run_it(*scenarios, "--strategy", "exhaustive", "--jobs", 1, "--resume", "state")
        self.assertEqual(result.returncode, 0, result.stderr)
        return (self.folder / "state").read_text().splitlines()

    def test_a_scenario_that_was_changed_is_explored_again(self):
        self.write("one.scenario", FINE)
        self.assertEqual(len(self.resumes("./one.scenario")), 2)
        self.assertEqual(len(self.resumes("./one.scenario")), 2)
        self.write("one.scenario", FINE + "thread B: flush\n")
        self.assertEqual(len(self.resumes("./one.scenario")), 3)

    def test_another_build_does_not_go_on(self):
        self.write("one.scenario", FINE)
        lines = self.resumes("./one.scenario")
        self.assertRegex(lines[0], r"build [0-9a-f]{8}")
        lines[0] = re.sub("build [0-9a-f]+", "build 00000000", lines[0])
        self.write("state", "\n".join(lines) + "\n")
        result = self.run_it("./one.scenario", "--strategy", "exhaustive", "--jobs", 1, "--resume", "state")
        self.assertEqual(result.returncode, 2)
        self.assertIn("belongs to another search", result.stderr)

    def test_a_line_that_was_not_written_to_its_end_counts_as_none(self):
        self.write("one.scenario", FINE)
        whole = "\n".join(self.resumes("./one.scenario"))
        self.write("state", whole[:-4])
        lines = self.resumes("./one.scenario")
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[2].split()[:3], lines[1].split()[:3])
        self.assertEqual(len(self.resumes("./one.scenario")), 3)

    def stands(self):
        """Where a search of S1 stands that was interrupted: its options, and the lines of its file."""
        search = ("S1", "--strategy", "exhaustive", "--preemptions", 2, "--jobs", 1, "--resume", "state")
        self.run_it(*search, "--schedules", 60)
        return search, (self.folder / "state").read_text().splitlines()

    def test_a_line_that_has_changed_is_refused(self):
        search, lines = self.stands()
        picked = re.search(r" at [0-9a-f]+(?::[0-9a-f]+)*?:(\d+):", lines[1])
        for damaged in (
            lines[1][: picked.start(1)] + "9" * len(picked[1]) + lines[1][picked.end(1) :],
            lines[1].replace(" at ", " at f"),
        ):
            with self.subTest(damaged=damaged):
                self.write("state", "\n".join([lines[0], damaged]) + "\n")
                result = self.run_it(*search)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertEqual(
                    result.stderr, "hakstress: line 2 of state is damaged; remove that line, or the file\n"
                )

    def test_a_place_where_no_search_was_is_refused(self):
        _, lines = self.stands()
        position = re.search(r" at (\S+) ", lines[1])[1]
        fields = position.split(":")
        for wrong in (
            ":".join([*fields[:-2], "9" * len(fields[-2]), fields[-1]]),
            ":".join(["7", *fields[1:]]),
            ":".join([*fields[:-1], "none"]),
            "9",
        ):
            with self.subTest(wrong=wrong):
                options = ("--strategy", "exhaustive", "--preemptions", 2, "--position", wrong)
                result = self.run_it(*options, SCENARIOS / "S1.scenario", program=WORKER)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, r"\Ahakstress-explore: S1: this search was never at [^\n]+\n\Z")

    def test_a_file_that_cannot_be_written_to_is_told(self):
        self.write("one.scenario", FINE)
        at_most = len("\n".join(self.resumes("./one.scenario"))) + 2
        self.write("one.scenario", FINE + "thread B: flush\n")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (at_most, at_most))

        result = self.run_it(
            "./one.scenario", "--strategy", "exhaustive", "--jobs", 1, "--resume", "state",
            preexec_fn=limit, restore_signals=False,
        )  # fmt: skip
        self.assertIn("cannot write --resume state: ", result.stderr)

    def test_what_is_chosen_by_chance_is_not_resumed(self):
        for strategy in ((), ("--strategy", "all"), ("--strategy", "pct"), ("--strategy", "random")):
            with self.subTest(strategy=strategy):
                result = self.run_it("S1", *strategy, "--schedules", 10, "--resume", "state")
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stderr, r"\Ahakstress: --resume goes with --strategy exhaustive: [^\n]+\n\Z")
                self.assertFalse((self.folder / "state").exists())

    def test_weaker_orders_are_not_resumed(self):
        result = self.run_it("S1", "--weaken", "--resume", "state")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--resume does nothing with --weaken; leave one of them out", result.stderr)

    # --- what it says

    def test_weaker_orders_are_in_the_json(self):
        self.write("one.scenario", FINE)
        result = self.run_it(
            "./one.scenario", "--weaken", "--strategy", "random", "--schedules", 1, "--jobs", 1, "--json", "out.json"
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads((self.folder / "out.json").read_text())
        self.assertEqual(document["line"], self.last(result))
        self.assertEqual(len(document["places"]), result.stdout.count("\nweaken "))
        self.assertEqual({place["needed"] for place in document["places"]}, {False})

    def test_a_fault_that_needs_no_weaker_order_is_told_as_such(self):
        self.write("many.scenario", TOO_MANY)
        result = self.run_it("./many.scenario", "--weaken", "--strategy", "random", "--schedules", 1, "--jobs", 1)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertNotIn(" needed: ", result.stdout)
        self.assertIn("explore: fault check=bound scenario=many ", self.last(result))
        self.assertNotIn("weaken=", self.string_of(result))
        result = self.run_it("S1", "--weaken", "--changes", "none")
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, r"\Ahakstress: --weaken goes with all changes[^\n]*\n\Z")

    def test_an_order_that_is_needed_is_found(self):
        result = self.run_it("S1", "--weaken", "--strategy", "exhaustive", "--jobs", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"\nweaken R3 +needed: \w+ in S1, S1@[0-9a-f]+,.*weaken=R3")

    def test_parts_that_learn_different_words_go_on_until_they_agree(self):
        search = ("S1", "--strategy", "exhaustive", "--preemptions", 1, "--jobs", 2, "--resume", "state")
        first, second = self.run_it(*search), self.run_it(*search)
        self.assertIn(" complete=1 of 1 ", self.last(first))
        figures = [re.sub(r"seconds=\S+", "", self.last(result)) for result in (first, second)]
        self.assertEqual(figures[0], figures[1])
        words = {line.split()[-4] for line in (self.folder / "state").read_text().splitlines()[-2:]}
        self.assertEqual(len(words), 1)

    def test_parts_that_can_tell_no_new_word_are_explored_once(self):
        """As where a set of words is too large for a line."""
        said, calls = self.supervise(TELLS_NO_WORDS, "--jobs", 2, "./one.scenario")
        self.assertIn(" complete=0 of 1 ", self.last(said))
        self.assertEqual(len(calls), 2)

    def supervise(self, script, *arguments):
        """With workers that are this script; returns their calls as well."""
        cli = self.folder / "cli"
        cli.mkdir(exist_ok=True)
        shutil.copy(HAKSTRESS, cli)
        worker = cli / WORKER.name
        worker.write_text('#!/bin/sh\necho "$@" >>calls\n' + script)
        worker.chmod(0o755)
        for name in ("one", "two"):
            self.write(f"{name}.scenario", FINE)
        (self.folder / "calls").unlink(missing_ok=True)
        command = [cli / HAKSTRESS.name, "explore", "--strategy", "exhaustive", *map(str, arguments)]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=self.folder)
        return said, (self.folder / "calls").read_text().splitlines()

    def test_the_fault_of_the_first_scenario_is_told(self):
        said, _ = self.supervise(FINDS_A_FAULT, "--jobs", 2, "./one.scenario", "./two.scenario")
        self.assertEqual(said.returncode, 1, said.stderr)
        self.assertIn(" scenario=one ", self.last(said))

    def test_the_schedules_of_a_scenario_are_divided_among_its_parts(self):
        _, calls = self.supervise(IS_DONE, "--jobs", 2, "--schedules", 5, "./one.scenario")
        self.assertEqual(sorted(re.search(r"--schedules=(\d+)", call)[1] for call in calls), ["2", "3"])

    def test_what_was_done_gets_no_time(self):
        search = ("--jobs", 1, "--resume", "state", "--seconds", 100)
        self.supervise(IS_DONE, *search, "./one.scenario")
        _, calls = self.supervise(IS_DONE, *search, "./one.scenario", "./two.scenario")
        seconds = [float(second) for second in re.findall(r"--seconds=(\S+)", "\n".join(calls))]
        self.assertEqual(len(seconds), 1)
        self.assertGreater(seconds[0], 50)

    def test_the_fault_of_the_second_of_two_files_of_one_name_is_told(self):
        self.write("one/some.scenario", FINE)
        self.write("two/some.scenario", TOO_MANY)
        result = self.run_it("one/some.scenario", "two/some.scenario", "--strategy", "random", "--jobs", 1)
        self.assertEqual(result.returncode, 1, result.stderr)
        report = (self.folder / re.search(r" report=(\S+)", result.stdout)[1]).read_text()
        self.assertIn("check=bound", report)

    def test_a_failed_allocation_repeats(self):
        self.write("full.scenario", FULL)
        found = self.run_it("full.scenario", "--strategy", "random", "--schedules", 1, program=WORKER)
        self.assertIn("check=memory", found.stdout)
        self.assertIn(" replayed=3/3 ", found.stdout)
        again = self.run_it("--replay", self.string_of(found), "full.scenario", program=WORKER)
        self.assertIn("replay check=memory same=1/1", again.stdout)

    def test_a_schedule_that_a_string_cannot_hold_is_told(self):
        """Many calls in one operation are not one that does not end."""
        self.write("many.scenario", MANY_FREES)
        result = self.run_it("many.scenario", "--strategy", "random", "--schedules", 3, program=WORKER)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stderr, r"\Ahakstress-explore: many is not explored completely: [^\n]+\n\Z")

    def test_more_preemptions_than_are_told_apart_are_refused(self):
        self.write("far.scenario", "search preemptions 201\n" + FINE)
        for arguments in (("S1", "--preemptions", 201), ("./far.scenario",)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_it(*arguments).returncode, 2)

    def test_an_allocation_may_fail_where_the_scenario_says_so(self):
        self.write("fails.scenario", "setup A: malloc 100\nthread A: fail 50, a=malloc 16M\nthread B: flush\n")
        result = self.run_it("fails.scenario", "--strategy", "random", "--schedules", 5, program=WORKER)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_string_is_of_one_text_of_its_scenario(self):
        self.write("many.scenario", TOO_MANY)
        string = self.string_of(self.run_it("many.scenario", "--strategy", "random", program=WORKER))
        self.write("many.scenario", "# words do not matter\nsize s 64\n" + TOO_MANY.replace("malloc 64", "malloc s"))
        self.assertEqual(self.run_it("--replay", string, "./many.scenario").returncode, 1)
        self.write("many.scenario", TOO_MANY.replace("slabs 1", "slabs 2"))
        result = self.run_it("--replay", string, "./many.scenario")
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertRegex(result.stderr, r"\Ahakstress-explore: scenario many has changed since [^\n]+\n\Z")
        self.assertEqual(self.run_it("--replay", string, "./many.scenario", "--force").returncode, 0)
        without = re.sub(",text=[0-9a-f]+", "", string)
        self.assertEqual(self.run_it("--replay", without, "./many.scenario").returncode, 0)

    def test_a_build_is_known_by_its_flags(self):
        """Those that meson gives each program alike do not count, nor do warnings."""
        build = HAKSTRESS.parents[1]
        commands = json.loads((build / "compile_commands.json").read_text())
        compiled = next(one["command"] for one in commands if one["file"].endswith("/explore/inside/calls.c"))
        alike = {"-D_FILE_OFFSET_BITS=64", "-fdiagnostics-color=always"}
        flags = {flag for flag in shlex.split(compiled) if re.match("-[Dfm]", flag)} - alike
        command = ["ninja", "-C", build, "-t", "commands", "explore/explored_build.c"]
        hashed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.translate(UNQUOTED)
        self.assertIn("-fsanitize=thread", flags)
        missing = [flag for flag in sorted(flags) if flag.replace('"', "") not in hashed]
        self.assertEqual(missing, [])
        self.assertIn(os.uname().machine, hashed)

    # --- the command line

    def test_an_option_that_does_nothing_is_refused(self):
        for arguments, words in (
            (("--replay", "S1@1:A", "--jobs", 4), "--jobs does nothing with --replay"),
            (("--replay", "S1@1:A", "--minimise", "S1@1:A"), "--minimise does nothing with --replay"),
            (("--replay", "S1@1:A", "--changes", "none"), "--changes does nothing with --replay"),
            (("--minimise", "S1@1:A", "--coverage"), "--coverage does nothing with --minimise"),
            (("S1", "--weaken", "--html", "w.html"), "--html does nothing with --weaken"),
            (("S1", "--times", 3), "--times goes with --replay"),
            (("S1", "--force"), "--force goes with --replay or --minimise"),
        ):
            with self.subTest(arguments=arguments):
                result = self.run_it(*arguments)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, rf"\Ahakstress: {words}[^\n]*\n\Z")

    def test_numbers_are_decimal_digits(self):
        for option in ("--shard=-0/4", "--shard=1/ 4", "--shard= 1/4", "--seconds=0x5", "--seconds= 1"):
            with self.subTest(option=option):
                result = self.run_it("S1", option)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    # --- replaying

    def clean(self, rest=":A", build=None):
        self.write("fine.scenario", FINE + "thread B: free a\n")
        said = self.run_it("--build", program=WORKER).stdout
        return f"fine@{build or said.split()[1]}{rest}"

    def test_a_schedule_that_ends_well_is_the_same_each_time(self):
        result = self.run_it("--replay", self.clean(), "./fine.scenario", "--times", 3)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("explore: replay check=none same=3 of 3 ", self.last(result))
        self.assertNotIn("others than", result.stdout)

    def test_what_the_scenario_does_not_have_is_refused(self):
        for rest, words in (
            (":F", "fine has no thread F"),
            (":A.A1C", "fine has no thread C"),
            (",changes=garbage:A", "there are no changes garbage"),
            (",changes=9:A", "there are no changes 9"),
            (":A.A999999B", "thread A does not come to moment 999999"),
        ):
            with self.subTest(rest=rest):
                result = self.run_it("--replay", self.clean(rest), "./fine.scenario")
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, rf"\Ahakstress-explore: {words}[^\n]*\n\Z")

    def test_repeating_that_is_stopped_tells_what_it_has_seen(self):
        process = self.begin("--replay", self.clean(), "./fine.scenario", "--times", 1000000)
        for _ in range(3):
            worker = wait_for(lambda: children(process.pid))[0]
            wait_for(lambda: worker not in children(process.pid))
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, said + errors)
        self.assertRegex(said, r"\Aexplore: stopped check=none same=([1-9]\d*) of \1 report=\S+\n\Z")

    def test_the_way_to_run_it_again_names_the_file(self):
        self.write("many.scenario", "# " + "e" * 126 + "é\n" + TOO_MANY)
        search = ("--strategy", "random", "--jobs", 1, "--json", "out.json", "--html", "page.html")
        found = self.run_it("./many.scenario", *search)
        self.assertEqual(found.returncode, 1, found.stderr)
        self.assertEqual(found.stderr, "")
        story = json.loads((self.folder / "out.json").read_text())["fault"]["story"]
        self.assertEqual(story["file"], "./many.scenario")
        self.assertEqual(story["scenario"]["about"], "e" * 126)
        report = (self.folder / re.search(r" report=(\S+)", found.stdout)[1]).read_text()
        self.assertIn("again: hakstress explore --replay STRING './many.scenario'\n", report)
        again = self.run_it("--replay", story["replay"], story["file"])
        self.assertIn("explore: replay check=bound same=1 of 1 ", self.last(again))

    # --- making short

    def test_nothing_is_invented_for_a_string_that_ends_well_or_is_of_another_scenario(self):
        self.write("many.scenario", TOO_MANY)
        self.write("other.scenario", TOO_MANY)
        string = self.string_of(self.run_it("many.scenario", "--strategy", "random", program=WORKER))
        self.write("fine.scenario", FINE)
        build = re.search("@([0-9a-f]+)", string)[1]
        for arguments in ((f"fine@{build}:A", "./fine.scenario"), (string, "./other.scenario")):
            with self.subTest(arguments=arguments):
                result = self.run_it("--minimise", *arguments)
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertRegex(result.stderr, r"\Ahakstress-explore: [^\n]+\n\Z")
                self.assertNotIn("explore: ", result.stdout)

    def test_a_page_that_cannot_be_written_takes_nothing_from_the_fault(self):
        self.write("many.scenario", TOO_MANY)
        string = self.string_of(self.run_it("many.scenario", "--strategy", "random", program=WORKER))
        result = self.run_it("--minimise", string, "./many.scenario", "--html", "/dev/full")
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot write /dev/full", result.stderr)
        self.assertIn("explore: fault check=bound scenario=many ", self.last(result))
        report = (self.folder / re.search(r" report=(\S+)", result.stdout)[1]).read_text()
        self.assertIn("check=bound", report)

    # --- stopped and killed

    def test_a_search_that_is_stopped_before_it_has_begun_says_so(self):
        for _ in range(3):
            process = self.begin("exits", "--jobs", 2, *ENDLESS)
            self.assertIn("seed: ", process.stdout.readline())
            os.killpg(process.pid, signal.SIGINT)
            said, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130, said + errors)
            self.assertRegex(said, r"explore: stopped scenarios=.*\n\Z")

    def test_shortening_ends_when_it_is_told_to(self):
        search = ("--changes", "1,3-6", "--follow", "--strategy", "random", "--seed", 1)
        found = self.run_it(SCENARIOS / "F1.scenario", *search, program=WORKER)
        def runs(said):
            return int(re.search(r"explore: fault check=crash .* schedules=(\d+) ", said)[1])

        whole = runs(self.run_it("--minimise", self.string_of(found), "F1").stdout)
        process = self.begin("--minimise", self.string_of(found), "F1")
        worker = wait_for(lambda: children(process.pid))[0]
        wait_for(lambda: children(worker) and listens_to(children(worker)[0], signal.SIGTERM))
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, said + errors)
        self.assertLess(runs(said), whole)

    def test_a_process_that_is_killed_is_no_fault(self):
        process = self.begin(SCENARIOS / "exits.scenario", *ENDLESS[:3], 1000, program=WORKER)
        os.kill(wait_for(lambda: children(process.pid))[0], signal.SIGKILL)
        said, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, said)
        self.assertNotIn("fault ", said)
        self.assertIn("was killed", errors)

    def test_nobody_stays_behind(self):
        process = self.begin("exits", "--jobs", 1, *ENDLESS)
        worker = wait_for(lambda: children(process.pid))[0]
        explores = wait_for(lambda: children(worker))[0]
        process.kill()
        process.wait()
        wait_for(lambda: not is_there(worker) and not is_there(explores))


if __name__ == "__main__":
    unittest.main()
