#include "guard/live.h"

#include "front/block.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "slab/run_map.h"

// The page run whose canary is being read. Who frees it leaves it open.
static _Atomic(const void*) looked_at;

bool guard_is_looked_at(const void* block) {
    atomic_thread_fence(memory_order_seq_cst);  // after the block's state was changed; pairs with the one in check_run
    return load_relaxed(&looked_at) == block;
}

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

// A freed page run is closed. One thread at a time reads them; another one leaves them out.
static void check_run(const GuardPlace* place) {
    const void* none = NULL;
    if (!cas_relaxed(&looked_at, &none, (const void*)place->block)) return;
    atomic_thread_fence(memory_order_seq_cst);  // pairs with the one in guard_is_looked_at
    check_live(place);
    store_release(&looked_at, NULL);  // after the reads
}

static void check_live_of(SlabNumber s) {
    char* at = slab_address(s);
    GuardPlace place = guard_place(at);
    uint32_t used = place.record ? load_relaxed(&place.slab->used) : 0;
    bool runs = place.record && place.block_size == HAK_GUARD_PAGE && !block_is_of_class(at);
    for (uint32_t i = 0; i < used; i++, place.record++, place.block += place.block_size)
        if (runs)
            check_run(&place);
        else
            check_live(&place);
}

void guard_check_slab(SlabNumber s) {
    bool of_class = tag_is_class(word_tag(load_relaxed(&hak_heap.owner[s])));
    for (unsigned i = 0; i < (of_class ? 1 : SLABS_PER_UNIT); i++) check_live_of(s + i);
}
