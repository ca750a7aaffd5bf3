#!/usr/bin/env python3
"""How often does hakstress compare claim a difference that is not there, and find one that is?

It uses real runs, which are too noisy and long for continuous integration.

usage: compare_trial.py HAKSTRESS SLOW_SHIM [--aa N] [--slow N] [--spin N M] [--budget SECONDS]

Runs N comparisons of glibc with itself under another name; none should claim a difference. Then runs N comparisons, on
the workload pair, pinned, of the shim with the first and the second number of turns of a loop in each malloc; at least
nine in ten should say "slower". Choose the numbers so that the ratio printed is about 0.97: on some processors a loop
of no turn is slower than one of one turn. Exit status 1: a count is out of bounds.
"""
import argparse
import json
import subprocess
import sys
import tempfile


def compare(hakstress, budget, seed, *args):
    with tempfile.TemporaryDirectory() as results:
        command = [hakstress, "compare", "--quiet", "--results", results, "--budget", str(budget)]
        command += ["--seed", str(seed), "--json", "-", *args]
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return process.returncode, json.loads(process.stdout)


def claims(document, metrics=("speed", "rss_peak", "rss_freed")):
    for row in document["workloads"]:
        for cell in row["allocators"]:
            for metric in metrics:
                ratio = (cell["ratio"] or {}).get(metric)
                if ratio:
                    yield row["name"], metric, ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hakstress")
    parser.add_argument("shim")
    parser.add_argument("--aa", type=int, default=20)
    parser.add_argument("--slow", type=int, default=10)
    parser.add_argument("--spin", type=int, nargs=2, default=(1, 2), metavar=("FAST", "SLOW"))
    parser.add_argument("--budget", type=float, default=45)
    options = parser.parse_args()
    false = found = untrusted = 0
    for seed in range(options.aa):
        status, document = compare(options.hakstress, options.budget, seed, "--allocators", "glibc,again",
                                   "--allocator", "again=glibc", "pair", "larson", "growth")
        claimed = [each for each in claims(document) if each[2]["claim"] in ("faster", "slower", "more", "less")]
        untrusted += status == 4
        false += bool(claimed)
        print(f"A/A {seed}: exit {status}, claims: {claimed or 'none'}", flush=True)
    for seed in range(options.slow):
        status, document = compare(options.hakstress, options.budget, seed, "--pin", "--baseline", "shim",
                                   "--allocators", "shim,slower",
                                   "--allocator", f"shim={options.shim},SHIM_SPIN={options.spin[0]}",
                                   "--allocator", f"slower={options.shim},SHIM_SPIN={options.spin[1]}", "pair")
        speeds = [ratio for _, _, ratio in claims(document, ("speed",))]
        found += any(ratio["claim"] == "slower" for ratio in speeds)
        untrusted += status == 4
        for ratio in speeds:
            interval = f"{ratio['ratio']:.4f} [{ratio['low']:.4f} .. {ratio['high']:.4f}]"
            print(f"slow {seed}: exit {status}, {interval} {ratio['claim']}", flush=True)
    print(f"A/A: {false} of {options.aa} claimed a difference; slow: {found} of {options.slow} were found; "
          f"{untrusted} ended with status 4")
    sys.exit(1 if false > 0 or found * 10 < options.slow * 9 else 0)


main()
