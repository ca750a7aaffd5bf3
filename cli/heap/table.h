// A heap profile as a table for people: its largest stacks, each from the first function that does not only pass a
// size on.
// Thread-safety: none. Errors: those of the stream.
#ifndef HAKSTRESS_HEAP_TABLE_H
#define HAKSTRESS_HEAP_TABLE_H

#include "heap/profile.h"

#include <stdio.h>

// What the stacks are ordered by, and what a flame graph shows.
enum heap_order { HEAP_BY_LIVE, HEAP_BY_PEAK, HEAP_BY_ALLOCATED, HEAP_BY_GROWTH };

// A word of live, peak, allocated, growth. False: another one.
bool heap_order_of(const char* word, enum heap_order* order);
int64_t heap_ordered(const struct heap_stack* stack, enum heap_order order);  // bytes; what has shrunk is below 0
void heap_sort(struct heap_profile* profile, enum heap_order order);
// The profile is sorted.
void heap_print(const struct heap_profile* profile, enum heap_order order, size_t most, FILE* out);
// "1.5 MiB"
const char* heap_bytes_text(int64_t bytes, char out[32]);

#endif
