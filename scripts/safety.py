#!/usr/bin/env python3
"""Measures what each mode of the library, and other allocators, make of a folder of small wrong programs.

A program is caught if none of its runs came to the end unnoticed, that is, wrote NOT_CAUGHT to stdout. A run that has
to be stopped counts as unnoticed, and is named. Prints a table, for each mode what it does not catch, and which
programs did not do the same in each run.

usage: safety.py --programs DIR [--build DIR] [--peers NAME=LIBRARY[,VERSION] ...] [--modes NAME ...] [--runs N]
                 [--timeout S] [--jobs N] [--prices FILE] [--json FILE]
       safety.py --from FILE [--prices FILE] [--json FILE]

--programs  every executable file in it is a program; those that differ by _small, _medium, _large share a row
--build     default build; has lib/libhakmem.so, lib/libhakmem-checked.so and cli/hakstress
--peers     more allocators; glibc is always there
--modes     only these; default all that the library knows
--prices    a result of `hakstress compare --json`: speed and peak memory of the allocators that are named as the modes
            are, and of hakmem, which is release
--from      a result of --json instead of a measurement
--json      writes the result; results/kept/safety.json is what docs/SAFETY.md shows (scripts/gen_docs.py)
Exit status: 0, 1 something could not be measured, 2 wrong usage."""

import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = ("small", "medium", "large")
RELEASE, CHECKED = "lib/libhakmem.so", "lib/libhakmem-checked.so"
# Name, library, environment, arguments of hakstress.
MODES = (
    ("release", RELEASE, {}, None),
    ("close", RELEASE, {"HAKMEM_CLOSE": "1"}, None),
    ("zero", RELEASE, {"HAKMEM_ZERO": "free"}, None),
    ("guard", CHECKED, {"HAKMEM_GUARD": "1"}, None),
    ("pages", None, {}, ["run", "--pages"]),
)
HOW = {
    "release": "as it is",
    "close": "`HAKMEM_CLOSE=1`",
    "zero": "`HAKMEM_ZERO=free`",
    "guard": "`libhakmem-checked.so`, `HAKMEM_GUARD=1`",
    "pages": "`hakstress run --pages`",
}
# Why a program gets through: modes, pattern of its name, reason. The first that fits counts.
PLAIN = "release close zero"
REASONS = (
    (PLAIN + " guard pages", "realloc_reuse", "the program compares a pointer with itself: nothing can catch it"),
    ("guard", ".*memcpy_overflow|write_after_free",
     "it is told when the block leaves the quarantine or the process ends, and the test program prints its result "
     "before that"),
    ("pages", ".*", "the bytes beside a block on its own page have a pattern; it is looked at when the block is "
                    "freed, and the test program prints its result before that"),
    ("zero", "zero_after_free", "a free block of up to 16 KiB has a link in its first 8 bytes"),
    ("guard", "32_byte_overflow|one_mbyte_overflow", "the byte lies beyond the canary"),
    ("guard", ".*_zero_size.*", "the block has a canary, which may be read, and is checked when the block is freed"),
    ("guard", "zero_.*", "freed and new blocks are not zero"),
    (PLAIN, ".*_overflow", "nothing is known of bytes behind a block, and no page without access follows it"),
    (PLAIN, ".*_zero_size.*", "malloc(0) returns a block with 16 usable bytes"),
    (PLAIN, "malloc_reuse.*", "the block that was freed last is handed out first"),
    (PLAIN, "write_after_free.*", "only a link that is followed is checked, and the program does not come to it"),
    ("release close", "zero_.*", "nothing is cleared"),
    (PLAIN, ".*delete.*", "nobody notes which function allocated a block"),
    (PLAIN, "invalid_free_close", "the pointer is aligned and leads into a slab: a division would tell that no block "
                                  "starts there"),
)


class Unmeasured(Exception):
    pass


# --- measuring


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Mode:
    def __init__(self, name, library=None, environment=None, command=()):
        self.name, self.library, self.command = name, library, list(command)
        self.environment = dict(environment or {})
        if library:
            self.environment["LD_PRELOAD"] = str(library)

    def run(self, program, timeout):
        """Exit status (None: it had to be stopped), stdout, stderr."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HAKMEM_") and k != "LD_PRELOAD"}
        try:
            done = subprocess.run([*self.command, program], env={**clean, **self.environment}, timeout=timeout,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False, preexec_fn=no_core)
        except subprocess.TimeoutExpired as stopped:
            return None, stopped.stdout or b"", stopped.stderr or b""
        return done.returncode, done.stdout, done.stderr

    def trouble(self, timeout):
        """Why this mode cannot be measured: what it says about a program without a fault. Empty: it can be. hakstress
        also says how many blocks it covered."""
        status, _, err = self.run("/bin/true", timeout)
        lines = err.decode(errors="replace").splitlines()
        said = "\n".join(line for line in lines if status != 0 or not line.startswith("run: ")).strip()
        return said or ("" if status == 0 else f"exit status {status}")


def own_modes(build, wanted, results):
    for name, library, environment, arguments in MODES:
        if wanted and name not in wanted:
            continue
        command = [str(build / "cli/hakstress"), *arguments, "--results", results, "--"] if arguments else ()
        yield Mode(name, library and build / library, environment, command)


def outcome(result):
    status, out, _ = result
    if b"NOT_CAUGHT" in out:
        return "not caught"
    if status is None:
        return "stopped"
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def measure(modes, programs, runs, timeout, jobs):
    """{mode: {program: [outcome of each run]}}"""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {(mode.name, path.name): [pool.submit(mode.run, str(path), timeout) for _ in range(runs)]
                   for mode in modes for path in programs}
        found = collections.defaultdict(dict)
        for (mode, program), results in waiting.items():
            found[mode][program] = [outcome(result.result()) for result in results]
    return dict(found)


def package_of(library):
    """Name and version of the package that the file is from; its own name if it is from none."""
    path = os.path.realpath(library)
    owner = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
    if owner.returncode != 0:
        return os.path.basename(path)
    name = owner.stdout.split(":")[0]
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True, check=False)
    return f"{name} {shown.stdout}"


def measured(options):
    programs = sorted(path for path in pathlib.Path(options.programs).iterdir()
                      if path.is_file() and os.access(path, os.X_OK))
    if not programs:
        raise Unmeasured(f"no executable file in {options.programs}")
    build = pathlib.Path(options.build).resolve()
    peers, told = {}, {}
    for peer in options.peers:
        name, _, library = peer.partition("=")
        peers[name], _, told[name] = library.partition(",")
    with tempfile.TemporaryDirectory() as results:
        others = [Mode("glibc"), *(Mode(name, os.path.realpath(path)) for name, path in peers.items())]
        modes, absent = [], {}
        for mode in [*own_modes(build, options.modes, results), *others]:
            trouble = mode.trouble(options.timeout)
            if trouble and mode in others:
                raise Unmeasured(f"{mode.name}: {trouble}")
            if trouble:
                absent[mode.name] = trouble
                print(f"safety.py: not measured: {mode.name}: {trouble}", file=sys.stderr)
            else:
                modes.append(mode)
        outcomes = measure(modes, programs, options.runs, options.timeout, options.jobs)
    versions = {name: told[name] or package_of(path) for name, path in peers.items()}
    versions["glibc"] = os.confstr("CS_GNU_LIBC_VERSION")
    return {"day": datetime.date.today().isoformat(), "kernel": f"{platform.system()} {platform.release()}",
            "runs": options.runs, "versions": versions, "modes": list(outcomes), "absent": absent,
            "outcomes": outcomes}


def prices(path):
    """{name: {"speed": ratio, "memory": ratio}} of the geometric means of a result of compare."""
    with open(path, encoding="utf-8") as file:
        compared = json.load(file)
    found = {compared["baseline"]: {"speed": 1, "memory": 1}}
    for mean in compared["geometric_mean"]:
        name = "release" if mean["name"] == "hakmem" else mean["name"]
        found[name] = {"speed": mean["speed"]["ratio"], "memory": mean["rss_peak"]["ratio"]}
    return found


# --- what the result says


def is_caught(outcomes):
    return not any(one in ("not caught", "stopped") for one in outcomes)


def differs(outcomes):
    return len({one == "not caught" for one in outcomes}) > 1


def row_of(program):
    name, _, size = program.rpartition("_")
    return (name, size) if size in SIZES else (program, "")


def rows_of(result):
    """{row: [program, ...]}, the sizes in their order."""
    rows = collections.defaultdict(list)
    programs = next(iter(result["outcomes"].values()))
    for program in sorted(programs, key=lambda p: (row_of(p)[0], SIZES.index(row_of(p)[1]) if row_of(p)[1] else 0)):
        rows[row_of(program)[0]].append(program)
    return rows


def cell(result, mode, programs):
    caught = [program for program in programs if is_caught(result["outcomes"][mode][program])]
    if len(caught) == len(programs):
        return "yes"
    return " ".join(row_of(program)[1][0].upper() for program in caught) or "-"


def left(result, mode):
    """{why: [what gets through]} of a mode, a row of programs as NAME or NAME (sizes)."""
    found = collections.defaultdict(list)
    for row, programs in rows_of(result).items():
        through = [program for program in programs if not is_caught(result["outcomes"][mode][program])]
        if through:
            sizes = "" if len(through) == len(programs) else f" ({', '.join(row_of(p)[1] for p in through)})"
            found[reason(mode, row)].append(row + sizes)
    return found


def reason(mode, row):
    for modes, pattern, why in REASONS:
        if mode in modes.split() and re.fullmatch(pattern, row):
            return why
    return ""


def without_reason(result):
    """MODE: ROW of the library's own modes for which REASONS says nothing."""
    for mode in result["modes"]:
        if mode in HOW:
            yield from (f"{mode}: {row}" for row in left(result, mode).get("", []))


def caught(result, mode):
    return sum(map(is_caught, result["outcomes"][mode].values()))


def table(head, rows):
    return [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]


def summary(result):
    total = sum(len(programs) for programs in rows_of(result).values())
    known = result.get("prices", {})
    head = ["", "how", f"caught of {total}"] + (["speed", "peak memory"] if known else [])
    rows = []
    for mode in result["modes"]:
        price = known.get(mode, {})
        costs = [f"{price[key]:.2f}" if price else "" for key in ("speed", "memory")] if known else []
        rows.append([mode, HOW.get(mode) or result["versions"][mode], str(caught(result, mode)), *costs])
    return table(head, rows)


def by_program(result):
    """Of the peers only glibc, so that the table is no wider than a page; what gets through the others is listed."""
    modes = [mode for mode in result["modes"] if mode in HOW or mode == "glibc"]
    rows = [[row, *(cell(result, mode, programs) for mode in modes)] for row, programs in rows_of(result).items()]
    return table(["program", *modes], rows)


def wrapped(text):
    return textwrap.fill(text, 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def what_is_left(result, mode):
    for why, names in sorted(left(result, mode).items()):
        yield wrapped(f"- {why + ': ' if why else ''}{', '.join(names)}")


def irregular(result):
    for mode, outcomes in result["outcomes"].items():
        for program, runs in outcomes.items():
            if differs(runs):
                yield f"{mode}: {program}: {', '.join(runs)}"
            elif "stopped" in runs:
                yield f"{mode}: {program} does not end"


def heading(result):
    uneven = len({program for outcomes in result["outcomes"].values() for program, runs in outcomes.items()
                  if differs(runs)})
    programs = f"{uneven or 'No'} program{'' if uneven == 1 else 's'}"
    return wrapped_text(f"Measured on {result['day']}, {result['kernel']}, {result['versions']['glibc']}: each program "
                        f"{result['runs']} times. {programs} behaved differently from run to run.")


def wrapped_text(text):
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def document(result):
    """The part of docs/SAFETY.md, as Markdown."""
    lines = [heading(result), "", *summary(result), ""]
    if result.get("prices"):
        lines += [wrapped_text("Speed and peak memory: geometric means over workloads of `hakstress compare`, against "
                               "glibc. Workloads and day are others than those of [BENCHMARKS.md](BENCHMARKS.md): "
                               "compare figures within one table only."), ""]
    lines += ["S, M, L: only the small, the medium, the large program is caught.", "", *by_program(result), ""]
    for mode in result["modes"]:
        if mode in HOW:
            count = len(result["outcomes"][mode]) - caught(result, mode)
            lines += [f"What gets through in mode {mode} ({count}), and why:", "", *what_is_left(result, mode), ""]
    return "\n".join(lines)


def report(result):
    lines = [heading(result), "", *summary(result), "", *by_program(result), ""]
    for mode in result["modes"]:
        count = len(result["outcomes"][mode]) - caught(result, mode)
        lines += [f"{mode}: {count} get through", *what_is_left(result, mode), ""]
    return "\n".join([*lines, *irregular(result)])


# --- the command


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__[__doc__.index("usage: ") + 7:__doc__.index("\n\n--programs")])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--programs")
    source.add_argument("--from", dest="source")
    parser.add_argument("--build", default=ROOT / "build")
    parser.add_argument("--peers", nargs="+", default=[])
    parser.add_argument("--modes", nargs="+", choices=[mode[0] for mode in MODES])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--prices")
    parser.add_argument("--json")
    options = parser.parse_args()
    if any("=" not in peer for peer in options.peers):
        parser.error("--peers takes NAME=LIBRARY")
    return options


def main():
    options = arguments()
    try:
        result = json.loads(pathlib.Path(options.source).read_text("utf-8")) if options.source else measured(options)
        if options.prices:
            result["prices"] = prices(options.prices)
    except (Unmeasured, OSError, ValueError, KeyError) as error:
        print(f"safety.py: {error}", file=sys.stderr)
        return 1
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
