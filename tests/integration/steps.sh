#!/bin/sh
# scripts/check_steps.py and scripts/check_reading.py accept the sources, and refuse a copy in which a step or a stop is
# missing.
# usage: steps.sh ROOT       the folder that holds lib, docs, tests and scripts
set -eu
root=${1:?usage: steps.sh ROOT}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

"$root/scripts/check_steps.py" "$root"
"$root/scripts/check_reading.py" "$root"

# must_refuse SCRIPT FILE SED WORDS: with FILE changed by SED, the script says WORDS.
must_refuse() {
    rm -rf "${copy:?}"/*
    mkdir -p "$copy/tests"
    cp -r "$root/lib" "$root/docs" "$copy"
    cp -r "$root/tests/model" "$copy/tests"
    sed -i "$3" "$copy/$2"
    if cmp -s "$copy/$2" "$root/$2"; then
        echo "FAILED: nothing was changed in $2 by $3"
        failed=1
    elif "$root/scripts/$1" "$copy" >"$copy/out" 2>&1 || ! grep -q "$4" "$copy/out"; then
        echo "FAILED: not refused: $2 with $3"
        cat "$copy/out"
        failed=1
    else
        echo "ok, refused: $4"
    fi
}

must_refuse check_steps.py lib/slab/ownership.c '/STEP(A5)/d' 'A5 is no step of the code'
must_refuse check_steps.py lib/slab/ownership.c 's/STEP(A4)/STEP(A9)/' 'A9 is missing'
must_refuse check_steps.py lib/slab/remote.c 's/STEP(R3)/STEP(R3), STEP(R3)/' 'STEP(R3) stands in several places'
must_refuse check_steps.py docs/OWNERSHIP.md '/^- \*\*R2\*\* `remote_push`: load the remote/d' \
    'OWNERSHIP.md: R2 is missing'
must_refuse check_steps.py docs/OWNERSHIP.md 's/^- \*\*C1\*\* `win`: owner/- **C1** `bind`: owner/' \
    'C1 stands in win, not in bind'
must_refuse check_steps.py tests/model/protocol.py 's/^def DT(/def DX(/' 'protocol.py: DT is missing'
must_refuse check_reading.py docs/READING.md 's/`remote_push`/`remote_shove`/' 'has no function remote_shove'
must_refuse check_reading.py docs/READING.md 's#`slab/bundle.c`#`slab/bundles.c`#' 'there is no lib/slab/bundles.c'
exit $failed
