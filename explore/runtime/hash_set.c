#include "runtime/hash_set.h"

#include <stdlib.h>

enum { FIRST = 1 << 12 };

// A place without hash has 0 in `low`.
static Hash kept_as(Hash hash) {
    return (Hash){hash.low ? hash.low : 1, hash.high};
}

static Hash* find(const HashSet* set, Hash hash) {
    uint64_t i = hash.low & (set->size - 1);
    while (set->table[i].low && (set->table[i].low != hash.low || set->table[i].high != hash.high))
        i = (i + 1) & (set->size - 1);
    return &set->table[i];
}

static bool grow(HashSet* set) {
    HashSet larger = {.size = set->size ? set->size * 2 : FIRST};
    larger.table = calloc(larger.size, sizeof(Hash));
    if (larger.table == NULL) return false;
    for (uint64_t i = 0; i < set->size; i++)
        if (set->table[i].low) *find(&larger, set->table[i]) = set->table[i];
    free(set->table);
    set->table = larger.table;
    set->size = larger.size;
    return true;
}

bool hash_set_has(const HashSet* set, Hash hash) {
    return set->size != 0 && find(set, kept_as(hash))->low != 0;
}

bool hash_set_add(HashSet* set, Hash hash) {
    hash = kept_as(hash);
    if (set->count * 2 >= set->size && !grow(set)) return true;
    Hash* place = find(set, hash);
    if (place->low) return false;
    if (set->most && set->count == set->most) return true;
    *place = hash;
    set->count++;
    return true;
}

void hash_set_clear(HashSet* set) {
    free(set->table);
    *set = (HashSet){.most = set->most};
}
