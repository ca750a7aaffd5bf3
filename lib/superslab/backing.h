// The memory behind units: asked for with care where the program has locked what it will map (mlockall(MCL_FUTURE)). There the system
// fills each new mapping at once, and what is mapped ahead of need, or beyond a block's end, would all be resident. So it is mapped
// closed, told to be locked page by page as it is touched, and opened then.
// Thread-safety: under heap_lock, but backing_fill. Errors: false, and nothing is mapped.
#ifndef HAK_SUPERSLAB_BACKING_H
#define HAK_SUPERSLAB_BACKING_H

#include "base/compiler.h"

// Fresh zeroed memory at exactly `at`. On failure *occupied tells whether something else is mapped there.
bool backing_map(void* at, size_t bytes, bool* occupied);
// What the program was promised by mlockall(MCL_FUTURE): the pages of a block that has just been mapped are resident, if there is room.
void backing_fill(void* at, size_t bytes);

#endif
