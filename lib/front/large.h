// Blocks above the size classes: page runs up to RUN_MAX, huge blocks of whole units above.
// Thread-safety: any thread.
// Errors: NULL or false if there is no memory; the caller sets errno.
#ifndef HAK_FRONT_LARGE_H
#define HAK_FRONT_LARGE_H

#include "slab/run_cache.h"

// Pages of the run for `size` bytes. With fewer lengths, a cached run more often has the one that is asked for. Unused
// pages at the end cost only address space.
HAK_INLINE uint32_t large_pages(size_t size) {
    return run_length(size <= PAGE_SIZE_BYTES ? 1 : (uint32_t)((size + PAGE_SIZE_BYTES - 1) >> PAGE_SHIFT));
}

// alignment: a power of two, at least 1. zero: the block reads as zero.
void* large_alloc(HakTcb* me, size_t size, size_t alignment, bool zero);
// Grows or shrinks a page run in place. false: it must be copied.
bool run_resize_in_place(HakTcb* me, void* block, size_t size);

#endif
