// Words for a list of blocks: "b, e, then 0x6261".
// Thread-safety: the process's only running thread.
// Errors: what has no room is left out.
#ifndef EXPLORE_TELL_LISTS_H
#define EXPLORE_TELL_LISTS_H

#include "tell/states.h"

#include <stddef.h>

// "empty" for a list without blocks. A block without name is told by its number in the slab: "#7".
void list_describe(const BlockList* list, char* out, size_t size);

#endif
