// Blocks of zero bytes in guard mode: addresses in a unit that is never accessible, so that a program that reads or
// writes one stops at once.
//
//   unit:  | 0 | 32 | 64 | ...     each has a record (superslab/guard_record.h), and is taken again last
//
// Thread-safety: any thread.
// Errors: NULL: none is left, or there is no memory. An ordinary block then serves, and its canary finds writes.
#ifndef HAK_GUARD_NOTHING_H
#define HAK_GUARD_NOTHING_H

#include "superslab/heap.h"

enum { NOTHING_ALIGNED = 16 };

void* nothing_take(void);
bool is_nothing(const void* block);

#endif
