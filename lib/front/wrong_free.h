// What is said of a free or realloc that is wrong, and what follows: abort; with HAKMEM_ON_ERROR=report these functions
// return, and the caller leaves the call undone.
// Thread-safety: any thread, in no operation, also in a signal handler. errno is kept.
// Errors: none.
#ifndef HAK_FRONT_WRONG_FREE_H
#define HAK_FRONT_WRONG_FREE_H

#include "base/compiler.h"

// The pointer is not the start of a block in use: finds out what it is.
HAK_COLD void wrong_pointer(const char* site, const void* p);
// Bytes of a block, which is not NULL; 0: it is not one, and that was reported.
size_t usable_bytes(const char* site, const void* p);
// The block is free already. where: how that is known.
HAK_COLD void wrong_use_of_free(const char* check, const char* site, const void* block, const char* where);

#endif
