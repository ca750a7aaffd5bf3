// What a call may still do, in about as many instructions. What gives back piles of blocks stops when nothing is left,
// and a later call goes on: so no malloc and no free takes long, whatever has piled up.
// Thread-safety: the caller's own. Errors: none.
#ifndef HAK_REFILL_EFFORT_H
#define HAK_REFILL_EFFORT_H

#include "base/compiler.h"

#include <stdint.h>

typedef struct {
    int64_t left;
} Effort;

// The scenarios of the explorer look at what a scan does, not at when.
enum {
    EFFORT_OF_CALL = HAK_EXPLORED ? 1 << 30 : 11500,
    EFFORT_BLOCK = 24,
    EFFORT_CLASS = 220,
    EFFORT_RUN = 250,
    EFFORT_SLAB = 400,
    EFFORT_ABSORB = 6500,  // a few runs that others freed
    EFFORT_PURGE = 6500,   // a turn
};

// For those who want all of it: a thread that ends, a program that trims or has rested, a system without memory.
#define EFFORT_ALL ((Effort){INT64_MAX})

HAK_INLINE bool effort_is_all(const Effort* effort) {
    return effort->left > EFFORT_OF_CALL;
}

// Whether there is that much left. If so, it is gone then.
HAK_INLINE bool effort_takes(Effort* effort, int64_t some) {
    if (effort->left < some) return false;
    effort->left -= some;
    return true;
}

HAK_INLINE bool effort_ends(const Effort* effort) {
    return effort->left <= 0;
}

#endif
