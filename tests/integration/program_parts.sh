# shellcheck shell=bash
# What programs.sh and more_programs.sh share: it is sourced, not run. A script that sources it defines functions
# part_NAME and calls run_parts NAME... at its end. A part fails by its status, or calls skip.
# Arguments of such a script: LIBHAKMEM.so SOURCE_ROOT [PART...]; exit status: 0 none failed, 1 one did.
set -u
usage="usage: $(basename "$0") LIBHAKMEM.so SOURCE_ROOT [PART...]"
library=$(realpath "${1:?$usage}")
# shellcheck disable=SC2034  # used by the parts
root=$(realpath "${2:?$usage}")
shift 2
chosen_parts=$*
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0 skipped=0
unset LD_PRELOAD

plainly() {
    timeout --kill-after=10 "${LIMIT:-120}" "$@"
}

preloaded() {
    LD_PRELOAD=$library timeout --kill-after=10 "${LIMIT:-120}" "$@"
}

skip() {
    echo "skipped: $part: $1"
    skipped=$((skipped + 1))
    part_done=1
}

installed() {
    command -v "$1" >/dev/null && return
    skip "$1 is not installed"
    return 1
}

fail() {
    echo "FAILED: $part: $1"
    return 1
}

# same NAME COMMAND...: the command writes the same with the library and without it
same() {
    local name=$1
    shift
    local plain with status
    plain=$(plainly "$@" 2>&1)
    with=$(preloaded "$@" 2>&1)
    status=$?
    if [ $status -ne 0 ] || [ "$plain" != "$with" ]; then
        fail "$name: exit status $status"
        diff <(echo "$plain") <(echo "$with") | head -10
        return 1
    fi
}

# wait_for COMMAND...: until it succeeds, for a minute at most
wait_for() {
    local _
    for _ in {1..600}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "waited in vain for: $*"
}

# run_parts PART...: those that the command line names, else all of these
run_parts() {
    local start
    for part in ${chosen_parts:-$*}; do
        if ! declare -F "part_$part" >/dev/null; then
            echo "there is no part $part" >&2
            exit 2
        fi
        part_done=0
        start=$SECONDS
        if "part_$part"; then
            [ $part_done -eq 1 ] && continue
            echo "ok: $part ($((SECONDS - start)) s)"
            passed=$((passed + 1))
        else
            [ $part_done -eq 1 ] && continue
            echo "FAILED: $part"
            failed=$((failed + 1))
        fi
    done
    echo "$(basename "$0" .sh): $passed passed, $failed failed, $skipped skipped"
    [ $failed -eq 0 ]
}
