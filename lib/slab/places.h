// A slab's place with its owner: which of the owner's lists it is in, or none. Only places.c changes `where` and these
// lists.
//
//   NONE      in no list: on its way, or about to be given up
//   FULL      slabs of large blocks without a free one (slab.h)
//   BOUND     the slab that refills of its class take from
//   PARTIAL   slabs with blocks to give: free ones, uncut ones, or what others freed into them; SuperSlabs of page
//             runs, full or not
//
//   tiny[c].partial_count == slabs in that list, partial_free == sum of their free blocks
//   tiny[c].full_count == slabs in that list
//   partial_slabs == sum of partial_count      run_superslabs == SuperSlabs in `runs`
//
// Thread-safety: the owner alone.
// Errors: none.
#ifndef HAK_SLAB_PLACES_H
#define HAK_SLAB_PLACES_H

#include "slab/run_map.h"

typedef enum { PLACE_NONE, PLACE_FULL, PLACE_BOUND, PLACE_PARTIAL } SlabPlace;

void slab_place(HakTcb* me, OwnedSlab slab, SlabPlace place);
// place: PLACE_NONE or PLACE_PARTIAL. The free runs of a SuperSlab in the list are in lists of their own (free_runs.h).
void runs_place(HakTcb* me, OwnedRuns runs, SlabPlace place);
// Whether refills take from the slab.
HAK_INLINE bool slab_gives(const TinySlabMeta* meta) {
    return meta->where == PLACE_BOUND || meta->where == PLACE_PARTIAL;
}

// The fullest SuperSlab of page runs, except `but`, among the first sixteen; 0: none.
SlabNumber runs_fullest(const HakTcb* me, SlabNumber but);

#endif
