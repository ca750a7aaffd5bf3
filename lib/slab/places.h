// Where a slab stands with its owner: which of its lists it is in, or none. Nobody else writes `where`, or these lists.
//
//   NONE      in no list: on its way, or about to be given up
//   FULL      slabs of large blocks without a free one (slab.h)          BOUND   the slab that refills of its class take from
//   PARTIAL   slabs with free blocks; SuperSlabs of page runs, by the length of their longest free run
//
//   tiny[c].partial_count == slabs in that list, partial_free == sum of their free blocks, full_count == slabs in that list
//   partial_slabs == sum of partial_count      run_superslabs == SuperSlabs in `runs`
//
// Thread-safety: the owner alone. Errors: none.
#ifndef HAK_SLAB_PLACES_H
#define HAK_SLAB_PLACES_H

#include "slab/run_map.h"

typedef enum { PLACE_NONE, PLACE_FULL, PLACE_BOUND, PLACE_PARTIAL } SlabPlace;

void slab_place(HakTcb* me, OwnedSlab slab, SlabPlace place);
// PLACE_NONE or PLACE_PARTIAL.
void runs_place(HakTcb* me, OwnedRuns runs, SlabPlace place);
// The longest free run has another length from now on: the list depends on it.
void runs_set_longest(HakTcb* me, OwnedRuns runs, uint32_t longest);

// Refills look for blocks there.
HAK_INLINE bool slab_gives(const TinySlabMeta* meta) {
    return meta->where == PLACE_BOUND || meta->where == PLACE_PARTIAL;
}

// The SuperSlab of page runs, but `but`, with the shortest longest run; 0: none.
SlabNumber runs_fullest(const HakTcb* me, SlabNumber but);
// Whether the thread has one, but `but`, with half of its pages in one piece: there is room for nearly whatever comes next.
bool runs_has_spare(const HakTcb* me, SlabNumber but);
bool runs_is_spare(OwnedRuns runs);

#endif
