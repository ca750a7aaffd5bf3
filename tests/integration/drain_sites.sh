#!/bin/sh
# scripts/check_drain_sites.sh accepts the sources as they are, and refuses a copy in which somebody breaks the rule.
# usage: drain_sites.sh ROOT       the folder that holds lib and scripts
set -eu
root=${1:?usage: drain_sites.sh ROOT}
check=$root/scripts/check_drain_sites.sh
"$check" "$root/lib"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0

# must_refuse NAME FILE TEXT: the sources with a function added to FILE
must_refuse() {
    rm -rf "$copy/lib"
    cp -r "$root/lib" "$copy/lib"
    printf '\n%s\n' "$3" >>"$copy/lib/$2"
    if "$check" "$copy/lib" >"$copy/out" 2>&1; then
        echo "FAILED: not refused: $1 in $2"
        failed=1
    elif ! grep -q "$2:[0-9]*: .* not one of the functions" "$copy/out"; then
        echo "FAILED: refused for another reason: $1 in $2:"
        cat "$copy/out"
        failed=1
    else
        echo "ok, refused: $1"
    fi
}

must_refuse "a store to an owner word" slab/slab.c \
    'void steal(SlabNumber s) {
    store_release(owner_word(s), 0);
}'
must_refuse "a compare-and-swap of an owner word, by way of the table" thread/tcb.c \
    'bool take(SlabNumber s, uint64_t old, uint64_t me) {
    return cas_acquire(&hak_heap.owner[s], &old, me);
}'
must_refuse "an owner word behind a pointer" slab/slab.c \
    'void alias(SlabNumber s) {
    _Atomic uint64_t* word = owner_word(s);
    store_relaxed(word, 0);
}'
must_refuse "a drain outside remote_drain" slab/slab.c \
    'uint64_t drain(SlabNumber s) {
    return exchange_acquire(
        remote_word(s), 0);
}'
must_refuse "a drain beside remote_drain, in its own file" slab/remote.c \
    'uint64_t drain_unowned(SlabNumber s) {
    return exchange_acquire(remote_word(s), REMOTE_EMPTY);
}'
must_refuse "a plain assignment to an owner word" slab/slab.c \
    'void assign(SlabNumber s) {
    hak_heap.owner[s] = 0;
}'
must_refuse "an owned slab that nobody claimed" slab/slab.c \
    'OwnedSlab assume(SlabNumber s) {
    return (OwnedSlab){s};
}'
must_refuse "an owned slab by designated initialiser" slab/remote.c \
    'OwnedSlab assume(SlabNumber s) {
    OwnedSlab slab = {.number = s};
    return slab;
}'
must_refuse "an owned slab by assignment" slab/slab.c \
    'OwnedSlab assume(SlabNumber s) {
    OwnedSlab slab = {0};
    slab.number = s;
    return slab;
}'
must_refuse "an owned slab by pointer cast" slab/slab.c \
    'OwnedSlab assume(SlabNumber* s) {
    return *(OwnedSlab*)s;
}'
must_refuse "a SuperSlab of page runs that nobody claimed" front/large.c \
    'OwnedRuns assume(SlabNumber s) {
    return (OwnedRuns){.head = {.number = s}};
}'
must_refuse "a free list through the table" refill/give_back.c \
    'void leak(SlabNumber s) {
    hak_heap.meta[s].freelist = 0;
}'
must_refuse "a free list through a peek" front/free.c \
    'void leak(SlabNumber s) {
    ((TinySlabMeta*)peek_own(s))->freelist = 0;
}'
must_refuse "a count of used blocks by an owner" slab/hand_over.c \
    'void forget(OwnedSlab slab) {
    meta_count(meta_of(slab), -1, 0);
}'
must_refuse "a cut that is none" refill/refill.c \
    'void cut(OwnedSlab slab) {
    store_relaxed(&meta_of(slab)->carved, (uint16_t)0);
}'
must_refuse "the address of a count" slab/run.c \
    'void alias(OwnedSlab slab) {
    _Atomic uint32_t* blocks = &meta_of(slab)->blocks;
    store_relaxed(blocks, 0u);
}'
must_refuse "the meta of a slab that has begun as if it were new" slab/slab.c \
    'uint32_t peek(SlabNumber s) {
    return meta_of_new(s)->block_size;
}'
must_refuse "a meta by way of the table of units" refill/refill.c \
    'uint32_t peek(UnitNumber u) {
    return hak_heap.unit_meta[u].slab[3].block_size;
}'
exit $failed
