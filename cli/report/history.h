// What the rings still know about one block or one slab, from all threads, in order of time.
// Thread-safety: none needed. Errors: if nothing is known, the history is empty.
#ifndef HAKSTRESS_HISTORY_H
#define HAKSTRESS_HISTORY_H

#include "report/rings.h"

// Its mallocs and frees, and what was seen of its link, in order of time. Returns how many.
size_t history_of_block(const struct ring_reader* rings, uint64_t block, size_t most, struct ring_event* out);
// Who claimed it, gave it up, allocated from it and drained it.
size_t history_of_slab(const struct ring_reader* rings, uint32_t slab, size_t most, struct ring_event* out);

// {"of", "address" or "slab", "complete_since", "events"}; NULL: nothing is known.
json_t* history_of_block_json(const struct ring_reader* rings, const char* of, uint64_t block, size_t most);
json_t* history_of_slab_json(const struct ring_reader* rings, const char* of, uint32_t slab, size_t most);

#endif
