// The state of an extent whose slots are closed by access rights, where each open slot costs two mappings. When those
// run out, extents yield, the oldest first: the whole extent is opened, and is one mapping then. Its blocks keep their
// patterns, but neither neighbours nor freed blocks are closed any more. When its last block is freed, and no slot of
// it waits in a queue, it is closed and free.
//
//   31        30       29 ... 20   19 ... 10                     9 ... 0
//   | yielded | all cut | 0       | slots in the shard's queue | slots in use |
//
// Thread-safety: one atomic word; each function is one step.
// Errors: none.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_PAGE_EXTENT_H
#define HAK_SUPERSLAB_PAGE_EXTENT_H

#include "superslab/page_region.h"

#define EXTENT_YIELDED (UINT32_C(1) << 31)
#define EXTENT_ALL_CUT (UINT32_C(1) << 30)
enum { EXTENT_USED = 1, EXTENT_USED_MASK = 1023, EXTENT_QUEUED = 1 << 10 };

HAK_INLINE bool extent_has_yielded(uint32_t state) {
    return (state & EXTENT_YIELDED) != 0;
}

// Nobody knows a slot of it any more.
HAK_INLINE bool extent_is_over(uint32_t state) {
    return state == (EXTENT_YIELDED | EXTENT_ALL_CUT);
}

// Adds `usual`, or `yielded` if it has yielded. Returns the new state.
HAK_INLINE uint32_t extent_step(HakPageExtent* extent, uint32_t usual, uint32_t yielded) {
    uint32_t state = load_relaxed(&extent->state), now;
    do {
        now = state + (extent_has_yielded(state) ? yielded : usual);
    } while (!cas_acq_rel(&extent->state, &state, now));  // pairs with itself
    return now;
}

// A new slot is cut, for use.
HAK_INLINE void extent_cut(HakPageExtent* extent, bool last) {
    extent_step(extent, EXTENT_USED + (last ? EXTENT_ALL_CUT : 0), 0);
}

// A slot leaves the queue, for use or, if the extent has yielded, for good.
HAK_INLINE uint32_t extent_unqueue(HakPageExtent* extent) {
    return extent_step(extent, (uint32_t)EXTENT_USED - EXTENT_QUEUED, -(uint32_t)EXTENT_QUEUED);
}

// A slot is no longer used, and goes to the queue unless the extent has yielded.
HAK_INLINE uint32_t extent_leave(HakPageExtent* extent) {
    return extent_step(extent, (uint32_t)EXTENT_QUEUED - EXTENT_USED, -(uint32_t)EXTENT_USED);
}

// Returns how many slots in use it had; 0: it does not yield, because it has not `least` of them.
HAK_INLINE uint32_t extent_yield(HakPageExtent* extent, uint32_t least) {
    uint32_t state = load_relaxed(&extent->state);
    do {
        if (!(state & EXTENT_ALL_CUT) || extent_has_yielded(state) || (state & EXTENT_USED_MASK) < least) return 0;
    } while (!cas_acq_rel(&extent->state, &state, state | EXTENT_YIELDED));  // pairs with those in extent_step
    return state & EXTENT_USED_MASK;
}

#endif
