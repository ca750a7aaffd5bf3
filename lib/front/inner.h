// Of the family in malloc.c and free.c what guard mode and others.h use beside the fast paths: unguarded, for arguments that were
// looked at.
// Thread-safety: any thread. Errors: NULL and ENOMEM.
#ifndef HAK_FRONT_INNER_H
#define HAK_FRONT_INNER_H

#include "base/compiler.h"

// The last words about a pointer that is no block.
HAK_COLD HAK_NORETURN void invalid_block(const void* p);
// alignment: a power of two.
void* malloc_aligned(size_t alignment, size_t size);
void* malloc_zeroed(size_t bytes);
// Bytes of a block that is not NULL; what is no block is fatal.
size_t usable_bytes(const void* p);
// Whether p is where a block of ours may start, in use or not; false for what lies outside of the heap.
bool is_block_start(const void* p);

#endif
