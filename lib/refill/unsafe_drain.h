// The wrong order of steps at the six sites, before the six changes: what a missing change does. Checked build only.
//
//   right:    claim, and heed the answer      -> bind -> drain
//   changes 1, 2 missing:   drain                              whoever owns the slab
//   changes 3-6 missing:    drain -> bind -> claim             and ignore the answer
//
// Nothing else is altered and no fault is planted: the remote stack is taken whole and pushed onto the free list, block
// by block, as its owner would do. While the owner stands still, the heap stays sound, except that a full slab stays
// among the full ones. Otherwise both write one free list.
// A slab without owner has nothing to drain, so whatever is drained here belongs to another thread.
// Thread-safety: none, on purpose.
// Errors: with HAKMEM_DEBUG_OWNERSHIP the drain is reported, and the process aborts instead.
#ifndef HAK_REFILL_UNSAFE_DRAIN_H
#define HAK_REFILL_UNSAFE_DRAIN_H

#include "config/changes.h"
#include "slab/ownership.h"

#if HAK_CHECKED
// In the SuperSlab of the slab of the class that was bound last: drains the slabs that others own.
void unsafe_drain_superslab(HakTcb* me, Change missing, unsigned size_class);
// Drains slab `s` of the class and binds it, if another thread owns it, its free list is empty and blocks wait.
// Otherwise number 0: the right path is taken.
OwnedSlab unsafe_drain_and_bind(HakTcb* me, Change missing, unsigned size_class, SlabNumber s);
// The same for the slabs of that SuperSlab and the next, as the gate walked over its candidates.
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
