// A set of hashes.
// Thread-safety: none needed.
// Errors: if there is no memory for more, hashes count as new and are not kept.
#ifndef EXPLORE_RUNTIME_HASH_SET_H
#define EXPLORE_RUNTIME_HASH_SET_H

#include "runtime/hash.h"

#include <stdbool.h>

typedef struct {
    Hash* table;
    uint64_t size, count;
} HashSet;

// true: it was not in the set.
bool hash_set_add(HashSet* set, Hash hash);
void hash_set_clear(HashSet* set);

#endif
