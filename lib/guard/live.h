// The canaries of live blocks, looked at while the program holds the blocks.
// Thread-safety: as said. Errors: a damaged one is fatal.
#ifndef HAK_GUARD_LIVE_H
#define HAK_GUARD_LIVE_H

#include "base/compiler.h"

// Of a slab or SuperSlab of page runs that the caller owns, or that stands still.
void guard_check_slab(uint32_t slab);

#endif
