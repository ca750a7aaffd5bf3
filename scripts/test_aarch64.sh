#!/bin/bash
# Builds for aarch64 into build/aarch64, and tests what was built under qemu-user: scripts/test_aarch64.sh [all]
# Without `all` it builds the libraries, the worker, the explorer and some of the tests, and runs those that take about
# a second each. With it the build is whole, and all unit tests and longer programs run. docs/PLATFORMS.md says what
# an emulator does not show.
# Exit status: 0; 1 a test failed; 77 what is needed is not installed (scripts/bootstrap.sh --tests).
set -u
cd "$(dirname "$0")/.."

for tool in aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ qemu-aarch64; do
    command -v $tool >/dev/null || {
        echo "$tool is not installed"
        exit 77
    }
done
build=$PWD/build/aarch64
scripts/fetch_aarch64.sh build/aarch64-libraries || exit 77
# What the emulator does not have: advice that is refused where it is not known, copies of a process that are alone in
# theirs. `slow` take seconds there.
cannot='guard copies first_copies' slow='os tcb ring' quick=
for source in tests/unit/*.c; do
    name=$(basename "$source" .c)
    case " $cannot $slow unwind_chain stack_table " in *" $name "*) ;; *) quick="$quick $name" ;; esac
done
units=$quick targets=()
[ "${1:-}" = all ] && units="$quick $slow"
if [ "${1:-}" != all ]; then
    for name in $units; do targets+=("tests/unit-$name"); done
    version=$(sed -n "s/^  version: .\(.*\).,/\1/p" meson.build)
    targets+=("lib/libhakmem.so.$version" lib/libhakmem-checked.so lib/libhakmem.a cli/hakstress-worker)
    targets+=(cli/hakstress-explore tests/api tests/property tests/wrong_free tests/sample tests/guard)
    targets+=(tests/unit-stack-table tests/unit-copied-stack)
    targets+=(tests/libunwind-chain-1000.so tests/libunwind-chain-3000.so)
fi
[ -f "$build/build.ninja" ] ||
    meson setup "$build" --cross-file cross/aarch64.ini --cross-file build/aarch64-libraries/libraries.ini \
        -Dtests=enabled >build/aarch64-setup.log || {
    cat build/aarch64-setup.log
    exit 1
}
ninja -C "$build" "${targets[@]}" >"$build/build.log" 2>&1 || {
    cat "$build/build.log"
    exit 1
}

failed=0 passed=0
# try NAME COMMAND...: the output is shown if it fails.
try() {
    local name=$1 start=$SECONDS status=0
    shift
    timeout --kill-after=5 120 "$@" >"$build/try.log" 2>&1 </dev/null || status=$?
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
        echo "pass $((SECONDS - start)) s  $name"
    else
        failed=$((failed + 1))
        echo "FAIL $((SECONDS - start)) s  $name (exit status $status)"
        tail -n 20 "$build/try.log"
    fi
}

libraries=$PWD/build/aarch64-libraries/root
emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu -E"
emulator="$emulator LD_LIBRARY_PATH=$libraries/usr/lib/aarch64-linux-gnu:$libraries/lib/aarch64-linux-gnu"

# preloaded LIBRARY "OPTIONS OF QEMU" PROGRAM...: a program of build/aarch64/tests
preloaded() {
    local library=$1 options=$2
    shift 2
    local runner="$emulator $options"
    # $runner is a list of words
    # shellcheck disable=SC2086
    local ring=()
    [ "$library" != libhakmem-checked.so ] || ring=(HAKMEM_RING=64)
    try "$library $options ${HAKMEM_GUARD:+guard }${HAKMEM_CLOSE:+close }$*" \
        env TEST_RUNNER="$runner" TEST_ALLOCATOR=hakmem QEMU_SET_ENV="LD_PRELOAD=$build/lib/$library" \
        "${ring[@]}" $runner "$build/tests/$1" "${@:2}"
}

for name in $units stack-table copied-stack; do
    # $emulator is a list of words
    # shellcheck disable=SC2086
    try "unit $name" env TEST_RUNNER="$emulator" LD_LIBRARY_PATH="$build/tests" $emulator "$build/tests/unit-$name"
done

release=libhakmem.so checked=libhakmem-checked.so
preloaded $release '' api
preloaded $release '' property 1 2 4
preloaded $release '' wrong_free abort
preloaded $release '' sample read_behind call_of_freed nested
HAKMEM_GUARD=1 preloaded $checked '' guard
# Pages of 16 and 64 KiB: the checked library refuses what such a system refuses.
for page in 16384 65536; do
    preloaded $checked "-p $page" property 1 1 4
    HAKMEM_GUARD=1 preloaded $checked "-p $page" property 1 1 4
    HAKMEM_CLOSE=1 preloaded $checked "-p $page" property 1 1 4
done
# 39 bits of addresses, and 38; processors without and with ARMv8.1's atomic instructions
for options in '-R 0x8000000000' '-R 0x4000000000' '-cpu cortex-a57' '-cpu max'; do
    preloaded $checked "$options" property 1 1 4
done

explore() { try "explore $*" $emulator "$build/cli/hakstress-explore" --strategy exhaustive --seconds 60 "$@"; }
explore --preemptions 2 tests/explore/S3.scenario
explore --preemptions 2 --stale 1 tests/explore/S1.scenario
for worker in pair larson; do
    try "worker $worker" env QEMU_SET_ENV="LD_PRELOAD=$build/lib/$release" $emulator "$build/cli/hakstress-worker" \
        $worker seconds=0.3 threads=2
done
try uses-outline-atomics sh -c "aarch64-linux-gnu-objdump -d $build/lib/$release | grep -q '<__aarch64_cas8_acq>'"

if [ "${1:-}" = all ]; then
    preloaded $release '' fork_anywhere alone 60
    preloaded $release '' threads runs 2
    preloaded $release '' threads looks 2
    preloaded $release '' threads storm 5
    HAKMEM_ZERO=free preloaded $release '' zero free
    preloaded $checked '' sample read_behind call_of_freed nested
    preloaded $checked '' exit 20
    preloaded $release '' wrong_free report
    HAKMEM_PAGES=end preloaded $checked '' property 1 3 4
    for page in 16384 65536; do
        HAKMEM_PAGES=end preloaded $checked "-p $page" property 1 3 4
        HAKMEM_SAMPLE=2 preloaded $checked "-p $page" property 1 3 4
        preloaded $release "-p $page" api
        preloaded $checked "-p $page" wrong_free abort
        preloaded $checked "-p $page" threads storm 3
    done
fi
echo "aarch64: $passed passed, $failed failed"
[ $failed -eq 0 ]
