#include "front/suspect.h"

#include "config/zero.h"
#include "count/counters.h"
#include "front/block.h"
#include "front/wrong_free.h"
#include "slab/bundle.h"
#include "slab/run_map.h"
#include "slab/slab.h"
#include "thread/operation.h"

#include <string.h>

// --- where it is

static const char on_remote_stack[] = "it is on the remote stack of its slab";

static const char* place_in_slab(OwnedSlab slab, const void* block, bool run) {
    if (remote_has(slab, block)) return on_remote_stack;
    return !run && slab_lists(slab, block) ? "it is on the free list of its slab" : NULL;
}

// In what the caller may read; NULL: not there.
static const char* place_of_class(const HakTcb* me, SlabNumber s, uint64_t tag, const void* block) {
    const TlsBin* counted = counted_bin((unsigned)(tag / TAG_PER_CLASS));
    if (bin_has(fast_bin(tag), block) || (counted && bin_has(counted, block))) return "it is in this thread's TLS SLL";
    if (bundle_has(me, s, block)) return "this thread freed it, and it waits in a bundle for its slab's owner";
    OwnedSlab slab = slab_if_mine(me, s, tag);
    return slab.number ? place_in_slab(slab, block, false) : NULL;
}

static const char* place_of_run(const HakTcb* me, const void* block) {
    OwnedRuns runs = runs_if_mine(me, run_first_slab(block));
    return runs.head.number ? place_in_slab(runs.head, block, true) : NULL;
}

// A caller that cannot begin an operation may have interrupted one that is changing its lists.
static const char* place_in_lists(SlabNumber s, uint64_t tag, const void* block) {
    HakTcb* me = operation_begin();
    if (me == NULL) return NULL;
    const char* where = tag_is_class(tag) ? place_of_class(me, s, tag, block) : place_of_run(me, block);
    operation_end(me);
    return where;
}

static const char* place_of(const void* block) {
    SlabNumber s = (SlabNumber)slab_number_of(block);
    uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[s]));
    if (remote_begins_with(tag_is_class(tag) ? s : run_first_slab(block), block)) return on_remote_stack;
    return place_in_lists(s, tag, block);
}

// --- set aside

// The address of the block, and 16 bits of its first word, to see whether that has changed.
//   63              48 47            0
//   | of the word     | address      |       0: no block
enum { ADDRESS_BITS = 48 };

static uint64_t aside_make(const void* block) {
    uint64_t word = *(const uint64_t*)block;
    word ^= word >> 32;
    return (word ^ word >> 16) << ADDRESS_BITS | (uint64_t)(uintptr_t)block;
}

static void* aside_block(uint64_t aside) {
    return (void*)(uintptr_t)(aside & ((UINT64_C(1) << ADDRESS_BITS) - 1));
}

enum { PLACES = 256, RUN_PLACES = 4 };
static _Atomic uint64_t places[PLACES], run_places[RUN_PLACES];
static _Atomic uint32_t next_place, next_run_place;

// Takes the place of the block that is there longest, and returns that; 0: the place was empty. The exchange pairs with
// itself: whoever lets the block go sees it as the thread left it that set it aside.
static uint64_t set_aside(const void* block) {
    bool of_class = block_is_of_class(block);
    uint32_t turn = add_relaxed(of_class ? &next_place : &next_run_place, 1u);
    return exchange_acq_rel(of_class ? &places[turn % PLACES] : &run_places[turn % RUN_PLACES], aside_make(block));
}

// The block, if it may be freed after all; else NULL. If its slab is gone, or its word has changed, it is somebody's.
static void* let_go(uint64_t aside) {
    void* block = aside_block(aside);
    if (aside == 0 || !is_block_start(block) || aside_make(block) != aside || place_of(block)) return NULL;
    counter_add_shared(HAK_C_free_let_go, 1);
    return block;
}

// --- the decision

bool suspect_is_reported(const char* check, const char* site, const void* block) {
    const char* where = link_leads_on(block) ? place_of(block) : NULL;
    if (where) wrong_use_of_free(check, site, block, where);
    return where != NULL;
}

// A block that is set aside is free to the program. Its link must stay.
static void clear_behind_link(void* block) {
    enum { LINK = sizeof(uint64_t) };
    memset((char*)block + LINK, 0, block_bytes(block) - LINK);
}

void* suspect_settle(void* block) {
    if (!link_leads_on(block)) return block;
    if (block_is_of_class(block) && !slab_has_cut((SlabNumber)slab_number_of(block), block)) {
        wrong_pointer("free", block);
        return NULL;
    }
    if (suspect_is_reported("double_free", "free", block)) return NULL;
    counter_add_shared(HAK_C_free_set_aside, 1);
    if (zero_is(ZERO_FREE) && block_is_of_class(block)) clear_behind_link(block);
    return let_go(set_aside(block));
}
