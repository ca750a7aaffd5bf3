// The whole heap of a process at rest: what is in use, by size class, and which free lists are damaged.
// Thread-safety: none needed. Errors: NULL if the heap cannot be read.
#ifndef HAKSTRESS_HEAP_STATE_H
#define HAKSTRESS_HEAP_STATE_H

#include "report/heap_view.h"

#include <stdio.h>

// {"slabs", "used_blocks", "used_bytes", "huge_blocks", "classes": [{"bytes", "slabs", "used", "free"}],
// "damaged": [{"slab", "address", "bytes", "why"}]}. Used: handed out, or in the cache of a thread.
json_t* heap_state_json(struct heap_view* view);
void heap_state_print(const json_t* state, FILE* out);

#endif
