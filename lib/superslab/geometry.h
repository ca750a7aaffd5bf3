// How memory is cut. Constants only.
//
//   heap window (address space, mapped from the bottom up)
//   |  unit 0  |  unit 1  |  unit 2  | ...                       a unit is 2 MiB: a SuperSlab of 32 slabs of 64 KiB,
//   | never    | slab 32..63         | ...                       or a SuperSlab of 512 pages (page runs),
//   | mapped   |                     |                           or a piece of a huge block, or free
//
// Slabs are numbered through the whole window; number 0 means "no slab". What the allocator knows of a slab is in
// tables beside the window (heap.h), indexed by that number, never in the slab itself.
#ifndef HAK_SUPERSLAB_GEOMETRY_H
#define HAK_SUPERSLAB_GEOMETRY_H

#include "base/bits.h"

#define SLAB_SHIFT 16
#define SLAB_SIZE ((size_t)1 << SLAB_SHIFT)
#define UNIT_SHIFT 21
#define UNIT_SIZE ((size_t)1 << UNIT_SHIFT)
#define SLABS_PER_UNIT (1u << (UNIT_SHIFT - SLAB_SHIFT))
#define PAGE_SHIFT 12
#define PAGE_SIZE_BYTES ((size_t)1 << PAGE_SHIFT)
#define PAGES_PER_UNIT (1u << (UNIT_SHIFT - PAGE_SHIFT))

// Size classes: 1..16 are 16, 32, ... 256 bytes; 17..56 are eight per doubling up to 8 KiB; of 57..60 a slab holds
// seven, six, five and four. Class 0 is not a class, so that a cleared owner word cannot name one; requests for 0 bytes
// use class 1. In tables that slabs of blocks and SuperSlabs of page runs share, index 0 is for page runs.
#define CLASS_OF_RUNS 0u
#define CLASS_FIRST 1u
#define CLASS_LAST_LINEAR 16u
#define CLASS_LAST_TINY 32u
#define CLASS_LAST_DOUBLING 56u
#define CLASS_COUNT 61u
#define TINY_MAX ((size_t)1024)
#define SMALL_MAX ((size_t)16384)
// Above SMALL_MAX: page runs up to RUN_MAX, whole units beyond.
#define RUN_MAX ((size_t)1 << 20)

typedef uint32_t SlabNumber;  // 0: none
typedef uint32_t UnitNumber;  // 0: none

_Static_assert(SLABS_PER_UNIT == 32, "a free mask has 32 bits");
_Static_assert(SLAB_SIZE / 16 <= 4096, "block counts fit 16 bits");

HAK_INLINE UnitNumber unit_of_slab(SlabNumber s) {
    return s / SLABS_PER_UNIT;
}

HAK_INLINE SlabNumber first_slab(UnitNumber u) {
    return u * SLABS_PER_UNIT;
}

#endif
