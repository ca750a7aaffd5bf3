// The place in the program that a verdict is about: the wrong act, the crash, or where the block was allocated.
// Thread-safety: none needed. Errors: NULL if the place is not known.
#ifndef HAKSTRESS_WHERE_H
#define HAKSTRESS_WHERE_H

#include "process/procmaps.h"

#include <jansson.h>

// From the message of a check; "": from the backtrace. `blocks`: what is known of those that the message names
// (block_past.h).
json_t* where_text(const char* words, const struct procmaps* maps, const json_t* backtrace, const json_t* blocks);

#endif
