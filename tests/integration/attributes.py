#!/usr/bin/env python3
"""The header tells compilers enough to find mistakes before the program runs, and no more than is true.

Small wrong programs must get the warnings that are listed, correct ones none, and the header none in any language.
With the library given, what the compiler cannot know before must stop the program (-D_FORTIFY_SOURCE).

usage: attributes.py INCLUDE LIBHAKMEM.so     tries gcc, g++, clang and clang++, as far as they are installed
Exit status: 0 all as listed, 1 a difference, 2 wrong usage, 77 no gcc that knows which function frees."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ANALYZER = ["-fanalyzer", "-O0"]
OPTIMIZED = ["-O2", "-Wall", "-Wextra"]
FORTIFIED = [*OPTIMIZED, "-D_FORTIFY_SOURCE=2"]
# clang's analyzer heeds the attributes of a family that is not malloc's only if it is told to.
CLANG_ANALYZER = ["--analyze", "-Xclang", "-analyzer-output=text", "-Xclang", "-analyzer-config", "-Xclang",
                  "unix.DynamicMemoryModeling:Optimistic=true"]
OVERFLOW = r"-Wstringop-overflow|-Warray-bounds"

# name, language, body, then (compiler, flags, warning) for each way that must find it.
WRONG = [
    ("leak", "c", """
     int work(int n) {
         char* p = hak_malloc(16);
         if (p == NULL) return 1;
         p[0] = 'x';
         if (n > 3) return 2;
         hak_free(p);
         return 0;
     }""",
     [("gcc", ANALYZER, r"leak of 'p' .*-Wanalyzer-malloc-leak"),
      ("clang", CLANG_ANALYZER, r"Potential leak of memory pointed to by 'p'")]),
    ("leak of an aligned block", "c", """
     int work(int n) {
         char* p = hak_aligned_alloc(64, 128);
         if (p == NULL || n > 3) return 1;
         hak_free_aligned_sized(p, 64, 128);
         return 0;
     }""",
     [("gcc", ANALYZER, r"leak of 'p' .*-Wanalyzer-malloc-leak"),
      ("clang", CLANG_ANALYZER, r"Potential leak of memory pointed to by 'p'")]),
    ("double free", "c", """
     void work(int n) {
         char* p = hak_calloc(4, 4);
         if (n > 3) hak_free(p);
         hak_free(p);
     }""",
     [("gcc", ANALYZER, r"double-'hak_free' of 'p' .*-Wanalyzer-double-free"),
      ("clang", CLANG_ANALYZER, r"Attempt to free released memory")]),
    ("double free of a resized block", "c", """
     void work(void* old) {
         void* p = hak_realloc(old, 100);
         hak_free(p);
         hak_free(p);
     }""",
     [("gcc", ANALYZER, r"double-'hak_free' of 'p' .*-Wanalyzer-double-free")]),
    ("use after free", "c", """
     int work(void) {
         int* p = hak_malloc(sizeof *p);
         if (p == NULL) return 1;
         *p = 3;
         hak_free(p);
         return *p;
     }""",
     [("gcc", ANALYZER, r"use after 'hak_free' of 'p' .*-Wanalyzer-use-after-free"),
      ("gcc", OPTIMIZED, r"pointer 'p' used after 'hak_free' .*-Wuse-after-free"),
      ("clang", CLANG_ANALYZER, r"Use of memory after it is freed")]),
    ("free of another library", "c", """
     #include <stdlib.h>
     void work(void) {
         void* p = hak_malloc(8);
         free(p);
     }""",
     [("gcc", OPTIMIZED, r"'free' called on pointer returned from a mismatched allocation function"),
      ("gcc", ANALYZER, r"mismatched allocation function .*-Wanalyzer-mismatching-deallocation")]),
    ("block of another library", "c", """
     #include <stdlib.h>
     void work(void) {
         void* p = malloc(8);
         hak_free(p);
     }""",
     [("gcc", OPTIMIZED, r"'hak_free' called on pointer returned from a mismatched allocation function")]),
    ("free by alignment of a block without one", "c", """
     void work(void) {
         void* p = hak_malloc(100);
         hak_free_aligned_sized(p, 64, 100);
     }""",
     [("gcc", OPTIMIZED, r"'hak_free_aligned_sized' called on pointer returned from a mismatched")]),
    ("delete of a block", "c++", """
     void work() {
         int* p = static_cast<int*>(hak_malloc(sizeof(int)));
         delete p;
     }""",
     [("g++", OPTIMIZED, r"called on pointer returned from a mismatched allocation function")]),
    ("overflow", "c", """
     #include <string.h>
     char* work(void) {
         char* const p = hak_malloc(16);
         if (p != NULL) memset(p, 'x', 17);
         return p;
     }""",
     [("gcc", FORTIFIED, OVERFLOW),
      ("clang", FORTIFIED, r"will always overflow; destination buffer has size 16, but size argument is 17")]),
    ("overflow of an array of blocks", "c", """
     #include <string.h>
     char* work(void) {
         char* const p = hak_calloc(3, 4);
         if (p != NULL) strcpy(p, "twelve bytes");
         return p;
     }""",
     [("gcc", FORTIFIED, OVERFLOW)]),
    ("overflow of a resized block", "c", """
     #include <string.h>
     char* work(void* old) {
         char* const p = hak_reallocarray(old, 3, 4);
         if (p != NULL) memset(p, 'x', 13);
         return p;
     }""",
     [("gcc", FORTIFIED, OVERFLOW),
      ("clang", FORTIFIED, r"destination buffer has size 12, but size argument is 13")]),
    ("index past the end", "c", """
     char* work(void) {
         char* p = hak_memalign(32, 10);
         if (p != NULL) p[10] = 'x';
         return p;
     }""",
     [("gcc", OPTIMIZED, OVERFLOW)]),
    ("result ignored", "c", """
     void work(void* p) {
         hak_malloc(8);
         hak_realloc(p, 100);
     }""",
     [("gcc", ["-O0"], r"(?s)ignoring return value of 'hak_malloc'.*ignoring return value of 'hak_realloc'"),
      ("clang", ["-O0"], r"(?s)ignoring return value of function declared with 'warn_unused_result'.*"
                         r"ignoring return value of function")]),
    ("result not tested", "c", """
     char* work(void) {
         char* p = hak_malloc(8);
         *p = 'x';
         return p;
     }""",
     [("gcc", ANALYZER, r"possibly-NULL 'p' .*-Wanalyzer-possible-null-dereference")]),
    ("alignment that is none", "c", """
     void* work(void) {
         return hak_aligned_alloc(24, 8);
     }""",
     [("clang", ["-O0"], r"requested alignment is not a power of 2")]),
]

RIGHT = [
    ("every function", "c c++", """
     #include <string.h>
     static char* bigger(char* p, size_t size) {
         char* q = (char*)hak_realloc(p, size);
         if (q == NULL) hak_free(p);
         return q;
     }
     int work(size_t n, char* text, size_t size) {
         char* p = (char*)hak_malloc(n);
         if (p == NULL) return 1;
         p = bigger(p, n + 1);
         if (p == NULL) return 2;
         memset(p, 'x', n + 1);
         hak_free(p);
         int* numbers = (int*)hak_calloc(n, sizeof(int));
         if (numbers != NULL) numbers[0] = 1;
         numbers = (int*)hak_reallocarray(numbers, 10, sizeof(int));
         hak_free(numbers);
         void* aligned = hak_aligned_alloc(64, n);
         hak_free_aligned_sized(aligned, 64, n);
         hak_free(hak_memalign(48, n));
         hak_free(hak_valloc(n));
         hak_free(hak_pvalloc(n));
         void* sized = hak_malloc(100);
         hak_free_sized(sized, 100);
         if (hak_posix_memalign(&aligned, 64, n) == 0) hak_free(aligned);
         return hak_describe(text, text, size) < size && hak_version()[0] != 0;
     }"""),
    ("blocks that others hold", "c c++", """
     typedef struct Node { struct Node* next; } Node;
     static Node* list;
     void* work(void) {
         Node* node = (Node*)hak_malloc(sizeof(Node));
         if (node == NULL) return NULL;
         node->next = list;
         list = node;
         return hak_malloc(8);
     }
     void end(void) {
         while (list != NULL) {
             Node* next = list->next;
             hak_free(list);
             list = next;
         }
     }"""),
]
CHECKED = {
    "gcc": [[*ANALYZER, "-Wall", "-Wextra"], FORTIFIED],
    "g++": [["-O0", "-Wall", "-Wextra"], FORTIFIED],
    "clang": [CLANG_ANALYZER, FORTIFIED],
    "clang++": [CLANG_ANALYZER, FORTIFIED],
}
STANDARDS = {"c": ["c99", "c11", "gnu11", "c17"], "c++": ["c++11", "c++14", "c++17", "c++20"]}
LANGUAGE = {"gcc": "c", "clang": "c", "g++": "c++", "clang++": "c++"}

# Nobody can know the size that the program is called with; the C library can know that of the block.
STOPPED = """
#include <stdlib.h>
#include <string.h>
int main(int argc, char** argv) {
    char* p = hak_malloc(16);
    if (p != NULL) memset(p, 'x', (size_t)atoi(argv[argc - 1]));
    hak_free(p);
    return 0;
}
"""


class Compilers:
    def __init__(self, include, names, folder):
        self.include, self.names, self.folder = include, names, folder

    def compile(self, name, body, flags, output="object"):
        """Exit status and messages."""
        source = self.folder / ("program.c" if LANGUAGE[name] == "c" else "program.cpp")
        source.write_text("#include <hakmem/hakmem.h>\n" + body, encoding="utf-8")
        kind = [] if "--analyze" in flags or output != "object" else ["-c"]
        command = [name, "-I", self.include, *kind, str(source), "-o", str(self.folder / output), *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=self.folder,
                              env={**os.environ, "LC_ALL": "C"})
        return done.returncode, done.stdout + done.stderr


def wrong_programs(compilers):
    for title, _, body, ways in WRONG:
        for name, flags, warning in ways:
            if name not in compilers.names:
                continue
            _, text = compilers.compile(name, body, flags)
            if not re.search(warning, text):
                yield f"{title}, {name} {' '.join(flags)}: no warning like {warning}:\n{text}"
            _, text = compilers.compile(name, body, [*flags, "-DHAKMEM_NO_ATTRIBUTES"])
            if re.search(warning, text):
                yield f"{title}, {name} {' '.join(flags)}: the warning does not come from the attributes:\n{text}"


def correct_programs(compilers):
    for title, languages, body in RIGHT:
        for name in compilers.names:
            for flags in CHECKED[name] if LANGUAGE[name] in languages.split() else []:
                status, text = compilers.compile(name, body, flags)
                if status != 0 or text:
                    yield f"{title}, {name} {' '.join(flags)}: a correct program:\n{text}"


def header_alone(compilers):
    for name in compilers.names:
        for standard in STANDARDS[LANGUAGE[name]]:
            for more in ([], ["-DHAKMEM_NO_ATTRIBUTES"]):
                flags = [f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Wundef", "-Werror", *more]
                status, text = compilers.compile(name, "int unused;\n", flags)
                if status != 0 or text:
                    yield f"the header, {name} {' '.join(flags)}:\n{text}"


def programs_stopped(compilers, library):
    folder = os.path.dirname(library)
    flags = [*FORTIFIED, library, f"-Wl,-rpath,{folder}"]
    for name in ("gcc", "clang"):
        if name not in compilers.names:
            continue
        status, text = compilers.compile(name, STOPPED, flags, "program")
        if status != 0 or text:
            yield f"a program to be stopped, {name}: does not compile:\n{text}"
            continue
        for size, stopped in ((16, False), (17, True)):
            done = subprocess.run([str(compilers.folder / "program"), str(size)], capture_output=True, text=True,
                                  check=False, timeout=60)
            if stopped != ("buffer overflow detected" in done.stderr) or stopped != (done.returncode != 0):
                yield f"{size} bytes into a block of 16, {name}: status {done.returncode}: {done.stderr}"


def knows_who_frees(compilers):
    _, text = compilers.compile("gcc", "#if __GNUC__ < 11 || defined(__clang__)\n#error old\n#endif\n", ["-O0"])
    return "old" not in text


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    include, library = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
    names = [name for name in LANGUAGE if shutil.which(name)]
    with tempfile.TemporaryDirectory() as folder:
        compilers = Compilers(include, names, pathlib.Path(folder))
        if "gcc" not in names or not knows_who_frees(compilers):
            print("attributes: no gcc 11 or newer here")
            return 77
        wrong = [*header_alone(compilers), *wrong_programs(compilers), *correct_programs(compilers),
                 *programs_stopped(compilers, library)]
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"attributes: {len(WRONG)} wrong and {len(RIGHT)} correct programs under {', '.join(names)}: "
          f"{len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
