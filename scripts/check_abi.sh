#!/bin/sh
# The hak_ functions of a library are those of the baseline tests/libhakmem.abi: each is there, and its parameters, its
# result and the types they lead to are the same. New functions are no difference. It compares debug information with
# abidiff (Debian's abigail-tools). What the malloc family looks like, the C standard says; that it is there,
# scripts/check_symbols.sh.
#
# usage: check_abi.sh LIBHAKMEM.so [BASELINE]
#        check_abi.sh --update LIBHAKMEM.so     writes the baseline: for a new version of the interface
# Exit status: 0 fine, 1 a difference, 2 wrong usage, 77 abigail or debug information is missing.
set -eu
usage() {
    echo "usage: check_abi.sh LIBHAKMEM.so [BASELINE] | check_abi.sh --update LIBHAKMEM.so" >&2
    exit 2
}

update=no
[ "${1:-}" != --update ] || { update=yes; shift; }
[ $# -ge 1 ] && [ $# -le 2 ] && [ -f "$1" ] || usage
library=$1 baseline=${2:-$(dirname "$0")/../tests/libhakmem.abi}

command -v abidiff >/dev/null || { echo "abigail-tools is not installed"; exit 77; }
readelf -SW "$library" | grep -q debug_info || { echo "$library has no debug information"; exit 77; }

only_ours=$(mktemp)
trap 'rm -f "$only_ours"' EXIT
printf '[suppress_function]\n  symbol_name_not_regexp = ^hak_\n  drop = true\n' >"$only_ours"
set -- --suppressions "$only_ours" --exported-interfaces-only --no-show-locs --no-architecture

if [ $update = yes ]; then
    abidw "$@" --no-corpus-path --no-comp-dir-path --no-elf-needed --drop-undefined-syms \
        --type-id-style hash --out-file "$baseline" "$library"
    echo "written: $baseline"
else
    status=0
    abidiff "$@" --no-added-syms "$baseline" "$library" || status=$?
    [ $status -eq 0 ] || {
        echo "$library: its functions differ from $baseline: programs that were built before may fail"
        exit 1
    }
    echo "$library: the functions of $baseline"
fi
