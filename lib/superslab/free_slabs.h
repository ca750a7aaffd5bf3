// The free slabs of SuperSlabs in use. Warm ones are taken first; the longest free go back to the system first.
//
//   free_slabs: bit i set = slab i may be taken      dirty_slabs: bit i set = slab i may hold something else than zeros
//   free_slab_totals.dirty == sum over the SuperSlabs in the list of bits in free_slabs & dirty_slabs
//
// In guard mode two slabs of each SuperSlab are never taken: closed gaps, which bound how far a program can write past
// its blocks unnoticed.
// With HAKMEM_TINY_USE_SUPERSLAB=0 a unit is only address space: each slab is mapped when it is taken, and unmapped
// when it is given back.
// Thread-safety: under heap_lock.
// Errors: 0 or false if the system refuses.
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
// Takes a free slab of the SuperSlab that most recently got one back; 0: none. *clean: it reads as zero.
SlabNumber free_slabs_take(bool* clean);
// Marks the slab free. true: now all slabs of its SuperSlab are free.
bool free_slabs_put(SlabNumber s);
// Adds all slabs of a unit that becomes a SuperSlab. false: the system refuses.
bool free_slabs_add(UnitNumber u);
// Removes all slabs of a SuperSlab, which must be free, so that its unit can serve something else. false: the unit must
// stay, and is listed again.
bool free_slabs_remove(UnitNumber u);

// Purges up to `most` free slabs, the longest free first. true: it purged some.
bool free_slabs_purge(uint64_t most);
// Purges the surplus: as many free dirty slabs as there were at least at any time since the last call, less `reserved`
// bytes. Splits a huge page only if most of it is free.
void free_slabs_purge_surplus(uint64_t reserved);

// Number of violated invariants of the list and of the totals, each described on stderr.
size_t free_slabs_check(void);

// In a copy of the process, where the lists may be half changed: from now on no slab is free; counts the taken ones
// anew.
void free_slabs_forget(void);

#endif
