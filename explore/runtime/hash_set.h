// A set of hashes.
// Thread-safety: none needed.
// Errors: a set that has as many hashes as it may, or no memory for more, keeps no others; these always count as new.
#ifndef EXPLORE_RUNTIME_HASH_SET_H
#define EXPLORE_RUNTIME_HASH_SET_H

#include "runtime/hash.h"

#include <stdbool.h>

typedef struct {
    Hash* table;
    uint64_t size, count;
    uint64_t most;  // hashes that are kept; 0: as many as there is memory for
} HashSet;

bool hash_set_has(const HashSet* set, Hash hash);
// true: it was not in the set.
bool hash_set_add(HashSet* set, Hash hash);
void hash_set_clear(HashSet* set);

#endif
