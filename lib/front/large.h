// Blocks beyond the size classes: page runs up to RUN_MAX, huge blocks of whole units beyond.
// Thread-safety: any thread. Errors: NULL or false when there is no memory; errno is the caller's affair.
#ifndef HAK_FRONT_LARGE_H
#define HAK_FRONT_LARGE_H

#include "thread/tcb.h"

// alignment: a power of two, at least 1. zero: the block reads as zero.
void* large_alloc(HakTcb* me, size_t size, size_t alignment, bool zero);
// Page runs only; `s` is the slab number of the block. Huge blocks: huge.h.
void run_free(HakTcb* me, void* block);
// Grows or shrinks a page run where it stands; false: it must be copied.
bool run_resize_in_place(HakTcb* me, void* block, size_t size);

#endif
