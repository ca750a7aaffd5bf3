// Sizes to classes and back. Pure functions; see geometry.h for the classes.
//   worst internal waste: 15 bytes up to 256 B, 11.1 % from there to 8 KiB
#ifndef HAK_SLAB_SIZE_CLASS_H
#define HAK_SLAB_SIZE_CLASS_H

#include "superslab/geometry.h"

// size <= SMALL_MAX
HAK_INLINE unsigned class_of_size(size_t size) {
    if (size <= CLASS_LAST_LINEAR * 16) return size == 0 ? CLASS_FIRST : (unsigned)((size + 15) / 16);
    unsigned doubling = log2_floor(size - 1);
    return CLASS_LAST_LINEAR + 1 + (doubling - 8) * 8 + (unsigned)((size - 1) >> (doubling - 3) & 7);
}

HAK_INLINE uint32_t size_of_class(unsigned c) {
    if (c <= CLASS_LAST_LINEAR) return c * 16;
    unsigned above = c - CLASS_LAST_LINEAR - 1, doubling = above / 8;
    return (256u << doubling) + ((above % 8 + 1) << (5 + doubling));
}

// Blocks of a class in one slab.
HAK_INLINE uint16_t class_capacity(unsigned c) {
    return (uint16_t)(SLAB_SIZE / size_of_class(c));
}

// Tag (class * 16) of every size up to TINY_MAX: what the fast path needs in one load.
extern HAK_INTERNAL const uint16_t hak_tag_of_tiny[TINY_MAX + 1];

// The same from TINY_MAX to SMALL_MAX, by (size - 1) / SMALL_STEP: all classes there are multiples of that. (Below, nobody looks.)
#define SMALL_STEP 128u
extern HAK_INTERNAL const uint16_t hak_tag_of_small[SMALL_MAX / SMALL_STEP];

#endif
