"""A program of one malloc takes little more memory and time with the library than without, under qemu-user.

qemu-user keeps a record of every page that a program maps.

usage: emulated.py PROGRAM LIBHAKMEM.so        exit status 77: skipped, qemu-user is not installed
"""

import os
import platform
import resource
import shutil
import subprocess
import sys

TRIES = 9
DATA = 3 << 30  # where more is asked for, qemu waits for ever instead of eating the machine
SECONDS = 10
MEMORY_TIMES = 1.2
TIME_TIMES = 1.5  # of the least of some tries; measured 1.1 to 1.2, but others use this machine too


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
    tries = [(run(plain), run(preloaded)) for _ in range(TRIES)]
    memory, own_memory = (max(t[i][0] for t in tries) for i in (0, 1))
    seconds, own_seconds = (min(t[i][1] for t in tries) for i in (0, 1))
    print(f"emulated: {memory} KiB and {seconds:.4f} s without, "
          f"{own_memory} KiB and {own_seconds:.4f} s with the library")
    if own_memory > memory * MEMORY_TIMES or own_seconds > seconds * TIME_TIMES:
        sys.exit("emulated: FAILED: too much more")
    print("emulated: ok")


main()
