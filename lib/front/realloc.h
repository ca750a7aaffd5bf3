// realloc behind the public one: in place, or by moving the block.
// Thread-safety: any thread.
// Errors: NULL and ENOMEM, and the block stays as it was.
#ifndef HAK_FRONT_REALLOC_H
#define HAK_FRONT_REALLOC_H

#include "base/compiler.h"

// p may be NULL, and size 0.
void* realloc_block(void* p, size_t size);

#endif
