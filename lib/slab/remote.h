// The remote stack of a slab: how threads free into slabs of others, and how the owner takes what they freed.
// Source of the stack: R. K. Treiber, "Systems Programming: Coping with Parallelism" (1986); the consumer takes all at once, so
// there is no ABA problem.
// Thread-safety: remote_push by anybody; the others by the owner, which the OwnedSlab shows. Errors: none.
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

// Pushes the chain first..last of `count` blocks of a slab that somebody owns. false: it turned out to have no owner. No access to the
// slab after the blocks are handed over.
bool remote_push(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count);

#endif
