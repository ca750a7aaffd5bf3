#!/bin/sh
# The library exports the names of the lists it is given (tests/exported_symbols*.txt) and no others, and takes those of
# tests/undefined_symbols.txt from other libraries and no others; a program that must not replace malloc does not.
#
# usage: check_symbols.sh library LIBHAKMEM.so NAMES...
#        check_symbols.sh undefined LIBHAKMEM.so NAMES...
#        check_symbols.sh program PROGRAM...       none of them may define malloc or free
#        check_symbols.sh without CHECKED_LIB LIB NAME...   CHECKED_LIB contains NAME in a text or symbol, LIB does not
# Exit status: 0 fine, 1 a difference, 2 wrong usage.
set -eu
usage() {
    echo "usage: check_symbols.sh library|undefined LIB NAMES... | check_symbols.sh program PROGRAM... |" \
        "check_symbols.sh without CHECKED_LIB LIB NAME..." >&2
    exit 2
}

[ $# -ge 2 ] || usage
mode=$1
shift
case $mode in
library | undefined)
    library=$1
    shift
    [ $# -ge 1 ] || usage
    which=--defined-only  # with their versions: none has one
    [ "$mode" = library ] || which="--undefined-only --without-symbol-versions"
    found=$(mktemp)
    wanted=$(mktemp)
    trap 'rm -f "$found" "$wanted"' EXIT
    nm -D $which "$library" | awk '{ print $NF }' | sort >"$found"
    cat "$@" | grep -v '^#' | grep . | sort >"$wanted"
    if ! diff -u "$wanted" "$found"; then
        echo "$library: its names ($mode) differ from $*: - is missing, + is not in the list"
        exit 1
    fi
    echo "$library: $(wc -l <"$found") names, as listed"
    ;;
program)
    found=0
    for program; do
        # both tables: a symbol of the program wins over LD_PRELOAD if it is dynamic, and always inside the program
        names=$({ nm --defined-only "$program"; nm -D --defined-only "$program"; } | awk '{ print $NF }')
        [ -n "$names" ] || { echo "$program: no symbols to look at (stripped?)"; exit 1; }
        for name in malloc calloc realloc free posix_memalign _Znwm; do
            if echo "$names" | grep -qx "$name"; then
                echo "$program defines $name: it would win over LD_PRELOAD"
                found=1
            fi
        done
    done
    [ $found -eq 0 ] && echo "no malloc in: $*"
    exit $found
    ;;
without)
    [ $# -ge 3 ] || usage
    checked=$1 library=$2
    shift 2
    stripped=$(mktemp)
    trap 'rm -f "$stripped"' EXIT
    strip --strip-debug -o "$stripped" "$library"  # the debug information names inline functions that are empty
    for name; do
        grep -q -a -e "$name" "$checked" || { echo "$checked has no '$name' either: the name is wrong"; exit 1; }
        if grep -q -a -e "$name" "$stripped"; then
            echo "$library contains '$name', which only the checked build may have"
            exit 1
        fi
    done
    echo "$library: none of: $*"
    ;;
*) usage ;;
esac
