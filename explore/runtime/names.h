// Names of tracked addresses, for people: "owner word of slab 34", "remote word of slab 34", "tls of control block 2".
// Thread-safety: the process's only running thread.
// Errors: an address that nothing is known of gets its offset.
#ifndef EXPLORE_RUNTIME_NAMES_H
#define EXPLORE_RUNTIME_NAMES_H

#include <stddef.h>

// Returns the length of the whole name.
size_t memory_name(const void* p, char* out, size_t size);

#endif
