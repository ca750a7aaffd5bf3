// Chances of the heap profile. Each byte that a thread allocates is the end of a gap with the chance 1 / rate, so a
// block is sampled with the chance 1 - exp(-bytes / rate), and each sample stands for the inverse of that many blocks.
//
//   allocated bytes of a thread:   |--block--|--block--|----block----|-block-|
//   gaps, exponential, mean: rate  |---------------x----------|------------x------      x: in a block that is sampled
//
// Source: jemalloc's and tcmalloc's heap profilers. The mathematics library is not used, so this has its own series.
// Thread-safety: pure functions.
// Errors: none.
#ifndef HAK_PROFILE_CHANCE_H
#define HAK_PROFILE_CHANCE_H

#include "base/compiler.h"

// 1 - exp(-x), for x > 0.
double chance_of(double x);
// Bytes until the end of the next gap, from 64 random bits.
int64_t chance_gap(uint64_t random, int64_t rate);

#endif
