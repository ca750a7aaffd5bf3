#!/bin/sh
# Small programs with the library preloaded, under little address space, few open files, a small stack and a closed
# stderr.
# usage: limits.sh LIBHAKMEM.so
set -eu
library=$(realpath "${1:?usage: limits.sh LIBHAKMEM.so}")
failed=0
skipped=0

# run NAME LIMITS PROGRAM EXPECTED [ARGUMENT...]: LIMITS are arguments of ulimit, separated by commas
run() {
    name=$1 limits=$2 program=$3 expected=$4
    shift 4
    if ! command -v "$program" >/dev/null; then
        echo "skipped: $name: $program is not installed"
        skipped=$((skipped + 1))
        return
    fi
    got=$(
        for limit in $(echo "$limits" | tr ',' ' '); do ulimit "${limit%%=*}" "${limit##*=}"; done
        LD_PRELOAD=$library exec timeout 60 "$program" "$@" 2>&1
    ) && status=0 || status=$?
    if [ "$status" -ne 0 ] || [ "$got" != "$expected" ]; then
        echo "FAILED: $name: exit status $status, wrote: $got"
        failed=$((failed + 1))
    else
        echo "ok: $name"
    fi
}

for megabytes in 32 64 200; do
    run "bash in $megabytes MB" "-v=$((megabytes * 1024))" \
        bash 5050 -c 's=0; for i in {1..100}; do s=$((s + i)); done; echo $s'
    run "awk in $megabytes MB" "-v=$((megabytes * 1024))" \
        awk 10000 'BEGIN { for (i = 0; i < 10000; i++) a[i] = "x" i; print length(a) }'
    run "perl in $megabytes MB" "-v=$((megabytes * 1024))" \
        perl 20000 -e 'my %h; $h{$_} = "v$_" for 1..20000; print scalar keys %h'
done
run "bash with a stack of 256 KiB" -s=256 \
    bash done -c 'f() { [ "$1" -gt 0 ] && f $(($1 - 1)) || true; }; f 50; echo done'
run "python3 in 200 MB" "-v=204800" python3 499500 -c 'print(sum(x for x in range(1000)))'

# ls closes its stderr before the statistics are due.
got=$(HAKMEM_STATS=text HAKMEM_STATS_FILE=/no/such/folder/file LD_PRELOAD=$library ls / 2>&1 >/dev/null) || true
case "$got" in
"hakmem: HAKMEM_STATS_FILE: cannot open /no/such/folder/file (error 2)"*"slabs in use"*)
    echo "ok: a file of statistics that cannot be opened"
    ;;
*)
    echo "FAILED: a file of statistics that cannot be opened: $got"
    failed=$((failed + 1))
    ;;
esac

# A program that asks for more than there is must get its own error, not a crash of ours.
got=$(ulimit -v 100000; N=300000000 LD_PRELOAD=$library exec timeout 60 \
    perl -e 'my $n = $ENV{N}; my $x = "y" x $n; print "never"' 2>&1) && status=0 || status=$?
case "$status:$got" in
1:*"Out of memory"*) echo "ok: perl says that memory is out" ;;
*)
    echo "FAILED: perl without memory: exit status $status, wrote: $got"
    failed=$((failed + 1))
    ;;
esac

got=$(LD_PRELOAD=$library exec bash -c 'echo fine' 2>&-) || got="exit status $?"
if [ "$got" = fine ]; then
    echo "ok: stderr closed"
else
    echo "FAILED: stderr closed: $got"
    failed=$((failed + 1))
fi

echo "limits: $failed failed, $skipped skipped"
[ $failed -eq 0 ]
