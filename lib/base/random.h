// Random numbers for what needs no secrecy: placement, yields, tests, workloads.
// Source: splitmix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014).
// Thread-safety: the state is the caller's. Errors: none.
#ifndef HAK_BASE_RANDOM_H
#define HAK_BASE_RANDOM_H

#include "base/compiler.h"

#define RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

// Spreads the bits of x over all 64.
HAK_INLINE uint64_t random_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

// The next number of a stream; any state may be its start.
HAK_INLINE uint64_t random_of(uint64_t* state) {
    return random_mix(*state += RANDOM_STEP);
}

#endif
