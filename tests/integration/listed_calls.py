#!/usr/bin/env python3
"""Starts listed_calls with the numbers of the system calls that docs/SAFETY.md lists.

usage: listed_calls.py ROOT PROGRAM LIBRARY both|checked     which rows: `checked` takes those of both builds, too
Exit status: that of the program, 2 wrong usage."""

import os
import pathlib
import re
import subprocess
import sys


def numbers():
    """{name: number} of this machine's system calls."""
    text = subprocess.run(["cc", "-dM", "-E", "-include", "sys/syscall.h", "-x", "c", "/dev/null"], check=True,
                          capture_output=True, text=True).stdout
    return {name: number for name, number in re.findall(r"#define __NR_(\w+) (\d+)", text)}


def main():
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    root, program, library, build = pathlib.Path(sys.argv[1]), *sys.argv[2:]
    sys.path.insert(0, str(root / "scripts"))
    import check_system_calls

    known = numbers()
    listed = [call for call, of in check_system_calls.listed(root).items() if of in ("both", build)]
    absent = [call for call in listed if call not in known]
    if absent:
        print(f"listed_calls: this system has no call {', '.join(absent)}")
        return 1
    return subprocess.run([program, *(known[call] for call in listed)], check=False, timeout=100,
                          env={**os.environ, "LD_PRELOAD": library, "TEST_ALLOCATOR": "hakmem"}).returncode


sys.exit(main())
