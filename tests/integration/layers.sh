#!/bin/sh
# scripts/check_layers.py refuses a copy of the sources with an include that goes up.
# usage: layers.sh ROOT       the folder that holds lib and scripts
set -eu
root=${1:?usage: layers.sh ROOT}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

must_refuse() {
    rm -rf "$copy/lib"
    cp -r "$root/lib" "$copy/lib"
    echo "#include \"$2\"" >>"$copy/lib/$1"
    if "$root/scripts/check_layers.py" "$copy/lib" >"$copy/out" 2>&1 || ! grep -q "$1:" "$copy/out"; then
        echo "FAILED: not refused: $1 includes $2"
        failed=1
    else
        echo "ok, refused: $1 includes $2"
    fi
}

must_refuse superslab/heap.c slab/slab.h
must_refuse base/bits.h os/os.h
must_refuse slab/slab.h refill/refill.h
must_refuse count/counters.h superslab/heap.h
must_refuse refill/refill.c front/fastpath.h
must_refuse os/os_linux.c no/such/file.h
exit $failed
