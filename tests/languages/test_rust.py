#!/usr/bin/env python3
"""The crates hakmem and hakmem-sys: their versions and declarations are those of the C library, and the tests and small
programs run with each Rust that is installed, with libhakmem.so and libhakmem.a, and in guard mode.

usage: test_rust.py SOURCE_ROOT VERSION LIBHAKMEM.so LIBHAKMEM-CHECKED.so [CLASS...]
Exit status 77 where neither cargo nor rustc is installed, after the checks that need neither.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = VERSION = LIBRARY = CHECKED = None
CRATES = ("hakmem", "hakmem-sys")

# C type: what Rust calls it
TYPES = {
    "void": "c_void",
    "size_t": "usize",
    "int": "c_int",
    "char": "c_char",
    "hak_stats_t": "hak_stats_t",
}

# Without the crate alloc, which programs without std can have since Rust 1.68.
NO_STD = """
#![no_std]
#![no_main]
use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

#[link(name = "c")]
extern "C" {
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    unsafe { abort() }
}

// The compiled crate core refers to it, and nothing calls it where a panic aborts.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let small = Layout::from_size_align(1000, 8).unwrap();
    let large = Layout::from_size_align(100_000, 8).unwrap();
    unsafe {
        let block = hakmem::Hakmem.alloc_zeroed(small);
        *block.add(999) = 7;
        let block = hakmem::Hakmem.realloc(block, small, large.size());
        let kept = i32::from(*block.add(999));
        hakmem::Hakmem.dealloc(block, large);
        if hakmem::stats().mapped > 1000 { kept } else { 1 }
    }
}
"""
WRONG_SIZE = """
use std::alloc::{alloc, dealloc, Layout};

#[global_allocator]
static ALLOCATOR: hakmem::Hakmem = hakmem::Hakmem;

fn main() {
    let align = std::env::args().nth(1).unwrap().parse().unwrap();
    unsafe {
        let block = alloc(Layout::from_size_align(100, align).unwrap());
        dealloc(block, Layout::from_size_align(101, align).unwrap());
    }
    println!("not noticed");
}
"""
USER_MANIFEST = """
[package]
name = "user"
version = "1.2.3"
edition = "2021"

[features]
static = ["hakmem/static"]

[dependencies]
hakmem = { path = "@CRATES@/hakmem" }

[profile.dev]
panic = "abort"
opt-level = 1

[[bin]]
name = "no_std"
path = "no_std.rs"

[[bin]]
name = "wrong_size"
path = "wrong_size.rs"
"""


def rust_type(words):
    """`const char*` as `*const c_char`."""
    words = words.strip()
    if words.endswith("*"):
        inner = words[:-1].strip()
        constant = inner.startswith("const ")
        return f"*{'const' if constant else 'mut'} {rust_type(inner[6:] if constant else inner)}"
    return TYPES[words]


def rust_declaration(result, name, parameters):
    """A function of C as hakmem-sys declares it."""
    types = []
    if parameters != "void":
        for parameter in parameters.split(","):
            match = re.fullmatch(r"\s*(.*?[ *])(\w+)", parameter)
            types.append(f"{match[2]}: {rust_type(match[1])}")
    back = "" if result.strip() == "void" else f" -> {rust_type(result)}"
    return f"{name}({', '.join(types)}){back}"


class Sources(unittest.TestCase):
    def test_versions_are_those_of_the_project(self):
        for crate in CRATES:
            manifest = (ROOT / "languages/rust" / crate / "Cargo.toml").read_text()
            self.assertRegex(manifest, rf'(?m)^version = "{re.escape(VERSION)}"$', crate)
            for wanted in re.findall(r'hakmem-sys = \{ version = "(.*?)"', manifest):
                self.assertEqual(wanted, "=" + VERSION)
        for page in (ROOT / "languages/rust").rglob("*.rs"):
            self.assertEqual(set(re.findall(r'as "(\d+\.\d+\.\d+)"', page.read_text())) - {VERSION}, set(), page)

    def test_every_public_function_is_declared(self):
        header = (ROOT / "include/hakmem/hakmem.h").read_text()
        header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
        found = re.findall(r"(?m)^(?:HAK_API_\w+(?:\([\d, ]+\))? )*((?:const )?\w+[ *]+)(hak_\w+)\((.*)\);$", header)
        wanted = [rust_declaration(*one) for one in found]
        self.assertGreater(len(wanted), 20)
        crate = (ROOT / "languages/rust/hakmem-sys/src/lib.rs").read_text()
        self.assertEqual(re.findall(r"pub fn (.*);", crate), wanted)
        fields = re.search(r"typedef struct hak_stats_t \{(.*?)\}", header, re.S)[1]
        fields = [(name, f"u{bits}") for bits, name in re.findall(r"uint(\d+)_t (\w+);", fields)]
        struct = re.search(r"pub struct hak_stats_t \{(.*?)\n\}", crate, re.S)[1]
        self.assertEqual(re.findall(r"pub (\w+): (\w+),", struct), fields)


def toolchains():
    """Folders with a cargo, the first in PATH and Debian's, if they are of different versions."""
    found = {}
    for folder in [Path(shutil.which("cargo") or "/usr/bin/cargo").parent, Path("/usr/bin")]:
        if (folder / "cargo").exists() and (folder / "rustc").exists():
            version = subprocess.run([folder / "rustc", "--version"], capture_output=True, text=True, check=False)
            found.setdefault(version.stdout.strip(), folder)
    return found


class Rust(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.work = Path(directory.name)
        self.crates = self.work / "crates"
        shutil.copytree(ROOT / "languages/rust", self.crates, ignore=shutil.ignore_patterns("target", "Cargo.lock"))

    def run_it(self, *arguments, status=0, folder=None, toolchain=None, **variables):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("HAKMEM_", "LIBHAKMEM_", "LD_", "CARGO_", "PKG_CONFIG", "RUSTFLAGS"))}
        environment.update(CARGO_NET_OFFLINE="true", CARGO_HOME=str(self.work / "cargo"), CARGO_TERM_COLOR="never")
        environment.update({name: str(value) for name, value in variables.items()})
        environment["PATH"] = f"{toolchain or '/usr/bin'}:{environment['PATH']}"
        done = subprocess.run(list(map(str, arguments)), cwd=folder or self.crates, env=environment,
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def clean(self, folder):
        """One Rust does not read what another one wrote."""
        shutil.rmtree(folder / "target")
        (folder / "Cargo.lock").unlink()

    def pkg_config(self):
        """A folder with hakmem.pc of the library that was built."""
        folder = self.work / "pkgconfig"
        folder.mkdir(exist_ok=True)
        (folder / "hakmem.pc").write_text(f"libdir={LIBRARY.parent}\nName: libhakmem\nDescription: of this build\n"
                                          f"Version: {VERSION}\nLibs: -L${{libdir}} -lhakmem\n")
        return folder

    def in_guard_mode(self, toolchain):
        """Runs the binary of the crate's tests with the checked library in place of the one that it is linked with."""
        built = self.run_it("cargo", "test", "--package", "hakmem", "--test", "global", "--no-run",
                            "--message-format=json", toolchain=toolchain, LIBHAKMEM_DIR=LIBRARY.parent)
        messages = [json.loads(line) for line in built.split("\n") if line.startswith("{")]
        program = next(one["executable"] for one in messages if one.get("executable"))
        # guard mode moves every block that is resized, so that uses of its old address are found
        return self.run_it(program, "--skip", "in_place", LD_LIBRARY_PATH=LIBRARY.parent, LD_PRELOAD=CHECKED,
                           HAKMEM_GUARD=1, HAKMEM_RING=64)

    def test_with_the_shared_library(self):
        for version, toolchain in toolchains().items():
            with self.subTest(version):
                said = self.run_it("cargo", "test", toolchain=toolchain, LIBHAKMEM_DIR=LIBRARY.parent,
                                   LD_LIBRARY_PATH=LIBRARY.parent)
                self.assertEqual(re.findall(r"(\d+) passed", said), ["0", "10", "0", "1", "0"])
                self.assertIn("9 passed", self.in_guard_mode(toolchain))
                self.clean(self.crates)

    def test_with_the_archive(self):
        for version, toolchain in toolchains().items():
            with self.subTest(version):
                said = self.run_it("cargo", "test", "--features", "static", "--package", "hakmem", "--test", "global",
                                   toolchain=toolchain, PKG_CONFIG_PATH=self.pkg_config())
                self.assertIn("10 passed", said)
                self.clean(self.crates)

    def test_programs_of_a_user(self):
        user = self.work / "user"
        user.mkdir()
        (user / "Cargo.toml").write_text(USER_MANIFEST.replace("@CRATES@", str(self.crates)))
        (user / "no_std.rs").write_text(NO_STD)
        (user / "wrong_size.rs").write_text(WRONG_SIZE)
        for version, toolchain in toolchains().items():
            with self.subTest(version):
                for static in ("", "1"):
                    self.run_it("cargo", "build", folder=user, toolchain=toolchain, LIBHAKMEM_DIR=LIBRARY.parent,
                                LIBHAKMEM_STATIC=static)
                    loaded = {} if static else {"LD_LIBRARY_PATH": LIBRARY.parent}
                    self.run_it(user / "target/debug/no_std", status=7, **loaded)
                    needed = self.run_it("readelf", "-d", user / "target/debug/no_std")
                    self.assertEqual("libhakmem.so.0" in needed, not static)
                    if not static:
                        for align in (8, 64):
                            said = self.run_it(user / "target/debug/wrong_size", align, status=-6, HAKMEM_GUARD=1,
                                               LD_PRELOAD=CHECKED, **loaded)
                            self.assertIn("check=wrong_size", said)
                self.clean(user)

    def test_what_is_missing_is_said(self):
        build = ("cargo", "build", "--package", "hakmem-sys")
        said = self.run_it(*build, status=101, LIBHAKMEM_DIR=self.work)
        self.assertRegex(said, r"there is no libhakmem\.so in .*\n.*install libhakmem, or set LIBHAKMEM_DIR")
        said = self.run_it(*build, "--features", "static", status=101, LIBHAKMEM_DIR=self.work)
        self.assertIn("there is no libhakmem.a in", said)
        said = self.run_it(*build, status=101, PKG_CONFIG_LIBDIR=self.work)
        self.assertRegex(said, rf"pkg-config does not find libhakmem {VERSION}: ")
        said = self.run_it(*build, status=101, PKG_CONFIG=self.work / "nothing")
        self.assertIn("nothing cannot be run", said)

    def test_packages_have_all_files(self):
        for crate in CRATES:
            listed = self.run_it("cargo", "package", "--list", "--allow-dirty", "--package", crate).split("\n")
            own = [str(file.relative_to(self.crates / crate)) for file in (self.crates / crate).rglob("*")
                   if file.is_file()]
            self.assertEqual(set(own) - set(listed), set())
            for word in ("description", "license", "documentation", "readme", "rust-version"):
                self.assertRegex((self.crates / crate / "Cargo.toml").read_text(), rf"(?m)^{word} = ")


if __name__ == "__main__":
    ROOT, VERSION = Path(sys.argv[1]), sys.argv[2]
    LIBRARY, CHECKED = (Path(os.path.abspath(path)) for path in sys.argv[3:5])
    names = sys.argv[5:] or (["Sources", "Rust"] if toolchains() else ["Sources"])
    program = unittest.main(argv=[sys.argv[0], "-v", *names], exit=False)
    if program.result.wasSuccessful() and not toolchains():
        print("cargo and rustc are not installed: only versions and declarations were compared")
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
