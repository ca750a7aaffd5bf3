#!/bin/bash
# Long runs: scripts/soak.sh MINUTES. First it tries the Debian packages and runs real programs
# (scripts/bootstrap.sh --soak installs what these need), every mutant of the protocol, a hundred wrong programs with a
# page for every block, each fuzz target for a minute, 10^5 double frees, the tests for aarch64 in an emulator, and 10^9
# frees of adversarial content. Then it repeats guard, repro, fast0, explore, the property test and thread churn, each
# with a fresh seed, until the time is up. It stops at the first fault and says how to reproduce it.
set -u
cd "$(dirname "$0")/.."

case ${1:-} in
'' | 0 | *[!0-9]*)
    echo "soak.sh: how long? usage: scripts/soak.sh MINUTES" >&2
    exit 2
    ;;
esac
deadline=$((SECONDS + $1 * 60))

scripts/bootstrap.sh --tests && scripts/build.sh build -Dtests=enabled || exit
tests=build/tests
runs=0

# run COMMAND...: the output is shown only when something is wrong.
run() {
    [ $SECONDS -lt $deadline ] || {
        echo "soak: ok, $runs runs in $((SECONDS / 60)) minutes"
        exit 0
    }
    echo "soak: [$((SECONDS / 60)) min] $*" >&2
    timeout --kill-after=10 900 "$@" >build/soak.log 2>&1 </dev/null || {
        local status=$?
        [ $status -ne 77 ] || { echo "soak: skipped: $(tail -n 1 build/soak.log)" >&2; return; }
        tail -n 60 build/soak.log
        echo "soak: FAILED after $((SECONDS / 60)) minutes with exit status $status; to run it again: $*"
        exit 1
    }
    runs=$((runs + 1))
}

# preloaded LIBRARY COMMAND...: with the library preloaded
preloaded() {
    local library=$1
    shift
    # A small ring: the default one takes 33 MiB of the memory that these tests measure.
    run env LD_PRELOAD="$PWD/build/lib/$library" TEST_ALLOCATOR=hakmem HAKMEM_RING=64 "$@"
}

# programs SCRIPT LIBRARY [PART...]: a script of tests/integration; what is not installed is named
programs() {
    local script=$1 library=$2
    shift 2
    run bash "tests/integration/$script" "build/lib/$library" . "$@"
    grep '^skipped: ' build/soak.log >&2
}

real_programs() {
    programs more_programs.sh libhakmem.so
    programs more_programs.sh libhakmem-checked.so
    programs programs.sh libhakmem-checked.so bash perl git clang sqlite redis_bgsave node chromium
    run env HAKMEM_GUARD=1 bash tests/integration/more_programs.sh build/lib/libhakmem-checked.so . \
        php ruby java postgres nginx gdb
    run tests/integration/recipes.py . build/cli/hakstress build/lib/libhakmem.so Quick CI Slow
    grep 'skipped' build/soak.log >&2
}

# The packages of the last commit, built twice; then installed, upgraded, removed and purged in a fresh root.
packages() {
    run tests/packages/reproducible.sh build/packages-test
    run tests/packages/installed.sh build/packages-test
}

fresh_seed() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

wrong_frees() {
    HAKMEM_ON_ERROR=report preloaded libhakmem.so $tests/double_free_hunt "$(fresh_seed)" 100000
    for _ in 1 2 3 4; do run $tests/adversarial_content-release "$(fresh_seed)" 250000000; done
}

# Deeper than the complete searches of the tests, which keep to the bound in each scenario's file.
explore_deeply() {
    run build/cli/hakstress explore --strategy exhaustive --preemptions 2 --quiet
    run build/cli/hakstress explore --strategy exhaustive --preemptions 3 --stale 1 --seconds 1200 --quiet
    run build/cli/hakstress explore --strategy exhaustive --preemptions none --seconds 1200 --quiet
}

# What chance finds, and random scenarios.
explore() {
    run build/cli/hakstress explore --seconds 600 --preemptions 3 --stale 1 --seed "$1" --quiet
    run build/cli/hakstress explore --seconds 60 --seed "$1" --quiet $(seq -f 'random-%.0f' "$1" $(($1 + 39)))
    run build/cli/hakstress explore --strategy random --schedules 20 --seed "$1" --quiet \
        $(seq -f 'random-%.0f' "$1" $(($1 + 999)))
}

packages
real_programs
run scripts/mutants.py --fast
seed=$(($(fresh_seed) % 1000000))
run tests/cli/hunt.py build/cli/hakstress $tests/wrong_access $seed 100 3
run tests/cli/hunt.py build/cli/hakstress $tests/wrong_access $seed 100 3 $tests/no_page_guards
run scripts/fuzz.sh 60
run scripts/test_aarch64.sh all
explore_deeply
wrong_frees
while :; do
    seed=$(fresh_seed)
    run build/cli/hakstress guard 60 20 --profile guard --seed "$seed" --quiet
    run build/cli/hakstress repro 60 20 --profile repro --seed "$seed" --quiet
    run build/cli/hakstress repro 30 20 --profile fast0 --seed "$seed" --quiet
    explore "$seed"
    for library in libhakmem.so libhakmem-checked.so; do
        preloaded $library $tests/property "$seed" 30 4
        preloaded $library $tests/property "$seed" 10 1
        preloaded $library $tests/threads storm 10
        preloaded $library $tests/threads create 20000
    done
done
