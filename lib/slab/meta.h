// Who may reach the meta of a slab (superslab/heap.h): its owner, whose right an OwnedSlab shows; everybody else by a peek, which is const
// and says why it may read.
//
//   OwnedSlab   made by slab_claim, slab_if_mine and slab_own alone (slab/ownership.h); whatever is the owner's right takes one
//
// Thread-safety: as said at each. Errors: none.
#ifndef HAK_SLAB_META_H
#define HAK_SLAB_META_H

#include "superslab/heap.h"

typedef struct {
    SlabNumber number;  // 0: none, or the claim was refused
} OwnedSlab;

HAK_INLINE TinySlabMeta* meta_of(OwnedSlab slab) {
    return &hak_heap.meta[slab.number];
}

// Of a slab that was just taken from its SuperSlab: nobody else can see it before its owner word is written.
HAK_INLINE TinySlabMeta* meta_of_new(SlabNumber s) {
    return &hak_heap.meta[s];
}

// Of a slab that the caller owns, as it is bound or in one of the caller's lists: nobody else writes it.
HAK_INLINE const TinySlabMeta* peek_own(SlabNumber s) {
    return &hak_heap.meta[s];
}

// Of anybody's slab: `blocks` and `carved` are atomic, and true at some time. What else is read must stand still: the process has one
// thread, or the slab has no owner and its registry is locked.
HAK_INLINE const TinySlabMeta* peek_any(SlabNumber s) {
    return &hak_heap.meta[s];
}

#endif
