// Clears blocks as HAKMEM_ZERO says. A hit of malloc or free does not ask for the option. While it is on, there are no
// hits on the side that must clear:
//
//   free    no slab counts as one for a hit (hak_heap.hit_slabs is 0): free_slow clears, and puts into the bin
//   alloc   no link counts as one for a hit (hak_link_hit_mask has all bits): malloc_refill takes from the bin, and
//           clears
//
// A free block has a link in its first 8 bytes, unless it is a page run or a huge block.
// Thread-safety: the block's holder.
// Errors: none.
#ifndef HAK_FRONT_ZERO_H
#define HAK_FRONT_ZERO_H

#include "config/zero.h"

// Once the options are known.
void zero_begin(void);
// For a block of a class, or a page run, that is about to be freed.
HAK_COLD void zero_block(void* block);

#endif
