#!/bin/sh
# scripts/check_glossary.py refuses documents that name what does not exist, and says in which line.
# usage: glossary.sh ROOT       the folder that holds docs, lib and scripts
set -eu
root=$(cd "${1:?usage: glossary.sh ROOT}" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0
none=nonesuch # the names are put together here, since the check looks for them in this file, too

for folder in cli include tests scripts; do ln -s "$root/$folder" "$copy/$folder"; done
cp -r "$root/docs" "$root/lib" "$copy/"

# name DOCUMENT NAME: in backticks, in a last line of its own
name() {
    printf '\nSee `%s`.\n' "$2" >>"$copy/$1"
    echo "$1:$(wc -l <"$copy/$1"): $2" >>"$copy/wanted"
}

name docs/GLOSSARY.md "slab_$none()"
name docs/GLOSSARY.md "TinySlabMeta.owner"
name docs/GLOSSARY.md "early_$none"
name docs/ARCHITECTURE.md "HAKMEM_TINY_$(echo $none | tr a-z A-Z)"
name docs/ARCHITECTURE.md "lib/slab/$none.{h,c}"
name docs/OWNERSHIP.md "slab_publish, remote_$none[slab]"
name docs/OWNERSHIP.md "--mutation --$none"
name lib/README.md "slab/$none.h"

if "$root/scripts/check_glossary.py" "$copy" >"$copy/out" 2>&1; then
    echo "FAILED: nothing was refused"
    failed=1
fi
while read -r where what; do
    if grep -q "^$where " "$copy/out"; then
        echo "ok, refused: $where $what"
    else
        echo "FAILED: not refused: $where $what"
        failed=1
    fi
done <"$copy/wanted"
if [ "$(grep -c ': `' "$copy/out")" -ne "$(wc -l <"$copy/wanted")" ]; then
    echo "FAILED: not only these were refused:"
    cat "$copy/out"
    failed=1
fi
exit $failed
