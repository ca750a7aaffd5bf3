// The allocators on this machine, found by the file names that distributions use.
// Thread-safety: none needed. Errors: one that is not installed is left out.
#ifndef HAKSTRESS_ALLOCATORS_H
#define HAKSTRESS_ALLOCATORS_H

#include <limits.h>
#include <stddef.h>

enum { ALLOCATORS_MOST = 8 };

struct allocator {
    const char* name;
    char path[PATH_MAX];  // "": the C library's own, nothing to preload
};

// Fills in at most ALLOCATORS_MOST of them: the C library's first, then libhakmem. Returns how many.
size_t allocators_find(struct allocator out[ALLOCATORS_MOST]);

#endif
