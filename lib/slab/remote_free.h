// Frees blocks of any slab, whoever owns it by now: into an own slab, or one without owner, which becomes the caller's; else onto the remote
// stack.
//
//   R0 owner word ── mine, or nobody's: claim ──> slab_free_chain
//                └── another's ──> R2 remote word ── U: its owner is between two instructions ──> again
//                                                └── R3 push
//
// Thread-safety: any thread. Errors: a block freed twice that the words betray is fatal.
#ifndef HAK_SLAB_REMOTE_FREE_H
#define HAK_SLAB_REMOTE_FREE_H

#include "thread/tcb.h"

// `count` blocks of slab `s`, chained first..last. No access to the slab after the blocks are handed over.
void remote_free(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count);
// One block of any slab, or page run. For blocks out of caches.
void block_free(HakTcb* me, void* block);

#endif
