#!/bin/sh
# scripts/check_abi.sh refuses a library that lacks a function of the baseline, or has another type of one.
# usage: abi.sh ROOT LIBHAKMEM.so
set -eu
root=${1:?usage: abi.sh ROOT LIBHAKMEM.so} library=${2:?usage: abi.sh ROOT LIBHAKMEM.so}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# differs STATUS WORDS WHAT: the check of the library against $work/baseline
differs() {
    status=0
    "$root/scripts/check_abi.sh" "$library" "$work/baseline" >"$work/out" 2>&1 || status=$?
    [ $status -ne 77 ] || { cat "$work/out"; exit 77; }
    if [ $status -eq "$1" ] && grep -q "$2" "$work/out"; then
        echo "ok: $3"
    else
        echo "FAILED: $3"
        cat "$work/out"
        failed=1
    fi
}

# changed EDIT: the baseline, as it was before somebody changed the library
changed() {
    sed "$1" "$root/tests/libhakmem.abi" >"$work/baseline"
    ! cmp -s "$root/tests/libhakmem.abi" "$work/baseline" || { echo "FAILED: nothing to change: $1"; failed=1; }
}

cp "$root/tests/libhakmem.abi" "$work/baseline"
differs 0 'the functions of' "the library as it is"
changed 's/hak_trim/hak_shrink/g'
differs 1 'hak_shrink' "a function that has vanished"
changed "/<parameter .* name='keep'/d"
differs 1 'parameter 1 .*was added' "a parameter more"
changed "/hak_check@@/,/<\/function-decl>/ s/<return type-id='[^']*'/<return type-id='48b5725f'/"
differs 1 'return type changed' "another type of result"
changed "0,/layout-offset-in-bits='64'/ s//layout-offset-in-bits='96'/"
differs 1 'offset changed from 96 to 64' "a field of hak_stats_t at another place"
exit $failed
