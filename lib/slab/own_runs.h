// The SuperSlabs of page runs that a thread owns: takes runs from any of them, and what others freed into them.
// Thread-safety: the calling thread, for itself.
// Errors: NULL or false if no run is free; the caller decides what that means.
#ifndef HAK_SLAB_OWN_RUNS_H
#define HAK_SLAB_OWN_RUNS_H

#include "slab/run.h"

// Takes a run of `pages` pages from one of the thread's SuperSlabs, at a multiple of `align` pages. block NULL: none.
Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align);
// Absorbs what others freed into all of the thread's SuperSlabs.
void run_absorb_all(HakTcb* me);
// The same for at most `most`, from where it stopped the last time to the end of the list. It stops behind the first
// into which others freed, as that may be much. true: there was one.
bool run_absorb_in_turn(HakTcb* me, uint32_t most);
// The same for one of those of which others have told. Then, call by call, for a few more at a time.
void run_absorb_some(HakTcb* me);
HAK_INLINE bool run_may_absorb(const HakTcb* me) {
    uint32_t any = me->absorb_ends;
    for (unsigned i = 0; i < PUSHED_RUNS; i++) any |= load_relaxed(&me->runs_pushed[i]);
    return any != 0;
}
// Caches a run of more than RUN_SHORT_MOST pages. If there are too many, or they are too large, the oldest make room.
// false: the run is too long, or a short one.
bool run_cache_keep_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages);
// Gives the cached runs back to their SuperSlabs.
void run_cache_flush(HakTcb* me);
// Gives back the cached runs longer than RUN_SHORT_MOST, and those of the idle SuperSlab, which stays the thread's.
// false: there was none.
bool run_cache_flush_some(HakTcb* me);

#endif
