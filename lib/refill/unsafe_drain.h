// The old order of steps at the six sites, which the six changes mended: what a missing change does. In the checked build alone.
//
//   right:    claim, and heed the answer      -> bind -> drain
//   changes 1, 2 missing:   drain                              whoever owns the slab
//   changes 3-6 missing:    drain -> bind -> claim             and ignore the answer
//
// Nothing else is altered and nothing is planted: the remote stack is taken whole, and pushed onto the free list block by block as its
// owner would. While the owner stands still, that leaves the heap sound, but for a full slab, which stays among the full ones; when it does
// not, both write one free list.
// A slab without owner has nothing to drain, so whatever is drained here belongs to somebody else.
// Thread-safety: none, on purpose. Errors: with HAKMEM_DEBUG_OWNERSHIP the drain is reported and the process aborts instead.
#ifndef HAK_REFILL_UNSAFE_DRAIN_H
#define HAK_REFILL_UNSAFE_DRAIN_H

#include "config/changes.h"
#include "slab/ownership.h"

#if HAK_CHECKED
// Drains the slabs that others own in the SuperSlab of the slab of the class that was bound last.
void unsafe_drain_superslab(HakTcb* me, Change missing, unsigned size_class);
// Drains slab `s` of the class and binds it, if somebody else owns it, its free list is empty and blocks wait. Else number 0: the
// right path is taken.
OwnedSlab unsafe_drain_and_bind(HakTcb* me, Change missing, unsigned size_class, SlabNumber s);
// The same for every slab of that SuperSlab and the next: as the gate walked over its candidates.
OwnedSlab unsafe_drain_and_bind_any(HakTcb* me, Change missing, unsigned size_class);
#else
HAK_INLINE OwnedSlab unsafe_drain_and_bind_any(HakTcb* me, Change missing, unsigned size_class) {
    (void)me, (void)missing, (void)size_class;
    return (OwnedSlab){0};
}
HAK_INLINE void unsafe_drain_superslab(HakTcb* me, Change missing, unsigned size_class) {
    (void)me, (void)missing, (void)size_class;
}
HAK_INLINE OwnedSlab unsafe_drain_and_bind(HakTcb* me, Change missing, unsigned size_class, SlabNumber s) {
    (void)me, (void)missing, (void)size_class, (void)s;
    return (OwnedSlab){0};
}
#endif

#endif
