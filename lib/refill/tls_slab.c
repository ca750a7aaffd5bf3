#include "refill/stages.h"

#include "refill/candidate.h"
#include "refill/unsafe_drain.h"

// Of the first few partial slabs, the fullest, so that the others become empty and can be given back. But it must have
// some free blocks, because a refill of one block costs as much as a refill of many. If none has, the one with most.
static SlabNumber good_partial(const TinyTLSSlab* tls) {
    enum { PROBES = 8, SOME = 8 };
    SlabNumber fullest = 0, most = tls->partial;
    uint32_t half = peek_own(most)->capacity / 2u, some = half < SOME ? half : SOME;
    int probed = 0;
    for (SlabNumber s = most; s && probed < PROBES; s = peek_own(s)->next, probed++) {
        uint32_t free_count = meta_free(peek_own(s));
        if (free_count > meta_free(peek_own(most))) most = s;
        if (free_count >= some && (fullest == 0 || free_count < meta_free(peek_own(fullest)))) fullest = s;
    }
    return fullest ? fullest : most;
}

// A full slab into which others have freed since; 0: none.
static SlabNumber refreshed(const TinyTLSSlab* tls) {
    SlabNumber s = tls->full;
    while (s && remote_count(load_relaxed(remote_word(s))) == 0) s = peek_own(s)->next;
    return s;
}

// Recycled blocks come before new ones: the slab is cut further only if none of the lists probed has any.
OwnedSlab refill_tls_slab(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    OwnedSlab bound = bound_slab(me, size_class);
    if (HAK_LIKELY(bound.number) && (meta_free(meta_of(bound)) || remote_has_blocks(bound))) return bound;
    SlabNumber partial = tls->partial ? good_partial(tls) : 0;
    if (partial && meta_free(peek_own(partial))) return refill_candidate(me, size_class, partial);
    SlabNumber full = refreshed(tls);
    if (full) return refill_candidate(me, size_class, full);
    if (partial) return refill_candidate(me, size_class, partial);
    if (bound.number && slab_has_blocks(bound)) return bound;
    if (change_is_missing(CHANGE_superslab_refill)) unsafe_drain_superslab(me, CHANGE_superslab_refill, size_class);
    tcb_count(me, tls->bound ? HAK_C_early_no_free : HAK_C_early_empty);
    return (OwnedSlab){0};
}
