// An atomic operation of the recorded run in words.
// Thread-safety: none needed. Errors: none.
#ifndef EXPLORE_TELL_OPERATION_H
#define EXPLORE_TELL_OPERATION_H

#include "record/event.h"

#include <stddef.h>

// Whether it writes, or tries to write, an owner word, a remote word or the state of a control block.
bool operation_matters(const Event* e);
// The slab whose owner word or remote word it touches; 0: none.
uint32_t operation_slab(const Event* e);
// "the owner word of slab 40: A -> nobody", "the remote word of slab 40 is U: refused".
void operation_describe(const Event* e, uint32_t event, char* out, size_t size);
// Of a stale load: which newer stores it does not see, and whose store it reads.
void operation_describe_newer(const Event* e, uint32_t event, char* out, size_t size);

// Whether it takes the remote stack of a slab that another thread owns.
bool operation_drains_foreign(const Event* e, uint32_t event);

#endif
