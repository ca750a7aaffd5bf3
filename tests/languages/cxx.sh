#!/bin/sh
# <hakmem/hakmem.hpp> with g++ and clang++, as C++17 and C++20: no warning, with and without exceptions and
# RTTI, and both in one program. It runs with the library, with the archive, and in guard mode, which checks each size.
#
# usage: cxx.sh SOURCE_ROOT LIBHAKMEM.so LIBHAKMEM-CHECKED.so ARCHIVE COMPILER...
# Exit status: 0 fine, 1 something failed, 77 no compiler is installed.
set -eu
root=$1 library=$(realpath "$2") checked=$(realpath "$3") archive=$(realpath "$4")
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 tried=0

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual"
flags="-Werror -g -O1 -fno-builtin -pthread -I$root/include -I$root/tests"
here=$root/tests/languages

# try NAME COMMAND...: the output is shown only if it fails
try() {
    what=$1
    shift
    "$@" >"$work/said" 2>&1 || {
        echo "FAILED: $what: exit status $?: $(head -n 12 "$work/said")"
        failed=1
        return 1
    }
}

# The order of the objects decides whose copy of an inline function the linker keeps.
programs() {
    compiler=$1
    ends="$work/support.o -Wl,-rpath,$(dirname "$library") $library"
    $compiler -pthread "$work/cxx.o" "$work/plain.o" $ends -o "$work/first" &&
        $compiler -pthread "$work/plain.o" "$work/cxx.o" $ends -o "$work/second" &&
        $compiler -pthread "$work/plain.o" "$work/cxx.o" "$work/support.o" "$archive" -o "$work/archived"
}

guarded() {
    LD_PRELOAD=$checked HAKMEM_GUARD=1 HAKMEM_RING=64 "$@"
}

export TEST_ALLOCATOR=hakmem
cc -D_GNU_SOURCE -g -O1 -I"$root/tests" -c "$root/tests/support/test.c" -o "$work/support.o"
for compiler in "$@"; do
    command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; continue; }
    tried=$((tried + 1))
    for version in 17 20; do
        cxx="$compiler -std=c++$version $warnings $flags"
        name="$compiler, C++$version"
        try "$name: plain" $cxx -fno-exceptions -fno-rtti -c "$here/cxx_plain.cpp" -o "$work/plain.o" &&
            try "$name" $cxx -c "$here/cxx.cpp" -o "$work/cxx.o" &&
            try "$name: link" programs "$compiler" || continue
        try "$name: run" "$work/first" && try "$name: other order" "$work/second" &&
            try "$name: archive" env -u TEST_ALLOCATOR "$work/archived" &&
            try "$name: guard mode" guarded "$work/first" || continue
        guarded "$work/first" wrong-size >"$work/said" 2>&1 || true
        if ! grep -q 'check=wrong_size' "$work/said"; then
            echo "FAILED: $name: the size of a free does not reach the allocator: $(cat "$work/said")"
            failed=1
        fi
        echo "ok: $name"
    done
done
[ $tried -gt 0 ] || exit 77
exit $failed
