// Huge blocks: whole units, without a header; their size stands in the unit table.
//
//   | unit first: size, length | unit | unit (its tail is never touched, hence costs address space only) |
//
// Where address space is short, tails are unmapped (tails.h).
// Thread-safety: takes heap_lock; a block's own entries are touched by whoever holds the block. Errors: NULL or false, no memory.
#ifndef HAK_SUPERSLAB_HUGE_H
#define HAK_SUPERSLAB_HUGE_H

#include "superslab/heap.h"

// alignment: a power of two. zero: the block reads as zero; what the system has cleared is not cleared again.
void* huge_alloc(size_t size, size_t alignment, bool zero);
void huge_free(SlabNumber s);
size_t huge_size(SlabNumber s);
// The block with its contents at a size beyond RUN_MAX: in place, or moved by page tables. NULL: neither was possible.
void* huge_resize(SlabNumber s, size_t size);

#endif
