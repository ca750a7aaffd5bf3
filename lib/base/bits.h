// Arithmetic on powers of two. All functions are pure. `align` is a power of two.
#ifndef HAK_BASE_BITS_H
#define HAK_BASE_BITS_H

#include "base/compiler.h"

HAK_INLINE bool is_pow2(size_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

HAK_INLINE uintptr_t align_up(uintptr_t n, uintptr_t align) {
    return (n + align - 1) & ~(align - 1);
}

HAK_INLINE uintptr_t align_down(uintptr_t n, uintptr_t align) {
    return n & ~(align - 1);
}

// Index of the highest set bit. n is not 0.
HAK_INLINE unsigned log2_floor(uint64_t n) {
    return 63u - (unsigned)__builtin_clzll(n);
}

// Index of the lowest set bit. n is not 0.
HAK_INLINE unsigned lowest_bit(uint64_t n) {
    return (unsigned)__builtin_ctzll(n);
}

#endif
