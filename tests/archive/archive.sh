#!/bin/sh
# libhakmem.a, linked as programs link it. $CC and $CXX are the compilers. Anything that a linker writes is a failure.
#
# usage: archive.sh names ARCHIVE NAMES             it defines the names of the file NAMES and no others
#        archive.sh own-names ARCHIVE OBJECT...     a program may have every name that an OBJECT defines
#        archive.sh ways ARCHIVE                    static, position-independent, with LTO, whole, in either order...
#        archive.sh family ARCHIVE                  the allocator of libc.a stays out of a static program
#        archive.sh cxx ARCHIVE REPLACED_NEW.cpp    operators new and delete
#        archive.sh libraries ARCHIVE               in shared libraries, two in one process
#        archive.sh places ARCHIVE                  a debugger finds the source lines of the archive
#        archive.sh sections ARCHIVE                --gc-sections leaves out what is not used
#        archive.sh installed BUILD_DIR             meson install, then pkg-config
set -eu
mode=${1:?}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "FAILED: $*"
    failed=1
}

: "${CC:=cc}" "${CXX:=c++}"
c="$CC -O1 -fno-builtin -D_GNU_SOURCE -I$here/../../include"
cxx="$CXX -O1 -fno-builtin -std=c++17 -fsized-deallocation"

# link NAME COMMAND...: into $work/NAME; the linker must write nothing
link() {
    name=$1
    shift
    if ! "$@" -o "$work/$name" >"$work/said" 2>&1 || [ -s "$work/said" ]; then
        fail "$name: $* wrote: $(head -n 4 "$work/said")"
        return 1
    fi
}

# runs NAME COMMAND...
runs() {
    name=$1
    shift
    if timeout 60 "$@" >"$work/said" 2>&1; then
        echo "ok: $name: $(tail -n 1 "$work/said")"
    else
        fail "$name: exit status $?: $(tail -n 4 "$work/said")"
    fi
}

# try NAME COMMAND...: links and runs
try() {
    link "$@" && runs "$1" "$work/$1" || true
}

# The list of public names, without the versions that only the shared library has.
unversioned() { grep -v '^#' "$1" | grep . | grep -v '^HAKMEM_[0-9]*$' | sed 's/@@.*//'; }

if [ "$mode" != installed ]; then
    archive=$(realpath "$2")
    shift 2
    $c -pthread -c "$here/work.c" -o "$work/work.o"
    $c -c "$here/main.c" -o "$work/main.o"
fi

case $mode in
names)
    nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort >"$work/defined"
    unversioned "$1" | sort >"$work/wanted"
    diff -u "$work/wanted" "$work/defined" || fail "its names differ from $1: - is missing, + is not in the list"
    strong=$(nm -g "$archive" | awk 'NF == 3 && $2 != "W" && $3 ~ /^_Z[nd]/')
    [ -z "$strong" ] || fail "operators that a program could not replace: $strong"
    ;;
own-names)
    unversioned "$here/../exported_symbols.txt" >"$work/public"
    # of a name in several objects, the first; no public names, and none with a dot, which LTO makes
    nm -g --defined-only "$@" | awk '
        NR == FNR { seen[$1] = 1; next }
        NF == 3 && $3 ~ /^[A-Za-z_0-9]+$/ && !seen[$3]++ { print $2, $3 }
    ' "$work/public" - >"$work/names"
    [ "$(wc -l <"$work/names")" -gt 100 ] || fail "too few internal names: $(wc -l <"$work/names")"
    sh "$here/own_names.sh" <"$work/names" >"$work/own.c"
    $CC -w -O1 -fno-builtin -c "$work/own.c" -o "$work/own.o"
    for way in '' -static; do try "own-names$way" $CC $way -pthread "$work/own.o" "$work/work.o" "$archive"; done
    ;;
ways)
    objects="$work/main.o $work/work.o"
    for way in -pie -no-pie -static -static-pie -Wl,--gc-sections "-static -Wl,--gc-sections" -rdynamic -Wl,-z,now; do
        try "linked $way" $CC -pthread $objects $way "$archive"
    done
    command -v ld.lld >/dev/null && try "linked by lld" $CC -fuse-ld=lld -pthread $objects "$archive"
    try "whole, after" $CC -pthread $objects -Wl,--whole-archive "$archive" -Wl,--no-whole-archive
    try "whole, before" $CC -pthread -Wl,--whole-archive "$archive" -Wl,--no-whole-archive $objects
    try "before, asked for malloc" $CC -pthread -Wl,-u,malloc "$archive" $objects
    try "after libc" $CC -pthread $objects -lc "$archive"
    try "with LTO" $c -pthread -O2 -flto "$here/main.c" "$here/work.c" "$archive"
    try "with LTO, static" $c -pthread -O2 -flto -static "$here/main.c" "$here/work.c" "$archive"
    for how in --strip-debug --strip-unneeded; do
        strip $how -o "$work/stripped.a" "$archive"
        try "archive stripped, $how" $CC -pthread $objects "$work/stripped.a"
    done
    link stripped $CC -pthread -s -static $objects "$archive" && runs "program stripped" "$work/stripped"
    # its constructors and its destructors are there
    HAKMEM_STATS=text "$work/linked -static -Wl,--gc-sections" 2>&1 | grep -q allocated || fail "no statistics at exit"
    ;;
family)
    try "static, all names" $c -Wall -pthread -static "$here/family.c" "$archive"
    libc=$(nm "$work/static, all names" 2>/dev/null | grep -w -e main_arena -e _int_malloc -e _int_free || true)
    [ -z "$libc" ] || fail "the allocator of the C library is in the program: $libc"
    ;;
cxx)
    for way in -pie -static; do try "replaced operators $way" $cxx -w $way "$1" "$archive"; done
    try "no memory" $cxx "$here/out_of_memory.cpp" "$archive"
    # as README.md says
    try "no memory, static" $cxx -static "$here/out_of_memory.cpp" "$archive" -Wl,-u,_ZSt17__throw_bad_allocv
    ;;
libraries)
    for library in first second; do
        link $library.so $c -shared -fPIC -DLIBRARY=$library "$here/library.c" "$archive" || true
    done
    libraries="$work/first.so $work/second.so"
    try "two libraries" $c "$here/two_libraries.c" $libraries "-Wl,-rpath,$work"
    try "two libraries and the program" $c "$here/two_libraries.c" $libraries "-Wl,-rpath,$work" "$archive"
    link loaded $c "$here/loaded_library.c" -ldl && runs "loaded library" "$work/loaded" "$work/first.so"
    ;;
places)
    link places $CC -pthread "$work/main.o" "$work/work.o" "$archive"
    if readelf -SW "$archive" | grep -q debug_line; then
        for name in hak_describe at_load; do
            address=$(nm "$work/places" | awk -v name=$name '$3 == name { print $1 }')
            file=$(addr2line -e "$work/places" "0x$address") # may be a function that is inlined there
            case $file in
            */lib/*/*.[ch]:*) echo "ok: $name is in ${file##*/}" ;;
            *) fail "$name is in $file, says addr2line" ;;
            esac
        done
    fi
    ;;
sections)
    echo '#include <stdlib.h>' >"$work/little.c"
    echo 'int main(void) { free(malloc(100)); return 0; }' >>"$work/little.c"
    try little $CC -fno-builtin "$work/little.c" "$archive"
    try collected $CC -fno-builtin "$work/little.c" -Wl,--gc-sections "$archive"
    nm "$work/little" | grep -q ' hak_describe$' || fail "hak_describe is not in the program that keeps all"
    ! nm "$work/collected" | grep -q ' hak_describe$' || fail "hak_describe is in the program that keeps what it uses"
    nm "$work/collected" | grep -q ' at_load$' || fail "a constructor is dropped"
    ;;
installed)
    build=$(realpath "$2")
    # The lock: the build folder has one log of what was installed, which others use.
    flock "$build/.lock" meson install -C "$build" --no-rebuild --destdir "$work/root" >"$work/said" 2>&1 ||
        fail "meson install: $(tail -n 4 "$work/said")"
    pc=$(find "$work/root" -name hakmem.pc)
    PKG_CONFIG_LIBDIR=$(dirname "$pc")
    PKG_CONFIG_SYSROOT_DIR=$work/root
    export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
    sources="-O1 -fno-builtin -D_GNU_SOURCE -pthread $here/main.c $here/work.c"
    try "pkg-config --static" $CC $sources -static $(pkg-config --cflags --libs --static hakmem)
    link shared $CC $sources $(pkg-config --cflags --libs hakmem) &&
        runs "pkg-config" env "LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_LIBDIR")" "$work/shared"
    ;;
*)
    fail "unknown: $mode"
    ;;
esac
exit $failed
