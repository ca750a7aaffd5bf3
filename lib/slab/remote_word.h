// The remote word of a slab: what other threads have freed into it.
//
//   63        48 47                      4 3     0
//   | count     | address of first block  | flags |
//
//   0               owned, nothing there
//   count, first    owned, `count` blocks chained by links
//   REMOTE_UNOWNED  nobody owns the slab: no push is allowed, claim it instead
//
// The flag stands alone: with it there are no blocks. Only the owner sets it; a claim of the slab clears it.
#ifndef HAK_SLAB_REMOTE_WORD_H
#define HAK_SLAB_REMOTE_WORD_H

#include "superslab/heap.h"

#define REMOTE_EMPTY UINT64_C(0)
#define REMOTE_UNOWNED UINT64_C(1)
#define REMOTE_POINTER UINT64_C(0x0000fffffffffff0)

HAK_INLINE _Atomic uint64_t* remote_word(SlabNumber s) {
    return &hak_heap.remote[s].word;
}

HAK_INLINE uint32_t remote_count(uint64_t word) {
    return (uint32_t)(word >> 48);
}

HAK_INLINE void* remote_first(uint64_t word) {
    return (void*)(uintptr_t)(word & REMOTE_POINTER);
}

HAK_INLINE uint64_t remote_make(const void* first, uint32_t count) {
    return (uint64_t)count << 48 | (uint64_t)(uintptr_t)first;
}

#endif
