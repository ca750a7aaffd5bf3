// What runs have covered: named steps, the branches of each, and ordered pairs of steps of two threads on one slab: one
// thread's step, and the next one on that slab, if it is another thread's.
//
// An item has a number. Its name is "step A4", "branch A4 refused" or "pair A4 R2".
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_COVERAGE_H
#define EXPLORE_RUNTIME_COVERAGE_H

#include "record/event.h"

#include <stddef.h>

// The operation right after a named step. `value`: what was read.
void coverage_operation(unsigned step, EventKind kind, const volatile void* address, uint64_t value);

unsigned coverage_count(void);  // of items
bool coverage_has(unsigned item);
// "": there is no such item.
void coverage_name(unsigned item, char* out, size_t size);

#endif
