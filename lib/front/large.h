// Blocks beyond the size classes: page runs up to RUN_MAX, huge blocks of whole units beyond.
// Thread-safety: any thread. Errors: NULL or false when there is no memory; errno is the caller's affair.
#ifndef HAK_FRONT_LARGE_H
#define HAK_FRONT_LARGE_H

#include "slab/run_cache.h"

// Pages of the run for `size` bytes. A cached run is more often of the length that is asked for if lengths are few; pages at the end that
// nobody touches cost address space only.
HAK_INLINE uint32_t large_pages(size_t size) {
    return run_length(size <= PAGE_SIZE_BYTES ? 1 : (uint32_t)((size + PAGE_SIZE_BYTES - 1) >> PAGE_SHIFT));
}

// alignment: a power of two, at least 1. zero: the block reads as zero.
void* large_alloc(HakTcb* me, size_t size, size_t alignment, bool zero);
// Grows or shrinks a page run where it stands; false: it must be copied.
bool run_resize_in_place(HakTcb* me, void* block, size_t size);

#endif
