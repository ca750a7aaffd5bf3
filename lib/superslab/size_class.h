// Sizes to classes and back. Pure functions. geometry.h describes the classes.
//   worst internal waste: 15 bytes up to 256 B, 11.1 % from there to 8 KiB, 20.3 % to 16 KiB
#ifndef HAK_SUPERSLAB_SIZE_CLASS_H
#define HAK_SUPERSLAB_SIZE_CLASS_H

#include "superslab/geometry.h"

#define DOUBLING_MAX ((size_t)8192)  // largest size of the classes that are eight per doubling
#define SMALL_STEP 128u              // all classes above TINY_MAX are multiples of it

// size <= SMALL_MAX
HAK_INLINE unsigned class_of_size(size_t size) {
    if (size <= CLASS_LAST_LINEAR * 16) return size == 0 ? CLASS_FIRST : (unsigned)((size + 15) / 16);
    if (size > DOUBLING_MAX) return CLASS_LAST_DOUBLING + 8 - (unsigned)(SLAB_SIZE / align_up(size, SMALL_STEP));
    unsigned doubling = log2_floor(size - 1);
    return CLASS_LAST_LINEAR + 1 + (doubling - 8) * 8 + (unsigned)((size - 1) >> (doubling - 3) & 7);
}

HAK_INLINE uint32_t size_of_class(unsigned c) {
    if (c <= CLASS_LAST_LINEAR) return c * 16;
    if (c > CLASS_LAST_DOUBLING) return (uint32_t)align_down(SLAB_SIZE / (8 - (c - CLASS_LAST_DOUBLING)), SMALL_STEP);
    unsigned above = c - CLASS_LAST_LINEAR - 1, doubling = above / 8;
    return (256u << doubling) + ((above % 8 + 1) << (5 + doubling));
}

// Blocks of a class in one slab.
HAK_INLINE uint16_t class_capacity(unsigned c) {
    return (uint16_t)(SLAB_SIZE / size_of_class(c));
}

// For each class: 2^32 / its size, rounded up. 0 for class 0, so that no block of it starts anywhere.
extern HAK_INTERNAL const uint32_t hak_class_part[CLASS_COUNT];

// Whether a block of the class starts `offset` bytes, less than 64 KiB, into a slab: one multiplication.
// Source: D. Lemire, O. Kaser, N. Kurz, "Faster remainder by direct computation" (2019).
HAK_INLINE bool class_has_start(unsigned c, uint32_t offset) {
    return offset * hak_class_part[c] < hak_class_part[c];
}

// Where a malloc of every size up to TINY_MAX looks for a block: the offset of a bin, which the fast path gets with one
// load. It is the tag of the class (class * 16), unless tags_count_mallocs was called.
extern HAK_INTERNAL _Atomic uint16_t hak_tag_of_tiny[TINY_MAX + 1];

// Tag of every size from TINY_MAX to SMALL_MAX, by (size - 1) / SMALL_STEP. Lower entries are not used.
extern HAK_INTERNAL const uint16_t hak_tag_of_small[SMALL_MAX / SMALL_STEP];
// Up to this size a malloc is a hit if there is a block: SMALL_MAX, unless tags_count_mallocs was called.
extern HAK_INTERNAL _Atomic size_t hak_small_hits;

// Sends mallocs elsewhere: up to TINY_MAX, to the bin at `offset` + the tag of the class; beyond, none is a hit. Any
// thread may malloc meanwhile.
void tags_count_mallocs(uint16_t offset);
// All as before.
void tags_count_no_more(void);

#endif
