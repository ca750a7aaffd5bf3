// The free slabs of SuperSlabs in use: taken warm before cold, given back to the system the longest-free first.
//
//   free_slabs: bit i set = slab i may be taken       dirty_slabs: bit i set = slab i may hold something else than zeros
//   free_slab_totals.dirty == sum over the SuperSlabs in the list of bits in free_slabs & dirty_slabs
//
// With HAKMEM_TINY_USE_SUPERSLAB=0 a unit is address space only: every slab is mapped when taken and unmapped when given back.
// Thread-safety: under heap_lock. Errors: 0 or false when the system refuses.
#ifndef HAK_SUPERSLAB_FREE_SLABS_H
#define HAK_SUPERSLAB_FREE_SLABS_H

#include "superslab/heap.h"

typedef struct {
    uint32_t taken;  // slabs of SuperSlabs that are not free
    uint32_t dirty;  // free slabs that still occupy memory
} FreeSlabTotals;

extern HAK_INTERNAL FreeSlabTotals free_slab_totals;

// Whether each slab is a mapping of its own.
bool slabs_are_mappings(void);
// A free slab of the SuperSlab that most recently got one back; 0: none. *clean: it reads as zero.
SlabNumber free_slabs_take(bool* clean);
// The slab is free again. true: all of its SuperSlab are.
bool free_slabs_put(SlabNumber s);
// All slabs of a unit, which is to be a SuperSlab. false: the system refuses.
bool free_slabs_add(UnitNumber u);
// None of a SuperSlab, all of which are free: its unit can serve for something else. false: it must stay, without slabs.
bool free_slabs_remove(UnitNumber u);

// Purges up to `most` free slabs, the longest-free first; true: some went.
bool free_slabs_purge(uint64_t most);
// Purges the free slabs, but `reserved` bytes of them, that were there all the time since the call before: the least number that was
// free and dirty in between. Of a huge page only where most of it is free.
void free_slabs_purge_surplus(uint64_t reserved);

// In a copy of the process, where the lists may be half changed: no slab is free any more, and the taken ones are counted anew.
void free_slabs_forget(void);

#endif
