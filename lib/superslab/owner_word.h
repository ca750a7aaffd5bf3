// The owner word of a slab: who owns the slab, and what it is.
//
//   63         58 57                           12 11        0
//   | zeros       | address of the owner's HakTcb | tag       |      owner part (bits 12 to 63) 0: nobody
//
//   zeros == number of bits of the address (12 to 57) that are 0. So no thread's owner part contains all bits of
//   another's: an address with fewer bits set has a larger `zeros`, which has a bit that the smaller one lacks. For a
//   thread,
//       word & ~(its owner part)  ==  tag        where the slab is its own or nobody's
//                                 >= 1 << 12     where it is another thread's
//   (J. M. Berger, "A note on error detection codes for asymmetric channels", 1961)
//
//   tag 0                 not a slab: free, foreign, or the inside of a huge block
//   tag class * 16        a slab of blocks of that class; the tag is the offset of the class's bin in the TLS
//   TAG_RUNS              first slab of a SuperSlab of page runs; its word stands for all 32
//   TAG_RUNS_REST         another slab of one; never owned: the word of the first slab says who owns it
//   TAG_HUGE              first slab of a huge block; never owned
//
// Writers: slab/ownership.c, and superslab/huge.c for the words of huge blocks, which nobody ever owns.
#ifndef HAK_SUPERSLAB_OWNER_WORD_H
#define HAK_SUPERSLAB_OWNER_WORD_H

#include "superslab/geometry.h"

#define WORD_NOT_A_SLAB UINT64_C(0)
#define TAG_BITS UINT64_C(0xfff)
#define TAG_PER_CLASS 16u
#define TAG_CLASSES (CLASS_COUNT * TAG_PER_CLASS)  // tags below are classes, except 0
#define TAG_RUNS UINT64_C(0x800)
#define TAG_RUNS_REST UINT64_C(0x810)
#define TAG_HUGE UINT64_C(0x820)

_Static_assert(TAG_CLASSES <= TAG_RUNS, "tags are distinct");

HAK_INLINE uint64_t tag_of_class(unsigned size_class) {
    return size_class * (uint64_t)TAG_PER_CLASS;
}

HAK_INLINE uint64_t word_tag(uint64_t word) {
    return word & TAG_BITS;
}

#define OWNER_ZEROS_SHIFT 58
#define OWNER_ADDRESS_BITS ((UINT64_C(1) << OWNER_ZEROS_SHIFT) - 1 - TAG_BITS)

// Address of the owner's TCB; 0: nobody.
HAK_INLINE uint64_t word_owner(uint64_t word) {
    return word & OWNER_ADDRESS_BITS;
}

// address: a multiple of 1 << 12.
HAK_INLINE uint64_t owner_part_of(uint64_t address) {
    uint64_t zeros = (uint64_t)__builtin_popcountll(~address & OWNER_ADDRESS_BITS);
    return zeros << OWNER_ZEROS_SHIFT | address;
}

HAK_INLINE bool tag_is_class(uint64_t tag) {
    return tag - 1 < TAG_CLASSES - 1;
}

HAK_INLINE bool tag_is_runs(uint64_t tag) {
    return (tag & ~(TAG_RUNS ^ TAG_RUNS_REST)) == TAG_RUNS;
}

#endif
