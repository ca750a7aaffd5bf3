// Who may reach the meta of a slab (superslab/heap.h). The owner does, and proves its right by an OwnedSlab. Others use
// a peek, which is const and says why it may read. Three more files reach it: ownership.c for the registry, slab_list.h
// for links, and run_map.h for the map of page runs.
//
//   OwnedSlab   only ownership.h and ownership.c make one (slab_claim, slab_adopt_registered, slab_if_mine, slab_own),
//               and unsafe_drain.c for a missing change; whatever only the owner may do takes one
//
// Thread-safety: as said at each.
// Errors: none.
#ifndef HAK_SLAB_META_H
#define HAK_SLAB_META_H

#include "superslab/heap.h"

typedef struct {
    SlabNumber number;  // 0: none, or the claim was refused
} OwnedSlab;

HAK_INLINE TinySlabMeta* meta_of(OwnedSlab slab) {
    return &hak_heap.meta[slab.number];
}

// For a slab that was just taken from its SuperSlab: nobody else can see it before its owner word is written.
HAK_INLINE TinySlabMeta* meta_of_new(SlabNumber s) {
    return &hak_heap.meta[s];
}

// For a slab that the caller owns, because it is bound or in one of the caller's lists: nobody else writes the meta.
HAK_INLINE const TinySlabMeta* peek_own(SlabNumber s) {
    return &hak_heap.meta[s];
}

// For anybody's slab. `blocks` and `carved` are atomic: what is read was true at some time. Other fields must stand
// still while they are read: the process has one thread, or the slab has no owner and its registry is locked.
HAK_INLINE const TinySlabMeta* peek_any(SlabNumber s) {
    return &hak_heap.meta[s];
}

#endif
