// Where an exhaustive search stands, as text: a later process goes on from there. The states that were visited are not
// part of it, so it prunes less from there on, and leaves nothing out.
//
//   bound:picked alternatives, a digit each:what was learned (search/learned.h)      numbers are hexadecimal
//
// Thread-safety: none needed.
// Errors: as said.
#ifndef EXPLORE_SEARCH_POSITION_H
#define EXPLORE_SEARCH_POSITION_H

#include <stdbool.h>
#include <stddef.h>

// Returns the length of the whole text.
size_t position_format(char* out, size_t size);
// POSITION_OLD: more words are known by now than the search knew there. POSITION_BAD: the text is no position.
typedef enum { POSITION_OK, POSITION_OLD, POSITION_BAD } PositionFit;
// After search_exhaustive() and before its first run.
PositionFit position_restore(const char* text);

#endif
