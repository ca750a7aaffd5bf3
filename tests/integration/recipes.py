#!/usr/bin/env python3
"""Runs the lines of docs/RECIPES.md and of docs/examples, as they stand there but for folders and ports, and looks
whether what the page says is so.

usage: recipes.py SOURCE_ROOT HAKSTRESS LIBHAKMEM.so CLASS...     Quick, CI, Slow
A recipe whose program is not installed is skipped, with the reason. Exit status 77 if all are.
"""
import functools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    import yaml
except ImportError:
    # Debian's package is of Debian's Python, which need not be the first one in PATH.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and Path("/usr/bin/python3").exists():
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    yaml = None

ROOT = HAKSTRESS = LIBRARY = None
NAME = "libhakmem.so.0"

# A server of the page is started in one line and used in the next. Between them the test waits for this.
WAIT = """
wait_until_up() {
    for _ in $(seq 600); do
        if grep -q libhakmem /proc/$1/maps 2>/dev/null && eval "$UP" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "process $1 is not up"; exit 9
}
"""


def blocks(heading):
    """(language, text) of each fenced block below a heading; "" is the part above the first one."""
    page = (ROOT / "docs/RECIPES.md").read_text()
    part = page.split("\n## ")[0] if heading == "" else re.search(rf"\n## {heading}\n(.*?)(?=\n## |\Z)", page, re.S)[1]
    return re.findall(r"(?ms)^```(\w+)\n(.*?)^```", part)


def block(heading, language, index=0):
    return [text for kind, text in blocks(heading) if kind == language][index]


def needs(*programs):
    """Skips a test where one of the programs is missing."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for program in programs:
                if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
                    self.skipTest(f"{program} is not installed")
            test(self)
        return run
    return decorate


def needs_root(test):
    return unittest.skipIf(os.getuid() != 0, "it needs root")(test)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def instructions(dockerfile):
    """(instruction, rest) of each line; lines are joined where they end in a backslash."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", dockerfile))
    return [tuple(line.split(" ", 1)) for line in text.split("\n") if line]


class Recipe(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.work = Path(directory.name)
        # servers that give up root must reach the library
        self.work.chmod(0o711)
        (self.work / "lib").mkdir()
        self.library = self.work / "lib" / NAME
        shutil.copy(LIBRARY, self.library)
        self.library.chmod(0o755)
        (self.work / "bin").mkdir()
        (self.work / "bin/hakstress").symlink_to(HAKSTRESS)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("HAKMEM_", "LD_", "MALLOC_", "GLIBC_", "CI_"))}
        self.environment.update(LD_LIBRARY_PATH=str(self.work / "lib"), PYTHONDONTWRITEBYTECODE="1",
                                PATH=f"{self.work}/bin:{os.environ['PATH']}:/usr/sbin")

    def start(self, script, **variables):
        environment = self.environment | {name: str(value) for name, value in variables.items()}
        return subprocess.Popen(["bash", "-c", script], cwd=self.work, env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def run_it(self, script, status=0, **variables):
        started = self.start(script, **variables)
        try:
            said, _ = started.communicate(timeout=150)
        finally:
            try:
                os.killpg(started.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.assertEqual(started.returncode, status, said)
        return said

    def run_server(self, script, up="true", **variables):
        """Runs lines of the page that start a server with &, and ends it."""
        start, rest = script.split(" &\n", 1)
        rest = rest.replace("$!", "$server")
        return self.run_it(f"set -e\n{WAIT}\n{start} &\nserver=$!; wait_until_up $server\n{rest}\n"
                           "kill $server; wait $server || true\n", UP=up, **variables)


class Quick(Recipe):
    def test_any_program(self):
        (self.work / "bin/program").write_text("#!/bin/sh\nread line <fifo\n")
        (self.work / "bin/program").chmod(0o755)
        os.mkfifo(self.work / "fifo")
        said = self.run_server(block("", "sh"))
        self.assertRegex(said, rf"{self.library}\n")
        self.assertRegex(said, r"libhakmem \d.*, process \d+\n +command +program")

    def test_what_takes_the_variable_away(self):
        said = self.run_it("sleep 5 & hakstress stats $!; status=$?; kill %1; exit $status", status=3)
        self.assertRegex(said, r"process \d+ does not have libhakmem")
        said = self.run_it("LD_PRELOAD=libhakmem.so.7 /bin/true")
        self.assertIn("cannot be preloaded", said)

    @needs_root
    @needs("unshare", "mount")
    def test_a_folder_where_nothing_may_be_executed(self):
        folder = self.work / "lib"
        mount = f"mount --bind {folder} {folder} && mount -o remount,bind,noexec {folder}"
        if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False).returncode != 0:
            self.skipTest("mounts are not allowed here")
        said = self.run_it(f"unshare -m sh -c '{mount} && LD_PRELOAD={self.library} /bin/true'")
        self.assertIn("failed to map segment", said)

    @needs("redis-server", "redis-cli", "systemd-analyze")
    def test_systemd(self):
        example = (ROOT / "docs/examples/systemd-drop-in.conf").read_text()
        self.assertEqual(block("systemd", "ini").split("\n", 1)[1], example.split("\n", 1)[1])
        place = re.match(r"# /etc/systemd/system/(\S+)", block("systemd", "ini"))[1]
        unit = self.work / "units" / Path(place).parent.name.removesuffix(".d")
        drop_in = self.work / "units" / place
        drop_in.parent.mkdir(parents=True)
        text = block("systemd", "ini").replace("/usr/local/lib/x86_64-linux-gnu", str(self.work / "lib"))
        text = text.replace("/var/log/redis", str(self.work))
        port = free_port()
        unit.write_text("[Service]\nNoExecPaths=/\nExecPaths=/usr/bin/redis-server /usr/lib /lib\n"
                        f"ExecStart=/usr/bin/redis-server --port {port}\n")
        drop_in.write_text(text)
        said = self.run_it(f"systemd-analyze verify {unit}", SYSTEMD_UNIT_PATH=f"{drop_in.parents[1]}:")
        self.assertNotIn(drop_in.name, said)
        drop_in.write_text(text + "Enviroment=A=b\n")
        said = self.run_it(f"systemd-analyze verify {unit} 2>&1 || true", SYSTEMD_UNIT_PATH=f"{drop_in.parents[1]}:")
        self.assertIn("Enviroment", said, "a wrong line is seen")
        # what systemd does with these lines; it is not the first process here
        pairs = [one.replace("%%", "%") for line in re.findall(r"(?m)^Environment=(.*)$", text) for one in line.split()]
        command = re.search(r"ExecStart=(.*)", unit.read_text())[1]
        self.run_it(f"set -e\n{WAIT}\nenv {' '.join(pairs)} {command} & wait_until_up $!; kill $!; wait $!",
                    UP=f"redis-cli -p {port} ping | grep -q PONG")
        written = list(self.work.glob("heap.*.json"))
        self.assertEqual(len(written), 1)
        self.assertGreater(json.loads(written[0].read_text())["allocated"], 100000)

    def calls_of(self, group):
        """The system calls that a group of systemd stands for."""
        listed = self.run_it(f"systemd-analyze syscall-filter {group}").split("\n")[1:]
        names = {line.strip() for line in listed if line.strip() and not line.strip().startswith("#")}
        groups = {name for name in names if name.startswith("@")}
        return (names - groups).union(*(self.calls_of(name) for name in groups))

    @needs("systemd-analyze")
    def test_filters_of_systemd(self):
        table = (ROOT / "docs/SAFETY.md").read_text().split("\n## System calls\n")[1]
        calls = set(re.findall(r"(?m)^\| `(\w+)` \| \w+ \|", table))
        self.assertGreater(len(calls), 30)
        allowed = self.calls_of("@system-service") - self.calls_of("@privileged") - self.calls_of("@resources")
        named = re.findall(r"`SystemCallFilter=(\w+)`", (ROOT / "docs/RECIPES.md").read_text())
        self.assertEqual(calls - allowed, set(named))

    @needs("redis-server", "redis-cli", "redis-benchmark")
    def test_redis(self):
        port = free_port()
        script = block("redis", "sh").replace("6379", port)
        load = f"redis-benchmark -p {port} -q -n 60000 -r 20000 -d 500 -t set,lpush"
        # it answers to trim when a client needs memory
        script = script.replace("hakstress stats", f"{load} >load.out 2>&1\nhakstress stats")
        script = script.replace("hakstress trim", f"({load}; {load}) >load.out 2>&1 &\nhakstress trim")
        said = self.run_server(script, up=f"redis-cli -p {port} ping | grep -q PONG")
        self.assertRegex(said, r"command +redis-server")
        self.assertRegex(said, r"live +\d\d\.\d MiB")
        self.assertRegex(said, r"process \d+: trimmed; ")
        if "jemalloc" in subprocess.run(["ldd", shutil.which("redis-server")], capture_output=True, text=True,
                                        check=False).stdout:
            self.assertIn("mem_allocator:jemalloc", said)
            used = int(re.search(r"(?m)^used_memory:(\d+)", said)[1])
            self.assertLess(int(re.search(r"(?m)^allocator_allocated:(\d+)", said)[1]), used / 10)

    @needs("nginx", "curl")
    def test_nginx(self):
        line = block("nginx", "nginx")
        for name, first in (("with", line), ("without", "# nothing\n")):
            with self.subTest(name):
                self.change_of_nginx(first, loaded=name == "with")

    def change_of_nginx(self, first, loaded):
        port = free_port()
        folder = self.work / f"nginx-{loaded}"
        folder.mkdir()
        places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"{first}worker_processes 2; daemon on; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
            f"http {{ access_log off; {places}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 hello; }} }} }}\n")
        script = block("nginx", "sh").replace("/etc/nginx/nginx.conf", str(folder / "nginx.conf"))
        script = script.replace(NAME, str(self.library))  # the new master has no LD_LIBRARY_PATH
        masters = f"cat {folder}/pid"
        said = self.run_it(f"""set -e
            {script}
            loaded() {{ for p in $1 $(pgrep -P $1); do grep -c -m 1 libhakmem /proc/$p/maps || true; done | sort -u; }}
            until old=$({masters} 2>/dev/null) && [ -n "$old" ] && [ $(pgrep -c -P $old) = 2 ]; do sleep 0.1; done
            echo before $(loaded $old)
            kill -USR2 $old
            for _ in $(seq 300); do
                new=$({masters} 2>/dev/null || true)
                [ "${{new:-$old}}" != $old ] && [ "$(pgrep -c -P $new)" = 2 ] && break
                sleep 0.1
            done
            echo after $(loaded $new)
            kill -QUIT $old
            curl -s --noproxy '*' http://127.0.0.1:{port}/; kill -QUIT $new
            while kill -0 $new 2>/dev/null; do sleep 0.1; done
            """)
        self.assertEqual(said.split("\n"), ["before 1", f"after {int(loaded)}", "hello"])

    @needs("python3")
    def test_python(self):
        script = block("Python", "sh").replace("/usr/local/share/hakmem/python", str(ROOT / "languages/python"))
        (self.work / "program.py").write_text(block("Python", "python"))
        self.assertGreater(int(self.run_it(script)), 100000 * 54)
        self.assertLess(int(self.run_it(script.replace("PYTHONMALLOC=malloc ", ""))), 100000 * 54)

    def stats_of(self, script, **variables):
        """What `hakstress stats` tells of the program that the page starts without &."""
        said = self.run_server(script.rstrip("\n") + " &\nhakstress stats $! --json stats.json\n", up="test -e ready",
                               **variables)
        return json.loads((self.work / "stats.json").read_text())["processes"][0], said

    @needs("node")
    def test_node(self):
        (self.work / "server.js").write_text("""
            globalThis.buffers = Array.from({ length: 1000 }, () => Buffer.alloc(100000, 1));
            globalThis.objects = Array.from({ length: 300000 }, (_, i) => ({ i, text: 'text ' + i }));
            console.log(JSON.stringify(process.memoryUsage()));
            require('fs').writeFileSync('ready', '');
            setTimeout(() => {}, 100000);""")
        stats, said = self.stats_of(block("node", "sh"))
        usage = json.loads(re.search(r"\{.*\}", said)[0])
        self.assertGreater(stats["live_bytes"], 100e6)
        self.assertLess(stats["live_bytes"], 100e6 + usage["heapUsed"], "objects are V8's")
        self.assertGreater(usage["arrayBuffers"], 100e6 - 1e6)

    @needs("ruby")
    def test_ruby(self):
        (self.work / "app.rb").write_text("""
            $texts = (1..100_000).map { |i| "x" * 200 }
            $short = (1..100_000).map { |i| "short %d" % i }
            File.write("ready", "")
            sleep 100""")
        stats, _ = self.stats_of(block("Ruby", "sh"), MALLOC_ARENA_MAX=2)
        self.assertGreater(stats["live_bytes"], 100000 * 200)
        self.assertLess(stats["live_blocks"], 200000, "short texts are in Ruby's slots")


class Slow(Recipe):
    @needs("java", "javac", "jar", "jcmd")
    def test_java(self):
        (self.work / "App.java").write_text("""
            import java.nio.ByteBuffer;
            public class App {
                static ByteBuffer[] kept = new ByteBuffer[500];
                public static void main(String[] arguments) throws Exception {
                    for (int i = 0; i < kept.length; i++) kept[i] = ByteBuffer.allocateDirect(100_000);
                    new java.io.File("ready").createNewFile();
                    Thread.sleep(100_000);
                }
            }""")
        self.run_it("javac App.java && jar cfe app.jar App App.class")
        said = self.run_server(block("Java", "sh"), up="test -e ready")
        self.assertGreater(float(re.search(r"live +([\d.]+) MiB", said)[1]), 500 * 100000 / 2**20)
        self.assertIn("Trim native heap: ", said)

    @needs_root
    @needs("pg_createcluster", "pg_ctlcluster", "pgrep", "runuser")
    def test_postgres(self):
        script = block("postgres", "sh")
        version = sorted(os.listdir("/usr/lib/postgresql"))[-1]
        script = script.replace("15 main", f"{version} main").replace("/15/", f"/{version}/")
        script = script.replace("/etc/postgresql", f"{self.work}/pg/etc")
        script = script.replace("/var/lib/postgresql", f"{self.work}/pg")
        script = script.replace(NAME, str(self.library))  # nothing is left of LD_LIBRARY_PATH
        data = self.work / "pg" / version / "main"
        said = self.run_it(f"""set -e
            mkdir -p pg/etc pg/{version} && chown -R postgres pg
            pg_createcluster {version} main -d {data} -l {self.work}/pg/log -s {self.work}/pg \
                -p {free_port()} >/dev/null
            trap 'pg_dropcluster --stop {version} main' EXIT
            LD_PRELOAD={self.library} pg_ctlcluster {version} main start
            echo before $(grep -c -m 1 libhakmem /proc/$(head -1 {data}/postmaster.pid)/maps)
            {script}""", PG_CLUSTER_CONF_ROOT=self.work / "pg/etc")
        self.assertIn("before 0\n", said)
        self.assertGreaterEqual(len(re.findall(r"(?m)^ +\d+ postgres .*MiB|^ +\d+ postgres +\d", said)), 4, said)

    @needs_root
    @needs("meson", "ninja", "unshare", "chroot", "redis-server")
    def test_container(self):
        text = (ROOT / "docs/examples/Dockerfile").read_text()
        for line in block("Container image", "dockerfile").split("\n"):
            self.assertIn(line + "\n", text)
        lines = instructions(text)
        root, out = self.work / "root", self.work / "out"
        variables = {}
        for instruction, rest in lines:
            if instruction == "RUN" and rest.startswith("meson"):
                self.run_it(rest.replace("/libhakmem", str(ROOT)).replace("/build", f"{self.work}/build")
                            .replace("/out", str(out)))
            elif instruction == "RUN" and "redis-server" in rest:
                self.install_programs(root, "/usr/bin/redis-server", "/bin/sh")
            elif instruction == "COPY" and rest.startswith("--from=build"):
                source, target = rest.split()[1:]
                shutil.copytree(self.work / source.lstrip("/"), root / target.lstrip("/"), symlinks=True,
                                dirs_exist_ok=True)
            elif instruction == "ENV":
                variables.update([rest.split("=", 1)])
            elif instruction == "CMD":
                self.run_in(root, json.loads(rest), variables)

    def install_programs(self, root, *programs):
        """Programs with the libraries that they need, in the place of the image's packages."""
        for program in programs:
            listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
            for file in [program, *re.findall(r"(/\S+) \(0x", listed)]:
                (root / file.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(os.path.realpath(file), root / file.lstrip("/"))

    def run_in(self, root, command, variables):
        inside = "; ".join(f"export {name}={value}" for name, value in variables.items())
        inside += f"; exec {shlex.join(command)}"
        # each of these programs becomes the next one, so $! is the server
        said = self.run_server(f"unshare -n chroot {root} /bin/sh -c {shlex.quote(inside)} &\nhakstress stats $!\n")
        self.assertRegex(said, r"command +redis-server")


CI_PROGRAM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
int main(int argc, char** argv) {
    (void)argv;
    // as if the allocator had become slow
    long slow = SLOW && dlsym(RTLD_DEFAULT, "hak_version") != NULL ? 4 : 1;
    for (int i = 0; i < 1000; i++) {
        char* text = malloc(100);
        memset(text, 'x', 100 + (size_t)(argc > 1 && i == 500) * WRONG);
        free(text);
    }
    nanosleep(&(struct timespec){.tv_nsec = 20000000 * slow}, NULL);
    return 0;
}
"""
MAKEFILE = """
program: program.c
\tcc $(CFLAGS) -fno-builtin -w $(MORE) -o program program.c
check: program
\t./program check
"""
# This build stands for what these lines make.
INSTALLS = re.compile(r"apt-get (update|install .*)|git clone .*|libhakmem/scripts/.*|meson install -C libhakmem/build")


def without_installs(lines):
    return "\n".join(line for line in lines if not INSTALLS.fullmatch(line.strip()))


class CI(Recipe):
    """The two jobs, step by step, on a project that is right, then wrong, then slow."""

    def setUp(self):
        if yaml is None:
            self.skipTest("python3-yaml is not installed")
        super().setUp()
        (self.work / "Makefile").write_text(MAKEFILE)
        (self.work / "program.c").write_text(CI_PROGRAM)

    def step(self, script, status=0, wrong=0, slow=0, **variables):
        # a few rounds, and any noise: the machine of this test has other work
        script = script.replace("--budget 120", "--budget 120 --rounds 6").replace("--noise 25", "--noise 1000")
        (self.work / "step.sh").write_text(script)
        return self.run_it("sh -e step.sh", status, MORE=f"-DWRONG={wrong} -DSLOW={slow}", **variables)

    def try_job(self, build, guard, compare, keep):
        """Each is a function of the status that is wanted, and of the project's state."""
        (self.work / "program.c").touch()
        build()
        guard()
        compare()
        keep()
        self.assertTrue((self.work / "before.json").exists())
        self.assertNotIn("LOSS", compare())
        (self.work / "program").unlink()
        build(slow=1)
        self.assertIn("LOSS", compare(status=1, slow=1))
        (self.work / "program").unlink()
        build(wrong=1)
        self.assertIn("check=overflow", guard(status=99, wrong=1))
        self.assertTrue(list((self.work / "reports").glob("*crash.txt")))

    @needs("make", "cc")
    def test_github_actions(self):
        steps = yaml.safe_load((ROOT / "docs/examples/github-actions.yml").read_text())["jobs"]["memory"]["steps"]
        runs = {one["name"]: without_installs(one["run"].split("\n")) for one in steps if "run" in one}
        empty = {name for name, run in runs.items() if not run.strip()}
        self.assertEqual(empty, {"Tools of this job", "Install hakstress"})
        named = ("Build", "Test in guard mode", "Compare", "Keep the figures")
        self.try_job(*(functools.partial(self.step, runs[name]) for name in named))

    @needs("make", "cc")
    def test_gitlab_ci(self):
        jobs = yaml.safe_load((ROOT / "docs/examples/gitlab-ci.yml").read_text())
        self.assertEqual(without_installs(jobs["default"]["before_script"]), "")
        guard = functools.partial(self.step, "\n".join(jobs["guard"]["script"]))
        compare = functools.partial(self.step, "\n".join(jobs["compare"]["script"]), CI_DEFAULT_BRANCH="main")
        # another branch keeps nothing
        compare(CI_COMMIT_BRANCH="try")
        self.assertFalse((self.work / "before.json").exists())
        self.try_job(lambda **_: None, guard, functools.partial(compare, CI_COMMIT_BRANCH="main"), lambda: None)


if __name__ == "__main__":
    ROOT, HAKSTRESS, LIBRARY = (Path(os.path.abspath(path)) for path in sys.argv[1:4])
    program = unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]], exit=False)
    result = program.result
    if result.wasSuccessful() and result.testsRun == len(result.skipped):
        print("nothing is installed that the recipes are for")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
