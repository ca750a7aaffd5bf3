// The states in which runs have ended. What holds at the end depends on the state alone, so each is checked once.
// Thread-safety: none needed.
// Errors: if there is no memory for more, an end counts as new.
#ifndef EXPLORE_RUN_ENDS_H
#define EXPLORE_RUN_ENDS_H

#include "runtime/hash.h"

#include <stdbool.h>
#include <stdint.h>

// Whether no run has ended in the present state since ends_forget(). Notes it.
bool ends_is_new(void);
// Of memory, blocks and threads now.
Hash ends_state(void);
void ends_forget(void);
uint64_t ends_count(void);

#endif
