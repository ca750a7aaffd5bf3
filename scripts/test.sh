#!/bin/bash
# Installs what the tests need, builds, and runs every test. Last line: `N passed, N failed, N skipped`; exit status 1 when
# something failed. Logs are in build/test-logs/.
set -u
cd "$(dirname "$0")/.."

[ $# -eq 0 ] || {
    echo "test.sh: takes no arguments" >&2
    exit 2
}

logs=build/test-logs
passed=0 failed=0 skipped=0

# report VERDICT SECONDS NAME-AND-REASON
report() {
    printf '%-4s %6s s  %s\n' "$1" "$2" "$3"
    case $1 in
    pass) passed=$((passed + 1)) ;;
    skip) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac
}

# step NAME COMMAND...: one test; exit status 77 is a skip, and the last line that it printed says why.
step() {
    local name=$1 start=$SECONDS status=0
    shift
    timeout --kill-after=10 600 "$@" </dev/null >"$logs/$name.log" 2>&1 || status=$?
    case $status in
    0) report pass $((SECONDS - start)) "$name" ;;
    77) report skip $((SECONDS - start)) "$name: $(tail -n 1 "$logs/$name.log")" ;;
    *)
        report FAIL $((SECONDS - start)) "$name (exit status $status; $logs/$name.log)"
        tail -n 30 "$logs/$name.log" | sed 's/^/    | /'
        ;;
    esac
    return "$status"
}

# Every test that meson knows of counts by itself.
meson_tests() {
    local status=0 verdict seconds name before=$failed
    meson test -C build --print-errorlogs "$@" </dev/null >"$logs/meson.log" 2>&1 || status=$?
    [ -f build/meson-logs/testlog.json ] && while IFS=$'\t' read -r verdict seconds name; do
        case $verdict in
        pass | skip | FAIL) report "$verdict" "$seconds" "$name" ;;
        *) printf '%s\n' "$verdict" ;;
        esac
    done < <(python3 scripts/testlog.py build/meson-logs/testlog.json)
    if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
        report FAIL 0 "meson test (exit status $status; $logs/meson.log)"
        tail -n 30 "$logs/meson.log" | sed 's/^/    | /'
    fi
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

mkdir -p "$logs"
rm -f "$logs"/*.log build/meson-logs/testlog.json

step bootstrap scripts/bootstrap.sh --tests || finish
step build scripts/build.sh build -Dtests=enabled || finish
step format scripts/check_format.sh
step tidy scripts/check_tidy.sh build
step docs-current scripts/gen_docs.py --check
meson_tests
step clang-build env CC=clang CXX=clang++ scripts/build.sh build/clang
for sanitizer in clang:thread gcc:thread clang:address,undefined; do
    step "sanitizer-$sanitizer" scripts/test_sanitizers.sh --seconds 6 "$sanitizer"
done

finish
