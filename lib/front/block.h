// What the tables say of a pointer: whether a block starts there, and how long it is.
// Thread-safety: any thread, for a block that it holds.
// Errors: as said.
#ifndef HAK_FRONT_BLOCK_H
#define HAK_FRONT_BLOCK_H

#include "superslab/heap.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"

// Bytes of a block; 0: p is not one, as far as the tables say.
size_t block_bytes(const void* p);
// Whether a block is of a size class.
HAK_INLINE bool block_is_of_class(const void* block) {
    return tag_is_class(word_tag(load_relaxed(&hak_heap.owner[slab_number_of(block)])));
}
// Whether a block may start at p, which is in a slab of the tag's class.
HAK_INLINE bool is_start_in_class(const void* p, uint64_t tag) {
    return class_has_start((unsigned)(tag / TAG_PER_CLASS), (uint32_t)(uintptr_t)p % SLAB_SIZE);  // slabs are aligned
}
HAK_INLINE bool block_is_huge(const void* block) {
    return word_tag(load_relaxed(&hak_heap.owner[slab_number_of(block)])) == TAG_HUGE;
}
// Whether a block of ours may start at p, in use or not; false outside of the heap.
bool is_block_start(const void* p);
// For the last words about a pointer that is no block: whether it is one without its uppermost byte, where a program
// may keep a tag (the processor ignores the byte on aarch64). "" otherwise.
const char* tag_words(const void* p);

#endif
