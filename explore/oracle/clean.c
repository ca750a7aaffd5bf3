#include "oracle/clean.h"

#include "runtime/memory.h"
#include "runtime/scheduler.h"
#include "slab/run_map.h"
#include "slab/slab.h"
#include "superslab/owner_word.h"

static uint64_t offset_of(const void* at) {
    return (uint64_t)(uintptr_t)at - ARENA;
}

static void check_range(const char* what, uint32_t number, const void* first, size_t bytes) {
    const uint64_t from = offset_of(first), found = memory_find_bytes(from, from + bytes);
    if (found != NOT_TRACKED)
        run_fault("clean", "%s %u counts as clean, and holds bytes other than zero at offset %lu", what, number,
                  (unsigned long)(found - from));
}

// Of a slab in use: what was never cut.
static void check_uncut(SlabNumber s) {
    const TinySlabMeta* meta = peek_any(s);
    const size_t cut = (size_t)load_relaxed(&meta->carved) * meta->block_size;
    if (meta->clean) check_range("the uncut part of slab", s, (char*)slab_address(s) + cut, SLAB_SIZE - cut);
}

static void check_slabs(UnitNumber u) {
    const Unit* unit = &hak_heap.unit[u];
    for (uint32_t i = 0; i < SLABS_PER_UNIT; i++) {
        const SlabNumber s = first_slab(u) + i;
        if (unit->free_slabs & ~unit->dirty_slabs & 1u << i)
            check_range("free slab", s, slab_address(s), SLAB_SIZE);
        else if (tag_is_class(word_tag(load_relaxed(owner_word(s)))))
            check_uncut(s);
    }
}

static void check_runs(UnitNumber u) {
    const size_t used = (size_t)run_map_at(first_slab(u))->clean_from << PAGE_SHIFT;
    check_range("the unused part of SuperSlab", u, (char*)unit_address(u) + used, UNIT_SIZE - used);
}

void clean_check(void) {
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        const Unit* unit = &hak_heap.unit[u];
        if (unit->kind == UNIT_SLABS) check_slabs(u);
        if (unit->kind == UNIT_RUNS) check_runs(u);
        if (unit->kind == UNIT_FREE && !unit->dirty && !unit->absent)
            check_range("free unit", u, unit_address(u), UNIT_SIZE);
    }
}
