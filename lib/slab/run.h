// Page runs: blocks of more than 16 KiB and up to 1 MiB. Each is a run of pages in a SuperSlab that one thread owns.
// The SuperSlab is owned, given up, adopted and freed into like a slab: the owner word, meta and remote stack of its
// first slab stand for the whole.
//
//   used == pages of all blocks == 512 - pages of all free runs
//   live == used - pages in the owner's cache; where live == 0, the SuperSlab is idle
//   where freed memory is closed, free pages are, and the gap behind each block; nothing is cached there
//
// Thread-safety: the owner alone, as the OwnedRuns proves.
// Errors: a pointer that is not, or is no longer, the start of a block is fatal.
#ifndef HAK_SLAB_RUN_H
#define HAK_SLAB_RUN_H

#include "slab/places.h"

typedef struct {
    void* block;  // NULL: none
    bool zero;    // all of it reads as zero
} Run;

// Sets up the meta and map of a new SuperSlab, whose first slab is s.
void runs_init(SlabNumber s, bool clean);
// Takes a run of `pages` pages, at a multiple of `align` pages, where the caller has found that it fits. block NULL:
// the system does not open it.
Run runs_take(HakTcb* me, OwnedRuns runs, RunFit fit, uint32_t pages, uint32_t align);
// Gives back the pages of a block.
void runs_free(HakTcb* me, OwnedRuns runs, void* block);
// The same for chained blocks.
void runs_free_chain(HakTcb* me, OwnedRuns runs, void* first);
// Grows or shrinks a block in place. false: there is no room.
bool runs_resize(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages);

HAK_INLINE bool runs_has_space(OwnedRuns runs) {
    return meta_used(meta_of(runs.head)) != PAGES_PER_UNIT;
}

// Whether nothing of the SuperSlab is used except what is cached.
HAK_INLINE bool runs_is_idle(OwnedRuns runs) {
    return run_map(runs)->live == 0;
}

// Pages in the owner's cache.
HAK_INLINE uint32_t runs_cached(OwnedRuns runs) {
    return meta_used(meta_of(runs.head)) - run_map(runs)->live;
}

size_t runs_check(SlabNumber s);  // as slab_check

#endif
