// SuperSlabs: a unit cut into 32 slabs, or into 512 pages for page runs. What a taken slab holds is its owner's affair.
//
//   a SuperSlab without a taken slab goes back to the free units
//
// Thread-safety: takes heap_lock. Errors: 0 when there is no memory.
#ifndef HAK_SUPERSLAB_SUPERSLAB_H
#define HAK_SUPERSLAB_SUPERSLAB_H

#include "superslab/heap.h"

extern HAK_INTERNAL uint32_t superslab_count;  // units of slabs and of page runs; under heap_lock

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

#endif
