#!/bin/sh
# scripts/check_layers.py refuses a copy of the sources with an include that goes up, or with a circle of calls.
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

# must_refuse_circle TREE UNIT UNIT: both get a function that calls the other's.
must_refuse_circle() {
    rm -rf "${copy:?}/$1"
    cp -r "$root/$1" "$copy/$1"
    declarations='int planted_here(int n); int planted_there(int n);'
    echo "$declarations int planted_here(int n) { return n > 0 ? planted_there(n - 1) : 0; }" >>"$copy/$1/$2.c"
    echo "$declarations int planted_there(int n) { return n > 0 ? planted_here(n - 1) : 0; }" >>"$copy/$1/$3.c"
    if "$root/scripts/check_layers.py" --circles "$1" "$copy/$1" >"$copy/out" 2>&1 ||
        ! grep -q "circle of calls:.* $2 .*$3" "$copy/out" || ! grep -q " $2 -> $3:.*planted_there" "$copy/out"; then
        echo "FAILED: not refused: $1/$2 and $1/$3 call each other"
        failed=1
    else
        echo "ok, refused: $1/$2 and $1/$3 call each other"
    fi
}

must_refuse superslab/heap.c slab/slab.h
must_refuse base/bits.h os/os.h
must_refuse slab/slab.h refill/refill.h
must_refuse observe/counters.h superslab/heap.h
must_refuse refill/refill.c front/fastpath.h
must_refuse os/os_linux.c no/such/file.h
must_refuse_circle lib os/cgroup os/vdso
exit $failed
