// The tail of a huge block: the pages of its last unit behind its end. They cost only address space. When that is
// short, they are unmapped, and mapped again when the block grows.
//
//   | unit | unit | last unit: pages of the block | tail |        unit.cut: pages that are mapped; 0: all
//
// Thread-safety: under heap_lock.
// Errors: false if the system refuses.
#ifndef HAK_SUPERSLAB_TAILS_H
#define HAK_SUPERSLAB_TAILS_H

#include "superslab/heap.h"

HAK_INLINE UnitNumber huge_last_unit(UnitNumber first) {
    return first + hak_heap.unit[first].length - 1;
}

// Pages of the last unit that a block of `size` bytes takes; 0: all.
HAK_INLINE size_t tail_pages(size_t size) {
    return size >> PAGE_SHIFT & (PAGES_PER_UNIT - 1);
}

// Unmaps the tails of huge blocks, but leaves some if there would be too many holes. true: it unmapped some.
bool tails_cut(void);
// Maps the pages of a block's last unit up to `pages` (0: all of them) that are cut.
bool tail_map(UnitNumber first, size_t pages);

#endif
