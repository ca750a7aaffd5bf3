// Sizes to classes and back. Pure functions; see geometry.h for the classes.
//   worst internal waste: 15 bytes up to 1 KiB, 11.1 % from there to 8 KiB
#ifndef HAK_SLAB_SIZE_CLASS_H
#define HAK_SLAB_SIZE_CLASS_H

#include "superslab/geometry.h"

// size <= SMALL_MAX
HAK_INLINE unsigned class_of_size(size_t size) {
    if (size <= TINY_MAX) return size == 0 ? CLASS_FIRST : (unsigned)((size + 15) / 16);
    unsigned doubling = log2_floor(size - 1);
    return CLASS_LAST_TINY + 1 + (doubling - 10) * 8 + (unsigned)((size - 1) >> (doubling - 3) & 7);
}

HAK_INLINE uint32_t size_of_class(unsigned c) {
    if (c <= CLASS_LAST_TINY) return c * 16;
    unsigned above = c - CLASS_LAST_TINY - 1, doubling = above / 8;
    return (1024u << doubling) + ((above % 8 + 1) << (7 + doubling));
}

// Blocks of a class in one slab.
HAK_INLINE uint16_t class_capacity(unsigned c) {
    return (uint16_t)(SLAB_SIZE / size_of_class(c));
}

#endif
