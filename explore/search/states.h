// The states from which a search has explored, or is exploring, everything within what it had left to spend.
// Source: CHESS (M. Musuvathi, S. Qadeer, Fair stateless model checking, PLDI 2008; happens-before caching, 2007).
// Thread-safety: none needed.
// Errors: if there are as many states as the table may have, or no memory for more, new ones are not kept.
#ifndef EXPLORE_SEARCH_STATES_H
#define EXPLORE_SEARCH_STATES_H

#include "record/schedule.h"
#include "runtime/hash.h"

#include <stdbool.h>

enum { UNBOUNDED = 255 };

// left: preemptions that may still be spent; stale: stale loads. true: the state was there with at least as much of
// both. Otherwise notes it.
bool states_visit(Hash state, uint8_t left, uint8_t stale);
void states_forget(void);

#endif
