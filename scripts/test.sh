#!/bin/bash
# Installs what the tests need, builds, and runs every test. Last line: `N passed, N failed, N skipped`; exit status 1
# if something failed. Logs are in build/test-logs/.
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

# report_step NAME STATUS SECONDS: exit status 77 is a skip, and the last line that the step printed says why.
report_step() {
    local name=$1 status=$2 seconds=$3
    case $status in
    0) report pass "$seconds" "$name" ;;
    77) report skip "$seconds" "$name: $(tail -n 1 "$logs/$name.log")" ;;
    *)
        report FAIL "$seconds" "$name (exit status $status; $logs/$name.log)"
        tail -n 30 "$logs/$name.log" | sed 's/^/    | /'
        ;;
    esac
    return "$status"
}

limit=(timeout --kill-after=10 600)

# step NAME COMMAND...: one test
step() {
    local name=$1 start=$SECONDS status=0
    shift
    "${limit[@]}" "$@" </dev/null >"$logs/$name.log" 2>&1 || status=$?
    report_step "$name" "$status" $((SECONDS - start))
}

# step_beside NAME COMMAND...: one test beside those that follow. step_ended NAME waits for it.
step_beside() {
    local name=$1 start=$SECONDS status=0
    shift
    (
        "${limit[@]}" "$@" </dev/null >"$logs/$name.log" 2>&1 &
        trap 'kill $!' TERM
        wait $! || status=$?
        echo "$status $((SECONDS - start))" >"$logs/$name.ended"
    ) &
}

step_ended() {
    local status=1 seconds=0
    wait
    [ ! -f "$logs/$1.ended" ] || read -r status seconds <"$logs/$1.ended"
    report_step "$1" "$status" "$seconds"
}

# Each of meson's tests counts separately.
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
rm -f "$logs"/*.log "$logs"/*.ended build/meson-logs/testlog.json
trap 'kill $(jobs -p) 2>/dev/null' EXIT

step bootstrap scripts/bootstrap.sh --tests || finish
step build scripts/build.sh build -Dtests=enabled || finish
step format scripts/check_format.sh
step tidy scripts/check_tidy.sh build
step docs-current scripts/gen_docs.py --check
meson_tests
# One of these starts while another waits for a single processor.
step_beside sanitizer-clang:address,undefined scripts/test_sanitizers.sh --seconds 6 clang:address,undefined
for sanitizer in clang:thread gcc:thread; do
    step "sanitizer-$sanitizer" scripts/test_sanitizers.sh --seconds 6 "$sanitizer"
done
step clang-build env CC=clang CXX=clang++ scripts/build.sh build/clang
step_ended sanitizer-clang:address,undefined
step aarch64 scripts/test_aarch64.sh
step musl scripts/test_musl.sh

finish
