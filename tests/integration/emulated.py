"""A program of one malloc takes little more memory and time with the library than without, under qemu-user.

qemu-user keeps a record of every page that a program maps.

usage: emulated.py PROGRAM LIBHAKMEM.so        exit status 77: skipped, qemu-user is not installed
"""

import math
import os
import platform
import resource
import shutil
import subprocess
import sys

LEAST_TRIES = 9
MOST_TRIES = 90
DATA = 3 << 30  # where more is asked for, qemu waits for ever instead of eating the machine
SECONDS = 10
MEMORY_TIMES = 1.2
TIME_TIMES = 1.5  # measured 1.1 to 1.2


def limit_self():
    resource.setrlimit(resource.RLIMIT_DATA, (DATA, DATA))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def run(command):
    """KiB at the most, and seconds of processor time."""
    with subprocess.Popen(command, preexec_fn=limit_self) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status != 0:
        sys.exit(f"emulated: FAILED: {' '.join(command)}: wait status {status:#x}")
    return usage.ru_maxrss, usage.ru_utime + usage.ru_stime


def main():
    program, library = sys.argv[1:]
    emulator = shutil.which(f"qemu-{platform.machine()}")
    if emulator is None:
        print("emulated: skipped: qemu-user is not installed")
        sys.exit(77)
    plain, preloaded = [emulator, program], [emulator, "-E", f"LD_PRELOAD={library}", program]
    memory = own_memory = 0
    seconds = own_seconds = math.inf
    # The least time of a run is its price without what others do to this machine. It takes more tries to meet with it
    # while they do much.
    for tries in range(1, MOST_TRIES + 1):
        (size, time), (own_size, own_time) = run(plain), run(preloaded)
        memory, own_memory = max(memory, size), max(own_memory, own_size)
        seconds, own_seconds = min(seconds, time), min(own_seconds, own_time)
        if tries >= LEAST_TRIES and own_seconds <= seconds * TIME_TIMES:
            break
    print(f"emulated: {memory} KiB and {seconds:.4f} s without, "
          f"{own_memory} KiB and {own_seconds:.4f} s with the library, in {tries} tries")
    if own_memory > memory * MEMORY_TIMES or own_seconds > seconds * TIME_TIMES:
        sys.exit("emulated: FAILED: too much more")
    print("emulated: ok")


main()
