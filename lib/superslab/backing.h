// The memory behind units. If the program has locked all its future memory (mlockall(MCL_FUTURE)), the system fills
// each new mapping at once, so memory mapped ahead of need, or behind a block's end, would become resident. There the
// memory is mapped without access, marked to be locked page by page as it is touched, and then made accessible.
// Thread-safety: under heap_lock, except backing_fill.
// Errors: false, and nothing is mapped.
#ifndef HAK_SUPERSLAB_BACKING_H
#define HAK_SUPERSLAB_BACKING_H

#include "base/compiler.h"

// Fresh zeroed memory at exactly `at`. On failure *occupied says whether something else is mapped there.
bool backing_map(void* at, size_t bytes, bool* occupied);
// Makes the pages of a block that was just mapped resident if there is room, as mlockall(MCL_FUTURE) promised.
void backing_fill(void* at, size_t bytes);

#endif
