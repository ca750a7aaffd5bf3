// Bits of a SuperSlab of page runs, one for each page.
// Thread-safety: the caller's. Errors: none.
#ifndef HAK_SUPERSLAB_PAGE_BITS_H
#define HAK_SUPERSLAB_PAGE_BITS_H

#include "superslab/heap.h"

// First page >= from whose bit is `value`; PAGES_PER_UNIT: none.
HAK_INLINE uint32_t page_bits_next(const uint64_t* bits, uint32_t from, bool value) {
    for (uint32_t w = from / 64; w < RUN_WORDS; w++) {
        uint64_t word = value ? bits[w] : ~bits[w];
        if (w == from / 64) word &= ~UINT64_C(0) << (from % 64);
        if (word) return w * 64 + lowest_bit(word);
    }
    return PAGES_PER_UNIT;
}

HAK_INLINE void page_bits_write(uint64_t* bits, uint32_t from, uint32_t count, bool value) {
    while (count) {
        uint32_t w = from / 64, at = from % 64, n = 64 - at < count ? 64 - at : count;
        uint64_t mask = (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << at;
        bits[w] = value ? bits[w] | mask : bits[w] & ~mask;
        from += n;
        count -= n;
    }
}

// Number of runs of set bits.
HAK_INLINE uint32_t page_bits_runs(const uint64_t* bits) {
    uint32_t runs = 0;
    for (uint64_t w = 0, before = 0; w < RUN_WORDS; before = bits[w++] >> 63)
        runs += (uint32_t)__builtin_popcountll(bits[w] & ~(bits[w] << 1 | before));
    return runs;
}

#endif
