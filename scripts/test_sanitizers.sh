#!/bin/sh
# Runs everything under sanitizers, without a suppression. The tests are linked on the hak_ names, so the sanitizer's
# own malloc stays in force.
#
#   thread               ThreadSanitizer: the release core, and the tests that drive it from many threads
#   address,undefined    AddressSanitizer and UBSan: the same; the checked core, in guard mode too; every unit test, of
#                        the core and of hakstress; the corpora of the fuzz targets; hakstress itself, if build/ is
#                        there to start programs from
#
# usage: test_sanitizers.sh [--seconds N] [COMPILER:SANITIZER...]      default 8, and the list below
# Builds into build/sanitize/. Exit status: 0 nothing found, 1 something was, 2 wrong usage, 3 a tool is missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
seconds=8
runs=''
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        seconds=${2:-}
        case $seconds in '' | *[!0-9]*) echo "test_sanitizers: --seconds wants a number" >&2; exit 2 ;; esac
        shift 2
        ;;
    clang:thread | clang:address,undefined | gcc:thread | gcc:address,undefined)
        runs="$runs $1"
        shift
        ;;
    *)
        echo "usage: test_sanitizers.sh [--seconds N] [clang|gcc:thread|address,undefined...]" >&2
        exit 2
        ;;
    esac
done
[ -n "$runs" ] || runs='clang:thread gcc:thread clang:address,undefined'

export TSAN_OPTIONS='halt_on_error=1 second_deadlock_stack=1'
export ASAN_OPTIONS='detect_leaks=0 abort_on_error=0'
export UBSAN_OPTIONS='halt_on_error=1 print_stacktrace=1'
half=$(((seconds + 1) / 2))
failed=0

# check NAME COMMAND...: in the build's folder
check() {
    name=$1
    shift
    if (cd "$build" && timeout $((seconds * 4 + 240)) "$@") >"$log" 2>&1 </dev/null; then
        echo "ok: $run: $name"
    else
        echo "FAILED: $run: $name (all of it in $log)"
        grep -v '^$' "$log" | head -n 40
        failed=1
    fi
}

make_build() {
    mkdir -p "$root/build/sanitize"
    [ -f "$build/build.ninja" ] ||
        CC=$compiler meson setup "$build" "$root" -Dcli="$with_cli" -Dtests=enabled -Db_sanitize="$sanitizer" \
            -Db_lundef=false -Doptimization=1 -Dwerror=false >"$log" 2>&1 || { tail -5 "$log"; exit 1; }
    # shellcheck disable=SC2086
    ninja -C "$build" $targets >"$log" 2>&1 || { tail -20 "$log"; exit 1; }
}

for run in $runs; do
    compiler=${run%:*} sanitizer=${run#*:}
    for tool in "$compiler" meson ninja; do
        command -v "$tool" >/dev/null || { echo "test_sanitizers: $tool is not installed" >&2; exit 3; }
    done
    build=$root/build/sanitize/$compiler-$(echo "$sanitizer" | tr , -)
    log=$build.log
    with_cli=false
    targets='tests/property-linked-release tests/threads-linked-release'
    if [ "$sanitizer" = address,undefined ]; then
        with_cli=true
        targets="$targets tests/property-linked-checked tests/api-linked-checked cli/hakstress"
    fi
    make_build
    check property-linked-release tests/property-linked-release 0 "$seconds" 4
    check threads-linked-release tests/threads-linked-release storm "$seconds"
    [ "$sanitizer" = address,undefined ] || continue
    check property-linked-checked tests/property-linked-checked 0 "$half" 4
    check property-linked-checked-guard env HAKMEM_GUARD=1 tests/property-linked-checked 0 "$half" 4
    check api-linked-checked-guard env HAKMEM_GUARD=1 HAKMEM_RING=64 tests/api-linked-checked
    check unit-tests meson test --suite unit --print-errorlogs --timeout-multiplier 4
    if [ -x "$root/build/cli/hakstress" ]; then
        check hakstress "$root/tests/cli/sanitized.sh" cli/hakstress "$root/build"
    else
        echo "skipped: $run: hakstress: there is no build/, which scripts/build.sh makes"
    fi
done
exit $failed
