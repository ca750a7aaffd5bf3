// The states in which runs have ended, and those between two operations that were checked. What holds there depends on
// the state alone, so each is checked once. If the scenario judges how the threads came there, that is part of it.
// Thread-safety: none needed.
// Errors: if there is no memory for more, an end counts as new.
#ifndef EXPLORE_RUN_ENDS_H
#define EXPLORE_RUN_ENDS_H

#include "runtime/hash.h"

#include <stdbool.h>
#include <stdint.h>

// Whether something may be wrong in the present state that was not checked in a run that ended there, since
// ends_forget(). Notes it.
bool ends_is_new(void);
// Of memory, blocks and threads now.
Hash ends_state(void);
bool ends_between_is_known(Hash state);
// After it was checked: a run that repeats a fault is to find it, too.
void ends_note_between(Hash state);
void ends_forget(void);
uint64_t ends_count(void);
// Of each end; in no order.
void ends_each(void (*visit)(Hash end));

#endif
