#!/bin/sh
# scripts/check_layers.py refuses a copy of the sources with an include that goes up, or with a circle of calls.
# usage: layers.sh ROOT       the folder that holds lib and scripts
set -eu
root=${1:?usage: layers.sh ROOT}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

# must_refuse TREE FILE HEADER: the file includes the header.
must_refuse() {
    rm -rf "${copy:?}/$1"
    cp -r "$root/$1" "$copy/$1"
    echo "#include \"$3\"" >>"$copy/$1/$2"
    if "$root/scripts/check_layers.py" "$copy/$1" >"$copy/out" 2>&1 || ! grep -q "$2:" "$copy/out"; then
        echo "FAILED: not refused: $1/$2 includes $3"
        failed=1
    else
        echo "ok, refused: $1/$2 includes $3"
    fi
}

# must_accept TREE: what is there is not refused, or the refusals below would show nothing.
must_accept() {
    if "$root/scripts/check_layers.py" "$root/$1" >"$copy/out" 2>&1; then
        echo "ok, accepted: $1"
    else
        cat "$copy/out"
        echo "FAILED: $1 is refused as it is"
        failed=1
    fi
}

# must_refuse_circle TREE UNIT UNIT: both get a function that calls the other's.
must_refuse_circle() {
    rm -rf "${copy:?}/$1"
    cp -r "$root/$1" "$copy/$1"
    declarations='int planted_here(int n); int planted_there(int n);'
    echo "$declarations int planted_here(int n) { return n > 0 ? planted_there(n - 1) : 0; }" >>"$copy/$1/$2.c"
    echo "$declarations int planted_there(int n) { return n > 0 ? planted_here(n - 1) : 0; }" >>"$copy/$1/$3.c"
    if "$root/scripts/check_layers.py" "$copy/$1" >"$copy/out" 2>&1 ||
        ! grep -q "circle of calls:.* $2 .*$3" "$copy/out" || ! grep -q " $2 -> $3:.*planted_there" "$copy/out"; then
        echo "FAILED: not refused: $1/$2 and $1/$3 call each other"
        failed=1
    else
        echo "ok, refused: $1/$2 and $1/$3 call each other"
    fi
}

must_accept lib
must_accept cli
must_refuse lib superslab/heap.c slab/slab.h
must_refuse lib base/bits.h os/os.h
must_refuse lib slab/slab.h refill/refill.h
must_refuse lib count/counters.h superslab/heap.h
must_refuse lib observe/ring.c superslab/heap.h
must_refuse lib front/malloc.c guard/guard.h
must_refuse lib refill/refill.c front/fastpath.h
must_refuse lib os/os_linux.c no/such/file.h
must_refuse cli base/nearest.h args/args.h
must_refuse cli report/rings.c supervise/supervisor.h
must_refuse cli record/load.h compare/plan.h
must_refuse cli process/procmaps.c binary/build_id.h
must_refuse_circle lib os/cgroup os/vdso
must_refuse_circle lib slab/ownership slab/slab
must_refuse_circle cli args/args args/profile
must_refuse_circle cli report/history report/signals

# A call goes up where no include does: by a declaration of one's own.
rm -rf "$copy/cli"
cp -r "$root/cli" "$copy/cli"
echo 'int child_main(int, char**); int planted(void) { return child_main(0, 0); }' >>"$copy/cli/base/number.c"
if "$root/scripts/check_layers.py" "$copy/cli" >"$copy/out" 2>&1 ||
    ! grep -q '^base/number: must not call child/child: child_main' "$copy/out"; then
    echo "FAILED: not refused: cli/base/number calls child_main"
    failed=1
else
    echo "ok, refused: cli/base/number calls child_main"
fi
exit $failed
