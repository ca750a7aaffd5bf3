// SuperSlabs: a unit cut into 32 slabs, or into 512 pages for page runs. Its owner knows what a taken slab holds.
//
//   a SuperSlab without a taken slab goes back to the free units
//
// Thread-safety: takes heap_lock.
// Errors: 0 if there is no memory.
#ifndef HAK_SUPERSLAB_SUPERSLAB_H
#define HAK_SUPERSLAB_SUPERSLAB_H

#include "superslab/closed.h"

extern HAK_INTERNAL uint32_t superslab_count;  // units of slabs and of page runs; under heap_lock

// Takes a free slab of an existing SuperSlab. *clean: it reads as zero.
SlabNumber superslab_take_slab(bool* clean);
// Takes a slab of a new SuperSlab. used_up: most slabs are cut to their ends, so huge pages may be worth their memory.
SlabNumber superslab_make(bool used_up, bool* clean);
void superslab_give_slab(SlabNumber s);

// Takes a whole unit for page runs, for a thread that has `beside` of them. Returns its first slab. *clean: it reads as
// zero.
SlabNumber superslab_make_runs(uint32_t beside, bool* clean);
void superslab_give_runs(RunPages runs);

#if HAK_CHECKED
// Takes a unit that nobody may read or write. 0: none. Nothing is a slab there.
UnitNumber superslab_take_closed_unit(void);
void superslab_give_closed_unit(UnitNumber u);
#endif

// In a copy of the process whose heap_lock another thread held: free memory may be half changed, and is never used
// again. Memory in use is whole and stays.
void superslab_forget_free(void);

#endif
