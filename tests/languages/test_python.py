#!/usr/bin/env python3
"""The module hakmem: in a process with the library, and in one without.

usage: test_python.py MODULE_FOLDER LIBHAKMEM.so VERSION
"""
import os
import subprocess
import sys
import unittest

FOLDER = LIBRARY = VERSION = None


def run(program, preload=True, **variables):
    """What Python prints for the program, and its exit status."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}
    environment.update({"PYTHONPATH": FOLDER, "PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1"}, **variables)
    if preload:
        environment["LD_PRELOAD"] = LIBRARY
    done = subprocess.run([sys.executable, "-c", "import hakmem\n" + program], env=environment, capture_output=True,
                          text=True, timeout=60, check=False)
    return done.stdout + done.stderr, done.returncode


class Module(unittest.TestCase):
    def check_all(self, program, **variables):
        said, status = run(program, **variables)
        self.assertEqual((said, status), ("", 0))

    def test_objects_are_counted_where_python_asks_malloc(self):
        work = "before = hakmem.stats()\nkept = [str(i) for i in range(200000)]\nafter = hakmem.stats()\n"
        # 200,000 texts of 54 bytes and more, each a block
        self.check_all(work + "assert after['allocated'] - before['allocated'] > 200000 * 54, (before, after)\n"
                       "assert after['allocated'] <= after['active'] <= after['mapped'], after\n"
                       "assert after['threads'] == 1 and after['slabs'] > 150, after")

    def test_a_block_is_described(self):
        self.check_all("text = hakmem.describe(id('x' * 1000))\nassert 'slab' in text, text\n"
                       "assert 'slab' not in hakmem.describe(64), 'no address of ours'")
        # of Python's own arenas the block is the arena, which is mapped by Python
        self.check_all("text = hakmem.describe(id(object()))\nassert 'slab' not in text, text", PYTHONMALLOC="pymalloc")

    def test_counters_are_json(self):
        self.check_all("assert hakmem.counters(), 'nothing'\n"
                       f"assert hakmem.version() == {VERSION!r}, hakmem.version()\nassert hakmem.check() == 0")

    def test_free_memory_goes_back(self):
        self.check_all("kept = [bytes(100000) for _ in range(1000)]\ndel kept\nhakmem.trim()\n"
                       "assert hakmem.stats()['dirty'] < 20 << 20, hakmem.stats()")

    def test_options(self):
        self.check_all("assert hakmem.option('HAKMEM_RESERVE') == '2097152', hakmem.option('HAKMEM_RESERVE')\n"
                       "hakmem.set_option('HAKMEM_RESERVE', '4M')\n"
                       "assert hakmem.option('HAKMEM_RESERVE') == '4194304', hakmem.option('HAKMEM_RESERVE')\n"
                       "import errno\n"
                       "for name, value, error in (('HAKMEM_NOTHING', 1, errno.ENOENT),\n"
                       "        ('HAKMEM_PURGE_MS', 'x', errno.EINVAL), ('HAKMEM_LINKS', 'plain', errno.EBUSY)):\n"
                       "    try: hakmem.set_option(name, value)\n"
                       "    except OSError as said: assert said.errno == error and name in str(said), said\n"
                       "    else: raise SystemExit('no error: ' + name)")

    def test_threads(self):
        self.check_all("import threading\n"
                       "def work():\n"
                       "    for i in range(200): assert hakmem.stats()['allocated'] > 0 and hakmem.counters()\n"
                       "threads = [threading.Thread(target=work) for _ in range(4)]\n"
                       "[t.start() for t in threads]; [t.join() for t in threads]")

    def test_without_the_library(self):
        said, status = run("hakmem.stats()", preload=False)
        self.assertEqual(status, 1)
        self.assertRegex(said, r"hakmem\.NotLoaded: libhakmem is not in this process: start it with LD_PRELOAD")


if __name__ == "__main__":
    FOLDER, LIBRARY, VERSION = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]])
