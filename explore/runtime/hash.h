// Hashes of histories, 128 bits: so many states are compared that 64 might meet by chance. search/states.c keeps 96 of
// them, to keep more states.
// Source of the constants: MurmurHash3 and splitmix64.
// Thread-safety: none needed. Errors: none.
#ifndef EXPLORE_RUNTIME_HASH_H
#define EXPLORE_RUNTIME_HASH_H

#include <stdint.h>

typedef struct {
    uint64_t low, high;
} Hash;

static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    a = (a ^ b ^ (b << 23)) * UINT64_C(0xff51afd7ed558ccd);
    return a ^ (a >> 32);
}

static inline Hash hash_add(Hash hash, uint64_t value) {
    return (Hash){hash_mix(hash.low, value), hash_mix(hash.high + value, UINT64_C(0x9e3779b97f4a7c15))};
}

static inline Hash hash_join(Hash hash, Hash other) {
    return (Hash){hash_mix(hash.low, other.low), hash_mix(hash.high, other.high)};
}

#endif
