// SuperSlabs: a unit cut into 32 slabs, or into 512 pages for page runs. This file knows which slabs are free; what a taken
// slab holds is its owner's affair.
//
//   free_slabs: bit i set = slab i may be taken       a SuperSlab without a taken slab goes back to the free units
//
// With HAKMEM_TINY_USE_SUPERSLAB=0 a unit is address space only: every slab is mapped when taken and unmapped when given back.
// Thread-safety: takes heap_lock. Errors: 0 when there is no memory.
#ifndef HAK_SUPERSLAB_SUPERSLAB_H
#define HAK_SUPERSLAB_SUPERSLAB_H

#include "superslab/heap.h"

typedef struct {
    uint32_t superslabs;        // units of slabs and of page runs
    uint32_t slabs;             // slabs taken
    uint32_t free_dirty_slabs;  // free slabs of live SuperSlabs that still occupy memory
    uint32_t huge_units;
} SuperSlabTotals;

extern HAK_INTERNAL SuperSlabTotals superslab_totals;  // under heap_lock

// A free slab of an existing SuperSlab. *clean: its memory reads as zero.
SlabNumber superslab_take_slab(bool* clean);
// A slab of a new SuperSlab.
SlabNumber superslab_make(bool* clean);
void superslab_give_slab(SlabNumber s);

// A whole unit for page runs: its first slab's number.
SlabNumber superslab_make_runs(bool* clean);
void superslab_give_runs(SlabNumber s);

// Under heap_lock: purges all free slabs of live SuperSlabs; true: some went.
bool superslab_purge_free_slabs(void);
// Under heap_lock: purges up to `most` of those that have been free for longest.
void superslab_purge_coldest_slabs(uint32_t most);

#endif
