// Checks the canaries of live blocks, which the program holds.
// Thread-safety: as said.
// Errors: a damaged canary is fatal.
#ifndef HAK_GUARD_LIVE_H
#define HAK_GUARD_LIVE_H

#include "base/compiler.h"

// For a slab, or a SuperSlab of page runs, that the caller owns or that stands still.
void guard_check_slab(uint32_t slab);
// Whether a thread is reading the canary of a page run, or may be about to. Its record must not say LIVE any more.
bool guard_is_looked_at(const void* block);

#endif
