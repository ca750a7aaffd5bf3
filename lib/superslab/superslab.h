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

// A free slab of an existing SuperSlab. *clean: it reads as zero.
SlabNumber superslab_take_slab(bool* clean);
// A slab of a new SuperSlab. used_up: other slabs are cut to their ends, mostly; then huge pages may be worth their memory.
SlabNumber superslab_make(bool used_up, bool* clean);
void superslab_give_slab(SlabNumber s);

// A whole unit for page runs, for a thread that has `beside` of them: its first slab's number. *clean: it reads as zero.
SlabNumber superslab_make_runs(uint32_t beside, bool* clean);
void superslab_give_runs(SlabNumber s);

// In a copy of the process whose heap_lock another thread held: what was free when it was made is never used again there, since it may
// be half changed. What is in use stays whole.
void superslab_forget_free(void);

// Under heap_lock: purges up to `most` free slabs of live SuperSlabs, the longest-free first; true: some went.
bool superslab_purge_free_slabs(uint64_t most);
// Under heap_lock: purges the free slabs, but `reserve` bytes of them, that were there all the time since the call before: the
// least number that was free and dirty in between. Of a huge page only where most of it is free.
void superslab_purge_surplus(uint64_t reserve);

#endif
