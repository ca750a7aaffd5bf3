// The remote stack of a slab: how threads free into slabs of others, and how the owner takes what they freed.
// Source of the stack: R. K. Treiber, "Systems Programming: Coping with Parallelism" (1986); the consumer takes all at once, so
// there is no ABA problem.
// Thread-safety: remote_free by anybody; the others by the owner, which the OwnedSlab shows. Errors: none.
#ifndef HAK_SLAB_REMOTE_H
#define HAK_SLAB_REMOTE_H

#include "slab/ownership.h"

typedef struct {
    void* first;
    uint32_t count;
} RemoteBlocks;

// Takes the whole remote stack; count 0: nothing was there.
RemoteBlocks remote_drain(HakTcb* me, OwnedSlab slab);

HAK_INLINE bool remote_has_blocks(OwnedSlab slab) {
    return load_relaxed(remote_word(slab.number)) > REMOTE_UNOWNED;
}

// Frees `count` blocks of slab `s`, chained first..last, wherever the slab is by now: pushed onto its remote stack, or, if it
// has no owner, claimed and freed locally. No access to the slab after the blocks are handed over.
void remote_free(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count);

// Frees one block of any slab, through whichever way it needs. For blocks out of caches.
void block_free(HakTcb* me, void* block);

#endif
