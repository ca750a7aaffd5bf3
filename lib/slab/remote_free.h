// Frees blocks of any slab. If the slab is the caller's, or has no owner and so becomes the caller's, they go onto its
// free list; otherwise onto its remote stack.
//
//   R0 owner word ── mine, or nobody's: claim ──> slab_free_chain
//                └── another's ──> R2 remote word ── U: its owner is between two instructions ──> again
//                                                └── R3 push
//
// Thread-safety: any thread.
// Errors: a double free that shows in the words is fatal.
#ifndef HAK_SLAB_REMOTE_FREE_H
#define HAK_SLAB_REMOTE_FREE_H

#include "thread/tcb.h"

// Frees `count` blocks of slab `s`, chained first..last. A push is the last access to the slab.
void remote_free(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count);
// Frees one block of any slab, or a page run. For blocks that come out of caches.
void block_free(HakTcb* me, void* block);

#endif
