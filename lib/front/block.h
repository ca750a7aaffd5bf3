// What the tables say of a pointer: whether a block starts there, and how long it is.
// Thread-safety: any thread, for a block that it holds.
// Errors: as said.
#ifndef HAK_FRONT_BLOCK_H
#define HAK_FRONT_BLOCK_H

#include "superslab/heap.h"
#include "superslab/owner_word.h"

// Bytes of a block, which is not NULL. A pointer that is not a block is fatal.
size_t usable_bytes(const void* p);
// Whether a block is of a size class.
HAK_INLINE bool block_is_of_class(const void* block) {
    return tag_is_class(word_tag(load_relaxed(&hak_heap.owner[slab_number_of(block)])));
}
// Whether a block of ours may start at p, in use or not; false outside of the heap.
bool is_block_start(const void* p);

#endif
