#!/bin/sh
# Proves from the sources that nothing but the functions named below writes an owner word, writes or takes a remote word, makes
# an OwnedSlab, or gets hold of the address of such a word: the invariant of docs/OWNERSHIP.md, held by the text itself.
#
# usage: check_drain_sites.sh [LIB]     LIB: default lib beside this script's folder
# Exit status: 0 fine, 1 a site that is not named here (or a name without a site), 2 wrong usage.
set -eu
if [ $# -gt 1 ]; then
    echo "usage: check_drain_sites.sh [LIB]" >&2
    exit 2
fi
lib=${1:-$(dirname "$0")/../lib}
if [ ! -f "$lib/slab/ownership.c" ]; then
    echo "check_drain_sites: no slab/ownership.c in $lib: give the folder that holds slab" >&2
    exit 2
fi
exec python3 - "$lib" <<'PYTHON'
import pathlib
import re
import sys

# what is done | where | in which function. One line a site; why each is right is said in docs/OWNERSHIP.md.
ALLOWED = """
write owner   slab/ownership.c   win
write owner   slab/ownership.c   slab_create
write owner   slab/ownership.c   slab_release
write owner   slab/ownership.c   slab_publish
write owner   slab/remote.c      finish_publish_of_lost
write owner   slab/run.c         run_map_init
write owner   slab/run.c         run_map_clear
write owner   superslab/huge.c   huge_alloc
write owner   superslab/huge.c   huge_free
write owner   superslab/huge.c   huge_resize
write remote  slab/ownership.c   win
write remote  slab/ownership.c   slab_create
write remote  slab/ownership.c   slab_publish
write remote  slab/remote.c      remote_drain
write remote  slab/remote.c      push
write remote  refill/unsafe_drain.c unsafe_drain
make  slab    refill/unsafe_drain.c slab_assume_owned
make  slab    slab/ownership.h   slab_if_mine
make  slab    slab/ownership.c   slab_claim_slow
make  slab    slab/ownership.c   slab_adopt_registered
reach owner   slab/ownership.h   owner_word
reach remote  slab/remote_word.h remote_word
reach owner   superslab/heap.c   lay_out
reach remote  superslab/heap.c   lay_out
"""

FUNCTION = re.compile(r"^(?!#|typedef|struct|union|enum)[A-Za-z_][^;{}=#]*?\b(\w+)\(([^;{}]*)\)\s*\{", re.M)
# An address of one of the words: by accessor, or through the tables of hak_heap.
WORD = re.compile(r"\b(owner|remote)_word\(|&?\s*\bhak_heap\s*\.\s*(owner|remote)\b")
TABLE_MEMBER = re.compile(r"(?:->|\.)\s*(owner|remote)\s*\[")
OPERATION = re.compile(r"\b([a-z]\w*)\s*\(\s*(?:\(\s*void\s*\*\s*\)\s*)?$")
LITERAL = re.compile(r"\(\s*OwnedSlab\s*\)\s*\{\s*([^}]*)\}|\bOwnedSlab\s+\w+\s*=\s*\{\s*([^}]*)\}|(\(\s*OwnedSlab\s*\*\s*\))")
VARIABLE = re.compile(r"\bOwnedSlab\s*\*?\s*(\w+)")
READS = {"load_relaxed", "load_acquire", "load_seq_cst"}
WRITES = re.compile(r"^(store|exchange|cas|add|bump|atomic)_\w+$")


def without_comments(text):
    """Comments and strings become blanks, so that offsets and line numbers stay."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


class Source:
    def __init__(self, lib, path):
        self.path = path.relative_to(lib).as_posix()
        self.text = without_comments(path.read_text())
        self.functions = []
        for match in FUNCTION.finditer(self.text):
            end = self.text.find("\n}", match.end())
            self.functions.append((match.start(), end if end >= 0 else len(self.text), match.group(1)))

    def function_at(self, offset):
        return next((name for start, end, name in self.functions if start <= offset < end), "-")

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def word_sites(self):
        for match in WORD.finditer(self.text):
            word = match.group(1) or match.group(2)
            function = self.function_at(match.start())
            # the accessor's own head is its definition
            if match.group(1) and re.search(r"\*\s*$", self.text[:match.start()]):
                continue
            operation = OPERATION.search(self.text[:match.start()])
            name = operation.group(1) if operation else ""
            if name in READS:
                continue
            kind = "write" if WRITES.match(name) else "reach"
            yield match.start(), f"{kind} {word} {self.path} {function}"
        for match in TABLE_MEMBER.finditer(self.text):
            if not re.search(r"\bhak_heap\s*$", self.text[:match.start()]):
                yield match.start(), f"reach {match.group(1)} {self.path} {self.function_at(match.start())}"

    def slab_sites(self):
        for match in LITERAL.finditer(self.text):
            value = (match.group(1) or match.group(2) or match.group(3) or "").strip()
            if value != "0":
                yield match.start(), f"make slab {self.path} {self.function_at(match.start())}"
        for name in {match.group(1) for match in VARIABLE.finditer(self.text)}:
            for match in re.finditer(rf"\b{name}\s*(?:\.|->)\s*number\s*=(?!=)", self.text):
                yield match.start(), f"make slab {self.path} {self.function_at(match.start())}"


def main():
    lib = pathlib.Path(sys.argv[1])
    allowed = {" ".join(line.split()) for line in ALLOWED.strip().splitlines()}
    seen, wrong = set(), 0
    for path in sorted(lib.rglob("*.[ch]")):
        source = Source(lib, path)
        for offset, site in [*source.word_sites(), *source.slab_sites()]:
            seen.add(site)
            if site not in allowed:
                wrong += 1
                print(f"{source.path}:{source.line_at(offset)}: {site}: not one of the functions that may do this")
    for site in sorted(allowed - seen):
        wrong += 1
        print(f"no such site any more: {site}")
    print(f"check_drain_sites: {len(seen)} sites, {wrong} findings")
    return 1 if wrong else 0


sys.exit(main())
PYTHON
