// The SuperSlabs of page runs that a thread owns: a run from any of them, and what others freed into them.
// Thread-safety: the calling thread, for itself. Errors: NULL or false when no run is free; what memory that is not there means is the caller's.
#ifndef HAK_SLAB_OWN_RUNS_H
#define HAK_SLAB_OWN_RUNS_H

#include "slab/run.h"

// A run of `pages` pages in one of the thread's SuperSlabs, its address a multiple of `align` pages. block NULL: none has one free.
Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align);
// Takes what others freed into the thread's SuperSlabs, at most `most` of them. true: something was there.
bool run_absorb(HakTcb* me, uint32_t most);
// A run of more than RUN_SHORT_MOST pages into the cache, in place of the oldest, if there are too many or they are too large. false: it is
// too long.
bool run_cache_keep_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages);
// Gives the cached runs back to their SuperSlabs.
void run_cache_flush(HakTcb* me);
// Those longer than RUN_SHORT_MOST, and those of the idle SuperSlab, which stays the thread's. false: there was none.
bool run_cache_flush_some(HakTcb* me);

#endif
