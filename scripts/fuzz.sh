#!/bin/sh
# libFuzzer on the parsers of what others wrote, under AddressSanitizer and UBSan: scripts/fuzz.sh [SECONDS
# [NAME...]], each target of tests/fuzz for so long; default 60. Begins with the corpus in tests/fuzz/corpus. An input
# that crashes is left in build/fuzz/, to be put into the corpus with the repair.
# Exit status: 0 nothing found, 1 something was, 2 wrong usage, 3 a tool is missing.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
case $seconds in '' | *[!0-9]*) echo "usage: scripts/fuzz.sh [SECONDS [NAME...]]" >&2; exit 2 ;; esac
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- arguments cfi conf maps messages options profile recording report trace
build=build/fuzz
for tool in clang meson ninja; do
    command -v "$tool" >/dev/null || { echo "fuzz.sh: $tool is not installed" >&2; exit 3; }
done
mkdir -p "$build"
[ -f "$build/build.ninja" ] ||
    CC=clang CXX=clang++ meson setup "$build" -Dtests=enabled -Dfuzz=true -Db_sanitize=address,undefined \
        -Db_lundef=false -Doptimization=1 -Dwerror=false -Dc_args=-fsanitize=fuzzer-no-link >"$build/setup.log" 2>&1 ||
    { tail -n 5 "$build/setup.log"; exit 1; }

export ASAN_OPTIONS='detect_leaks=0' UBSAN_OPTIONS='halt_on_error=1 print_stacktrace=1'
failed=0
for name in "$@"; do
    ninja -C "$build" "tests/fuzz/fuzz-$name" >"$build/build.log" 2>&1 || { tail -n 20 "$build/build.log"; exit 1; }
    mkdir -p "$build/corpus-$name"
    if "$build/tests/fuzz/fuzz-$name" -max_total_time="$seconds" -close_fd_mask=3 -max_len=16384 \
        -timeout=20 -rss_limit_mb=4096 -artifact_prefix="$build/$name-" "$build/corpus-$name" \
        "tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1 </dev/null; then
        echo "ok: $name: $(grep -o 'Done.*' "$build/$name.log")"
    else
        echo "FAILED: $name (all of it in $build/$name.log)"
        grep -E 'ERROR|runtime error|not true|    #[0-9] |Test unit written' "$build/$name.log" | head -n 20
        failed=1
    fi
done
exit $failed
