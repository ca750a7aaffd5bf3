// Of the family in malloc.c what guard mode uses beside the fast paths: unguarded, and for arguments that were looked at.
// Thread-safety: any thread. Errors: NULL and ENOMEM.
#ifndef HAK_FRONT_INNER_H
#define HAK_FRONT_INNER_H

#include "base/compiler.h"

// alignment: a power of two.
void* malloc_aligned(size_t alignment, size_t size);
void* malloc_zeroed(size_t bytes);
// Bytes of a block that is not NULL; what is no block is fatal.
size_t usable_bytes(const void* p);

#endif
