// The remote stack of a slab: other threads push the blocks that they free, and the owner takes them.
// Source of the stack: R. K. Treiber, "Systems Programming: Coping with Parallelism" (1986). The owner takes the whole
// stack at once, so there is no ABA problem.
// Thread-safety: anybody calls remote_push; the owner the others, as the OwnedSlab proves.
// Errors: none.
#ifndef HAK_SLAB_REMOTE_H
#define HAK_SLAB_REMOTE_H

#include "slab/ownership.h"

typedef struct {
    void* first;
    uint32_t count;
} RemoteBlocks;

// Takes the whole remote stack; count 0: it was empty.
RemoteBlocks remote_drain(HakTcb* me, OwnedSlab slab);

HAK_INLINE bool remote_has_blocks(OwnedSlab slab) {
    return load_relaxed(remote_word(slab.number)) > REMOTE_UNOWNED;
}

// Whether the stack holds the block. Pushes go on in front of what this looks at.
bool remote_has(OwnedSlab slab, const void* block);

// Whether the block is the one that was pushed last. Anybody may ask. If the caller seems to hold the block, then it
// does not: the block is free.
HAK_INLINE bool remote_begins_with(SlabNumber s, const void* block) {
    return remote_first(load_relaxed(remote_word(s))) == block;
}

// Pushes the chain first..last of `count` blocks of a slab that somebody owns. false: nothing was pushed, because
// the slab has no owner, or its owner is between two steps of a claim or a publication. The push is the last access to
// the slab.
bool remote_push(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count);

#endif
