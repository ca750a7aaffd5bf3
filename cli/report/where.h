// The place in the program that a verdict is about: where the wrong act was, or the crash, or where the block came from.
// Thread-safety: none needed. Errors: NULL, the place is not known.
#ifndef HAKSTRESS_WHERE_H
#define HAKSTRESS_WHERE_H

#include "process/procmaps.h"

#include <jansson.h>

// From the words of a check; "": from the backtrace.
json_t* where_text(const char* words, const struct procmaps* maps, const json_t* backtrace);

#endif
