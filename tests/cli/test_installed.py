#!/usr/bin/env python3
"""An installed tree: what is where, that hakstress finds its parts there, that CMake finds the library, that nothing
is left when it is uninstalled; and the library alone, without hakstress.

usage: test_installed.py BUILD_FOLDER
"""
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

BUILD = None
SOURCE = Path(__file__).resolve().parents[2]

CMAKE = """
cmake_minimum_required(VERSION 3.18)
project(user @LANGUAGE@)
find_package(hakmem @VERSION@ REQUIRED)
add_executable(shared @FILE@)
target_link_libraries(shared hakmem::hakmem)
target_compile_features(shared PRIVATE @STANDARD@)
add_executable(archive @FILE@)
target_link_libraries(archive hakmem::static)
target_compile_features(archive PRIVATE @STANDARD@)
"""
USER = """
#include <hakmem/hakmem.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    char text[256];
    void* block = malloc(100);
    hak_describe(block, text, sizeof text);
    printf("%d.%d.%d %s %s\\n", HAKMEM_VERSION_MAJOR, HAKMEM_VERSION_MINOR, HAKMEM_VERSION_PATCH, hak_version(), text);
    free(block);
}
"""
CXX_USER = """
#include <hakmem/hakmem.hpp>
#include <cstdio>
#include <string>
#include <vector>
int main() {
    std::vector<int, hakmem::allocator<int>> numbers(1000, 1);
    hakmem::memory_resource heap;
    std::pmr::string more(1000, 'x', &heap);
    char text[256];
    hak_describe(numbers.data() + more.size() / 2, text, sizeof text);
    std::printf("%d.%d.%d %s %s\\n", HAKMEM_VERSION_MAJOR, HAKMEM_VERSION_MINOR, HAKMEM_VERSION_PATCH, hak_version(),
                text);
}
"""
# What the program of each language prints: the version twice, and where the block is.
PRINTED = r"^(\d+\.\d+\.\d+) \1 .*slab"


def install(build, root, *arguments):
    """Installs below root; afterwards ninja may be called on the same build, as with ["uninstall"]."""
    # The build folder has one log of what was installed, which others write, too.
    with open(os.path.join(build, ".lock"), "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root], check=True,
                       capture_output=True, timeout=120)
        installed = sorted(root.rglob("*"))
        if arguments:
            subprocess.run(["ninja", "-C", build, *arguments], check=True, capture_output=True, timeout=120)
    return installed


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        root = Path(cls.directory.name) / "root"
        install(BUILD, root)
        cls.root = root
        header = next(root.rglob("hakmem.h")).read_text()
        cls.version = ".".join(re.findall(r"(?m)^#define HAKMEM_VERSION_(?:MAJOR|MINOR) (\d+)", header))
        cls.prefix = next(root.rglob("bin/hakstress")).parent.parent
        cls.libraries = next(cls.prefix.rglob("libhakmem.a")).parent

    def run_it(self, *arguments, status=0):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HAKMEM_", "LD_"))}
        done = subprocess.run(list(map(str, arguments)), cwd=self.directory.name, env=clean, capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def hakstress(self, *arguments, **more):
        return self.run_it(self.prefix / "bin/hakstress", *arguments, **more)

    def test_programs_lie_where_they_belong(self):
        self.assertEqual(os.listdir(self.prefix / "bin"), ["hakstress"])
        public = {path.name for path in self.libraries.glob("*.so*")}
        self.assertEqual({name for name in public if not name.startswith("libhakmem.so")}, set())
        for name in ("man/man1/hakstress-run.1", "man/man3/libhakmem.3", "man/man5/hakmem.conf.5",
                     "man/man7/hakmem.7", "doc/libhakmem/LICENSE",
                     "bash-completion/completions/hakstress", "zsh/site-functions/_hakstress",
                     "fish/vendor_completions.d/hakstress.fish", "hakmem/hakmem-gdb.py",
                     "hakmem/rust/hakmem/Cargo.toml", "hakmem/rust/hakmem-sys/build.rs",
                     "hakmem/python/hakmem.py"):
            self.assertTrue((self.prefix / "share" / name).exists(), name)

    def test_hakstress_finds_its_parts(self):
        self.assertRegex(self.hakstress("list", "allocators"), rf"hakmem +{self.libraries}/libhakmem\.so")
        self.assertIn("seconds=0.02", self.hakstress("bench", "pair", "--seconds", "0.02", "--runs", "1"))
        self.assertIn("run: fault signal=SIGSEGV", self.hakstress("run", "--", "sh", "-c", "kill -SEGV $$", status=139))
        self.assertIn("repro: ok", self.hakstress("repro", "0.1", "2"))
        self.hakstress("record", "--output", "true.trace", "--", "sh", "-c", "true")
        self.assertIn("explore: ok", self.hakstress("explore", "S1", "--schedules", "5"))

    def test_nothing_is_left_when_it_is_uninstalled(self):
        root = Path(self.directory.name) / "other"
        root.mkdir()
        neighbour = root / "usr/local/share/man/man1/other.1"
        neighbour.parent.mkdir(parents=True)
        neighbour.write_text("of another program")
        installed = install(BUILD, root, "uninstall")
        self.assertGreater(len(installed), 100)
        self.assertEqual([path for path in root.rglob("*") if not path.is_dir()], [neighbour])
        self.assertEqual({path for path in root.rglob("*")}, {neighbour, *neighbour.parents} - {root, *root.parents})

    def user_of_cmake(self, name, source, language, standard):
        """The folder of a program that CMake builds with the installed package."""
        user = Path(self.directory.name) / language
        user.mkdir()
        (user / name).write_text(source)
        lists = CMAKE.replace("@FILE@", name).replace("@LANGUAGE@", language).replace("@STANDARD@", standard)
        lists = lists.replace("@VERSION@", self.version)
        (user / "CMakeLists.txt").write_text(lists)
        return user

    def test_cmake_finds_the_library(self):
        if shutil.which("cmake") is None:
            self.skipTest("cmake is missing")
        where = f"-DCMAKE_PREFIX_PATH={self.prefix}"
        for program in (("user.c", USER, "C", "c_std_99"), ("user.cpp", CXX_USER, "CXX", "cxx_std_17")):
            user = self.user_of_cmake(*program)
            self.run_it("cmake", "-S", user, "-B", user / "build", where)
            self.run_it("cmake", "--build", user / "build")
            for kind in ("shared", "archive"):
                self.assertRegex(self.run_it(user / "build" / kind), PRINTED)
        lists = (user / "CMakeLists.txt").read_text()
        (user / "CMakeLists.txt").write_text(lists.replace(f"hakmem {self.version}", "hakmem 7.3"))
        said = self.run_it("cmake", "-S", user, "-B", user / "other", where, status=1)
        self.assertIn("7.3", said)

    def test_pkg_config_finds_the_library(self):
        roots = {"PKG_CONFIG_LIBDIR": self.libraries / "pkgconfig", "PKG_CONFIG_SYSROOT_DIR": self.root}
        with unittest.mock.patch.dict(os.environ, {name: str(path) for name, path in roots.items()}):
            flags = self.run_it("pkg-config", "--cflags", "--libs", "hakmem").split()
        for compiler, name, source in ((("cc",), "user.c", USER), (("c++", "-std=c++17"), "user.cpp", CXX_USER)):
            (Path(self.directory.name) / name).write_text(source)
            self.run_it(*compiler, name, *flags, f"-Wl,-rpath,{self.libraries}", "-o", "user")
            self.assertRegex(self.run_it(Path(self.directory.name) / "user"), PRINTED)


class LibraryAlone(unittest.TestCase):
    """-Dcli=false: nothing is looked for but the C library, and nothing else is needed or installed."""

    def test_it_needs_the_c_library_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            build, root = Path(directory) / "build", Path(directory) / "root"
            nothing = {**os.environ, "PKG_CONFIG_LIBDIR": directory, "PKG_CONFIG_PATH": "", "CMAKE_PREFIX_PATH": ""}
            # As quick to build as can be: this is not about speed.
            subprocess.run(["meson", "setup", build, SOURCE, "-Dcli=false", "-Dtests=disabled", "-Doptimization=0",
                            "-Ddebug=false"], check=True, capture_output=True, timeout=120, env=nothing)
            asked = subprocess.run(["meson", "introspect", build, "--dependencies"], check=True, capture_output=True,
                                   timeout=60)
            self.assertEqual(json.loads(asked.stdout), [])
            subprocess.run(["ninja", "-C", build, "-j", "2"], check=True, capture_output=True, timeout=170, env=nothing)
            installed = {str(path.relative_to(root)) for path in install(build, root)}
            self.assertEqual([name for name in installed if re.search(r"bin/|libexec/|hakstress", name)], [])
            self.assertTrue(any(name.endswith("hakmem/hakmem.h") for name in installed))
            for library in root.rglob("*.so*"):
                needed = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
                self.assertEqual(re.findall(r"\(NEEDED\).*\[(.*)\]", needed), ["libc.so.6"], library)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
