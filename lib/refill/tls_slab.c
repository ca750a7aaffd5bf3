#include "config/options.h"
#include "refill/refill.h"

// Of the first few slabs with free blocks one that has some more of them: a refill for one block costs as much as one for many.
static SlabNumber good_partial(const TinyTLSSlab* tls) {
    enum { LOOK_AT = 4, ENOUGH = 8 };
    SlabNumber best = tls->partial;
    int looked = 0;
    for (SlabNumber s = best; s && looked < LOOK_AT; s = hak_heap.meta[s].next, looked++) {
        if (hak_heap.meta[s].free_count >= ENOUGH) return s;
        if (hak_heap.meta[s].free_count > hak_heap.meta[best].free_count) best = s;
    }
    return best;
}

// Recycled blocks before new ones: the bound slab is cut further only when nothing else is at hand.
OwnedSlab refill_tls_slab(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    OwnedSlab bound = {0};
    ClaimResult result;
    if (HAK_LIKELY(tls->bound)) {
        bound = slab_claim(me, tls->bound, tag_for(size_class), &result);
        if (meta_of(bound)->free_count || remote_has_blocks(bound)) return bound;
    }
    if (tls->partial) return refill_candidate(me, size_class, good_partial(tls));
    if (bound.number && slab_has_blocks(bound) && !(registry_has(size_class) && hak_option(ss_adopt))) return bound;
    tcb_count(me, tls->bound ? HAK_C_early_no_free : HAK_C_early_empty);
    return (OwnedSlab){0};
}
