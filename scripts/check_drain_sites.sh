#!/bin/sh
# Proves from the sources that only the functions named below write an owner word, write or take a remote word, make an
# OwnedSlab, reach a slab's meta, change in it what only the owner may change, or take the address of such a word. That
# is the invariant of docs/OWNERSHIP.md, held by the text itself.
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
#   write owner, write remote   an atomic operation on the word that is not a load
#   reach owner, reach remote   its address is taken
#   make slab, make runs        an OwnedSlab is made of a number, OwnedRuns of an OwnedSlab
#   reach meta                  the table of metas is reached other than through an OwnedSlab or a peek
#   new meta                    a meta is reached before its slab begins
#   write freelist, write blocks, write carved   these fields of a meta are written
ALLOWED = """
write owner   slab/ownership.c   win
write owner   slab/ownership.c   slab_begin
write owner   slab/ownership.c   slab_words_of_rest
write owner   slab/ownership.c   slab_end
write owner   slab/ownership.c   slab_disown
write owner   slab/ownership.c   finish_publish_of_lost
write owner   superslab/huge.c   huge_alloc
write owner   superslab/huge.c   huge_free
write owner   superslab/huge.c   huge_resize
write remote  slab/ownership.c   win
write remote  slab/ownership.c   slab_begin
write remote  slab/ownership.c   slab_stop_pushes
write remote  slab/remote.c      remote_drain
write remote  slab/remote.c      remote_push
write remote  refill/unsafe_drain.c unsafe_drain
make  slab    refill/unsafe_drain.c slab_assume_owned
make  slab    slab/ownership.h   slab_if_mine
make  slab    slab/ownership.h   slab_own
make  slab    slab/ownership.c   slab_claim_slow
make  slab    slab/ownership.c   slab_adopt_registered
make  runs    slab/run_map.h     runs_of
reach owner   slab/ownership.h   owner_word
reach remote  slab/remote_word.h remote_word
reach owner   superslab/heap.c   lay_out
reach remote  superslab/heap.c   lay_out
reach meta    superslab/heap.c   lay_out
reach meta    slab/meta.h        meta_of
reach meta    slab/meta.h        meta_of_new
reach meta    slab/meta.h        peek_own
reach meta    slab/meta.h        peek_any
reach meta    slab/ownership.c   listed
reach meta    slab/slab_list.h   slab_list_push
reach meta    slab/slab_list.h   slab_list_remove
reach meta    slab/run_map.h     run_map_at
reach owner   census/census.c    read_tables
reach owner   census/census.c    count_bundles
reach owner   census/census.c    count_kept_back
reach remote  census/census.c    read_tables
reach meta    census/census.c    read_tables
reach meta    census/census.c    count_tables
new   meta    slab/slab.c        slab_init
new   meta    slab/run.c         runs_init
write freelist slab/slab.c       slab_init
write blocks   slab/slab.c       slab_init
write carved   slab/slab.c       slab_init
write freelist slab/run.c        runs_init
write blocks   slab/run.c        runs_init
write carved   slab/run.c        runs_init
write freelist slab/slab.h       slab_list_chain
write blocks   slab/slab.h       slab_list_chain
write freelist slab/slab.c       take_freelist
write blocks   slab/slab.c       take_freelist
write freelist slab/slab.c       list_remote
write blocks   slab/slab.c       list_remote
write blocks   slab/slab.c       carve
write carved   slab/slab.c       carve
write blocks   slab/run.c        count_pages
write blocks   superslab/heap.h  meta_count
write freelist refill/unsafe_drain.c push
write blocks   refill/unsafe_drain.c push
"""

FUNCTION = re.compile(r"^(?!#|typedef|struct|union|enum)[A-Za-z_][^;{}=#]*?\b(\w+)\(([^;{}]*)\)\s*\{", re.M)
# An address of one of the words: by accessor, or through the tables of hak_heap.
WORD = re.compile(r"\b(owner|remote)_word\(|\bhak_heap\s*\.\s*(owner|remote)\b")
TABLE_MEMBER = re.compile(r"(?:->|\.)\s*(owner|remote)\s*\[")
META_TABLE = re.compile(r"(?:->|\.)\s*(?:unit_)?meta\b(?!\s*\()")
NEW_META = re.compile(r"\bmeta_of_new\(")
# The fields that are the owner's. A drain that a report tells of has `blocks` as well.
FIELD_ASSIGNED = re.compile(r"(?<!\bdrain)(?:->|\.)\s*(freelist|blocks|carved)\s*(?:=(?!=)|[-+*/|&^]=|\+\+|--)")
FIELD_ADDRESS = re.compile(r"&\s*[\w\[\]().>-]*?(?:->|\.)\s*(freelist|blocks|carved)\b")
META_COUNT = re.compile(r"\bmeta_count\(")
OPERATION = re.compile(r"\b([a-z]\w*)\s*\(\s*(?:\(\s*void\s*\*\s*\)\s*)?&?\s*$")
LITERAL = re.compile(
    r"\(\s*OwnedSlab\s*\)\s*\{\s*([^}]*)\}|\bOwnedSlab\s+\w+\s*=\s*\{\s*([^}]*)\}|(\(\s*OwnedSlab\s*\*\s*\))"
)
RUNS_LITERAL = re.compile(
    r"(?:\(\s*OwnedRuns\s*\)|\bOwnedRuns\s+\w+\s*=)\s*\{((?:[^{};]|\{[^{}]*\})*)\}|\(\s*OwnedRuns\s*\*\s*\)"
)
VARIABLE = re.compile(r"\bOwnedSlab\s*\*?\s*(\w+)")
READS = {"load_relaxed", "load_acquire"}
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

    # What an operation, a type or a table's name may take in front of a match.
    def before(self, match):
        return self.text[max(0, match.start() - 200):match.start()]

    def site(self, what, match):
        return match.start(), f"{what} {self.path} {self.function_at(match.start())}"

    def word_sites(self):
        for match in WORD.finditer(self.text):
            word = match.group(1) or match.group(2)
            # the accessor's own head is its definition
            if match.group(1) and re.search(r"\*\s*$", self.before(match)):
                continue
            operation = OPERATION.search(self.before(match))
            name = operation.group(1) if operation else ""
            if name in READS:
                continue
            kind = "write" if WRITES.match(name) else "reach"
            yield self.site(f"{kind} {word}", match)
        for match in TABLE_MEMBER.finditer(self.text):
            if not re.search(r"\bhak_heap\s*$", self.before(match)):
                yield self.site(f"reach {match.group(1)}", match)

    def slab_sites(self):
        for match in RUNS_LITERAL.finditer(self.text):
            if (match.group(1) or "").replace(" ", "") != "{0}":
                yield self.site("make runs", match)
        for match in LITERAL.finditer(self.text):
            value = next((group for group in match.groups() if group), "").strip()
            if value != "0":
                yield self.site("make slab", match)
        for name in {match.group(1) for match in VARIABLE.finditer(self.text)}:
            for match in re.finditer(rf"\b{name}\s*(?:\.|->)\s*number\s*=(?!=)", self.text):
                yield self.site("make slab", match)

    def meta_sites(self):
        for match in META_TABLE.finditer(self.text):
            yield self.site("reach meta", match)
        for match in NEW_META.finditer(self.text):
            if not re.search(r"\*\s*$", self.before(match)):
                yield self.site("new meta", match)
        for match in FIELD_ASSIGNED.finditer(self.text):
            yield self.site(f"write {match.group(1)}", match)
        for match in FIELD_ADDRESS.finditer(self.text):
            operation = OPERATION.search(self.before(match))
            name = operation.group(1) if operation else ""
            if name not in READS:
                yield self.site(f"{'write' if WRITES.match(name) else 'reach'} {match.group(1)}", match)
        for match in META_COUNT.finditer(self.text):
            if not re.search(r"\bvoid\s*$", self.before(match)):
                yield self.site("write blocks", match)

    def sites(self):
        return [*self.word_sites(), *self.slab_sites(), *self.meta_sites()]


def main():
    lib = pathlib.Path(sys.argv[1])
    allowed = {" ".join(line.split()) for line in ALLOWED.strip().splitlines()}
    seen, wrong = set(), 0
    for path in sorted(lib.rglob("*.[ch]")):
        source = Source(lib, path)
        for offset, site in source.sites():
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
