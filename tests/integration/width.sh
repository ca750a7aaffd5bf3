#!/bin/sh
# scripts/check_width.py refuses a line of 121 columns, names it, and lets 120 pass, whatever the bytes.
# usage: width.sh ROOT       the folder that holds scripts
set -eu
root=${1:?usage: width.sh ROOT}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0
mkdir -p "$copy/docs" "$copy/results/kept"

columns() { # columns NUMBER CHARACTER
    python3 -c 'import sys; print(sys.argv[2] * int(sys.argv[1]))' "$1" "$2"
}

# what STATUS LINE WHY: of the files below the copy
what() {
    status=0
    "$root/scripts/check_width.py" "$copy" >"$copy/results/kept/out" 2>&1 || status=$?
    if [ "$status" -eq "$1" ] && grep -q "$2" "$copy/results/kept/out"; then
        echo "ok: $3"
    else
        echo "FAILED: $3"
        cat "$copy/results/kept/out"
        failed=1
    fi
}

columns 120 x >"$copy/docs/a.md"
columns 120 ü >>"$copy/docs/a.md"
columns 121 x >"$copy/results/kept/data.json"
echo "https://example.org/$(columns 120 x)" >>"$copy/docs/a.md"
what 0 ' 0 lines too long' "120 columns, an address, and data pass"
columns 121 ü >>"$copy/docs/a.md"
what 1 '^docs/a.md:4: 121 columns' "121 columns are refused"
echo "https://example.org/ $(columns 121 x)" >"$copy/docs/a.md"
what 1 '^docs/a.md:1: ' "a long line with an address in it is refused"
exit $failed
