#!/usr/bin/env python3
"""Random scenarios find nothing in what ships, and each can be explored: none asks for more than a run can hold.

usage: test_random.py HAKSTRESS_EXPLORE [COUNT]"""
import subprocess
import sys


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    names = [f"random-{n}" for n in range(1, count + 1)]
    command = [program, *names, "--strategy", "random", "--schedules", "10", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    explored = done.stdout.count("\nresult ") + done.stdout.startswith("result ")
    print(f"explored {explored} of {count}")
    if done.returncode != 0 or explored != count:
        print(done.stdout[-2000:], done.stderr[-2000:])
        sys.exit(1)


if __name__ == "__main__":
    main()
