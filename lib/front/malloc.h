// A malloc that finds no block in its bin, or is for no bin. These are inner functions: no guard stands before them,
// and no other library can replace them.
// Thread-safety: any thread.
// Errors: NULL and ENOMEM.
#ifndef HAK_FRONT_MALLOC_H
#define HAK_FRONT_MALLOC_H

#include "base/compiler.h"

// size <= SMALL_MAX, and the bin is empty.
HAK_NOINLINE HAK_LINE_START void* malloc_refill(size_t size);
// TINY_MAX < size
HAK_NOINLINE HAK_LINE_START void* malloc_above_tiny(size_t size);
// The block reads as zero; TINY_MAX < size.
void* malloc_zeroed_above_tiny(size_t size);
// alignment: a power of two above 16.
void* malloc_aligned(size_t alignment, size_t size);

#endif
