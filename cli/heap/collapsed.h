// A heap profile as collapsed stacks, which flame-graph tools read: "main;serve;parse 4096", the outermost first, and
// bytes.
// Thread-safety: none. Errors: those of the stream.
#ifndef HAKSTRESS_HEAP_COLLAPSED_H
#define HAKSTRESS_HEAP_COLLAPSED_H

#include "heap/table.h"

void heap_write_collapsed(const struct heap_profile* profile, enum heap_order order, FILE* out);

#endif
