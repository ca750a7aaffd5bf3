#include "guard/live.h"

#include "front/block.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "slab/run_map.h"

// Another thread may free or resize the block at any moment. Damage counts only if the record is still the same after.
static void check_live(const GuardPlace* place) {
    uint64_t word = load_acquire(&place->record->word), clock = place->record->alloc_clock;
    if (guard_state(word) != HAK_GUARD_LIVE) return;
    size_t bytes = block_is_of_class(place->block) ? place->block_size : run_pages(place->block) * PAGE_SIZE_BYTES;
    if (bytes < guard_size(word) || guard_canary_is_whole(place->block, guard_size(word), bytes)) return;
    atomic_thread_fence(memory_order_acquire);
    if (load_relaxed(&place->record->word) != word || place->record->alloc_clock != clock) return;
    fault_canary("hak_check", place, bytes);
}

static void check_live_of(SlabNumber s) {
    char* at = slab_address(s);
    GuardPlace place = guard_place(at);
    uint32_t used = place.record ? load_relaxed(&place.slab->used) : 0;
    for (uint32_t i = 0; i < used; i++, place.record++, place.block += place.block_size) check_live(&place);
}

void guard_check_slab(SlabNumber s) {
    bool of_class = tag_is_class(word_tag(load_relaxed(&hak_heap.owner[s])));
    for (unsigned i = 0; i < (of_class ? 1 : SLABS_PER_UNIT); i++) check_live_of(s + i);
}
