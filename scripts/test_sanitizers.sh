#!/bin/sh
# Runs the release core and the tests that drive it from many threads under ThreadSanitizer, AddressSanitizer and UBSan,
# without a suppression. The tests are linked on the hak_ names, so the sanitizer's own malloc stays in force.
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
    clang:thread | clang:address | clang:undefined | gcc:thread | gcc:address | gcc:undefined)
        runs="$runs $1"
        shift
        ;;
    *)
        echo "usage: test_sanitizers.sh [--seconds N] [clang|gcc:thread|address|undefined...]" >&2
        exit 2
        ;;
    esac
done
[ -n "$runs" ] || runs='clang:thread gcc:thread clang:address clang:undefined'

export TSAN_OPTIONS='halt_on_error=1 second_deadlock_stack=1'
export ASAN_OPTIONS='detect_leaks=0 abort_on_error=0'
export UBSAN_OPTIONS='halt_on_error=1 print_stacktrace=1'
failed=0
for run in $runs; do
    compiler=${run%:*} sanitizer=${run#*:}
    for tool in "$compiler" meson ninja; do
        command -v "$tool" >/dev/null || { echo "test_sanitizers: $tool is not installed" >&2; exit 3; }
    done
    build=$root/build/sanitize/$compiler-$sanitizer
    log=$build.log
    mkdir -p "$root/build/sanitize"
    if [ ! -f "$build/build.ninja" ]; then
        CC=$compiler meson setup "$build" "$root" -Dcli=false -Dtests=enabled \
            -Db_sanitize="$sanitizer" -Db_lundef=false -Doptimization=1 -Dwerror=false >"$log" 2>&1 || {
                tail -5 "$log"
                exit 1
            }
    fi
    ninja -C "$build" tests/property-linked-release tests/threads-linked-release >"$log" 2>&1 || {
        tail -20 "$log"
        exit 1
    }
    for test in "property-linked-release 0 $seconds 4" "threads-linked-release storm $seconds"; do
        # shellcheck disable=SC2086
        if (cd "$build/tests" && timeout $((seconds * 4 + 60)) ./$test) >"$log" 2>&1; then
            echo "ok: $run: $test"
        else
            echo "FAILED: $run: $test (all of it in $log)"
            grep -v '^$' "$log" | head -40
            failed=1
        fi
    done
done
exit $failed
