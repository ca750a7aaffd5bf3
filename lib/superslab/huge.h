// Huge blocks: whole units, without a header. Their size is in the unit table.
//
//   | unit first: size, length | unit | unit (its tail is never touched, hence costs address space only) |
//
// When address space is short, tails are unmapped (tails.h).
// Thread-safety: takes heap_lock. The entries of a block's units are its holder's, who reads `size` and writes `dirty`
// without the lock. Others change `cut` alone, under the lock (tails.h).
// Errors: NULL or false: no memory.
#ifndef HAK_SUPERSLAB_HUGE_H
#define HAK_SUPERSLAB_HUGE_H

#include "superslab/heap.h"

// alignment: a power of two. zero: the block reads as zero; memory that the system has cleared is not cleared again.
void* huge_alloc(size_t size, size_t alignment, bool zero);
// false: another thread freed it first.
bool huge_free(SlabNumber s);
size_t huge_size(SlabNumber s);
// Resizes the block to more than RUN_MAX bytes, in place or by moving its pages. NULL: neither was possible.
void* huge_resize(SlabNumber s, size_t size);

#endif
