#!/bin/bash
# hakstress itself under sanitizers: a crash, a saved report, a trace, a comparison and wrong input. Other tests check
# its output; here no sanitizer may report anything in any process.
# usage: sanitized.sh HAKSTRESS BUILD
# BUILD: a build without sanitizers, for what hakstress starts and preloads
set -u
usage='usage: sanitized.sh HAKSTRESS BUILD'
hakstress=$(realpath "${1:?$usage}")
build=$(realpath "${2:?$usage}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Everything else is searched beside the program.
mkdir "$folder/found" "$folder/cli"
cp "$hakstress" "$folder/cli/hakstress"
hakstress=$folder/cli/hakstress
ln -s "$build"/cli/hakstress-* "$build"/cli/libhakstress-record.so "$build"/cli/*.profile "$folder/cli"
ln -s "$build/lib" "$folder/lib"
program=$build/tests/cli/record-program
cd "$folder" || exit
# Threads of hakstress have signal stacks of their own.
export ASAN_OPTIONS="detect_leaks=0:use_sigaltstack=0:handle_segv=0:handle_abort=0:log_path=$folder/found/asan"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:log_path=$folder/found/ubsan"
failed=0

# expect STATUSES COMMAND...: one of the exit statuses, as a|b
expect() {
    local wanted=$1 status=0
    shift
    timeout 60 "$@" >"$folder/out" 2>&1 </dev/null || status=$?
    [[ $status =~ ^($wanted)$ ]] || {
        echo "FAILED: exit status $status, not $wanted: $*"
        tail -n 20 "$folder/out"
        failed=1
    }
}

expect 0 "$hakstress" --help
expect 0 "$hakstress" list options
expect 0 "$hakstress" list profiles
expect 2 "$hakstress" bnech
expect 2 "$hakstress" repro --sead 1
expect 2 "$hakstress" compare nosuch
expect '0|3|4' "$hakstress" doctor
# A fault of the allocator that a check stops, before it does what a sanitizer sees; and the report again in both forms.
expect 1 "$hakstress" guard 20 8 --changes none --seed 1 --quiet --results results
report=$(find results -name '*.crash.json' | head -n 1)
[ -n "$report" ] || {
    echo "FAILED: no report of a crash"
    failed=1
}
expect 0 "$hakstress" report "${report%.json}.txt"
expect 0 "$hakstress" report --json - "$report"
# A program is recorded, its trace replayed.
for mode in cross resize many; do
    expect 0 "$hakstress" record --output $mode.trace -- "$program" $mode
    expect 0 "$hakstress" bench trace:$mode.trace --lib none --runs 1 --seconds 0.1 --quiet
done
expect 0 "$hakstress" bench pair larson --lib none --runs 1 --seconds 0.1 --latency --quiet
expect '0|4' "$hakstress" compare pair --allocators glibc,hakmem --rounds 2 --seconds 0.05 --quiet \
    --html page.html --csv t.csv
expect '0|4' "$hakstress" compare --allocators glibc,hakmem --rounds 2 --quiet --markdown t.md -- true

# Other programs, with faults of every kind.
for mistake in null throw double-free; do
    expect '134|139' "$hakstress" run --guard --quiet --results results -- "$build/tests/cli/mistakes" $mistake
done
expect 0 "$hakstress" run --leaks --quiet --results results -- "$build/tests/cli/mistakes" leak
expect '0|1' "$hakstress" run --quiet --results results --leaks -- "$program" many

for file in "$folder"/found/*; do
    [ -e "$file" ] || continue
    echo "FAILED: a sanitizer said:"
    head -n 40 "$file"
    failed=1
done
exit $failed
