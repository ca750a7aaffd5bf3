#!/usr/bin/env python3
"""How often does hakstress compare claim a difference that is not there, and find one that is? With real runs: too noisy and long for
continuous integration.

usage: compare_trial.py HAKSTRESS SLOW_SHIM [--aa N] [--slow N] [--spin N] [--budget SECONDS]

Runs N comparisons of glibc with itself under another name (none should claim a difference), then N of the shim with 0 and with
SPIN turns of a loop in each malloc, on the workload pair (at least nine in ten should say slower). Choose SPIN so that the ratio printed is
about 0.97. Exit status 1 when a count is out of bounds.
"""
import argparse
import json
import subprocess
import sys
import tempfile


def compare(hakstress, budget, seed, *args):
    with tempfile.TemporaryDirectory() as results:
        command = [hakstress, "compare", "--quiet", "--results", results, "--budget", str(budget), "--seed", str(seed), "--json", "-", *args]
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
    parser.add_argument("--spin", type=int, default=1)
    parser.add_argument("--budget", type=float, default=30)
    options = parser.parse_args()
    false = found = untrusted = 0
    for seed in range(options.aa):
        status, document = compare(options.hakstress, options.budget, seed, "--allocators", "glibc,again", "--allocator", "again=glibc",
                                   "pair", "larson", "growth")
        claimed = [each for each in claims(document) if each[2]["claim"] in ("faster", "slower", "more", "less")]
        untrusted += status == 4
        false += bool(claimed)
        print(f"A/A {seed}: exit {status}, claims: {claimed or 'none'}", flush=True)
    for seed in range(options.slow):
        status, document = compare(options.hakstress, options.budget, seed, "--baseline", "shim", "--allocators", "shim,slower",
                                   "--allocator", f"shim={options.shim},SHIM_SPIN=0", "--allocator",
                                   f"slower={options.shim},SHIM_SPIN={options.spin}", "pair")
        speeds = [ratio for _, _, ratio in claims(document, ("speed",))]
        found += any(ratio["claim"] == "slower" for ratio in speeds)
        untrusted += status == 4
        for ratio in speeds:
            print(f"slow {seed}: exit {status}, {ratio['ratio']:.4f} [{ratio['low']:.4f} .. {ratio['high']:.4f}] {ratio['claim']}", flush=True)
    print(f"A/A: {false} of {options.aa} claimed a difference; slow: {found} of {options.slow} were found; {untrusted} ended with status 4")
    sys.exit(1 if false > 0 or found * 10 < options.slow * 9 else 0)


main()
