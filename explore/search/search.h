// The strategies. Each is begun anew for a scenario.
//
//   exhaustive  every schedule with at most so many preemptions, the bound rising from 0; prefixes of runs that lead to
//               a state from which all was explored are pruned
//   pct         random priorities with a few random changes (Burckhardt and others, ASPLOS 2010)
//   random      every alternative with the same probability
//   replay      one given schedule
//
// Thread-safety: none needed.
// Errors: none; exhaustive: if there is no memory for more states, it prunes less.
#ifndef EXPLORE_SEARCH_SEARCH_H
#define EXPLORE_SEARCH_SEARCH_H

#include "record/strategy.h"

#define PREEMPTIONS_WITHOUT_BOUND 1000u

typedef struct {
    uint32_t bound_least, bound_most;  // preemptions
    uint32_t shard, shards;            // this one of so many parts; 0 of 1: all
    bool every_prefix;                 // prunes nothing
} ExhaustiveLimits;

const Strategy* search_exhaustive(const ExhaustiveLimits* limits);
// What it has found out so far.
uint32_t exhaustive_bound(void);    // the bound at work
bool exhaustive_is_complete(void);  // all schedules within bound_most are explored
// The word set has grown: what was explored does not count any more.
void exhaustive_begin_again(void);

const Strategy* search_random(uint64_t seed);
const Strategy* search_pct(uint64_t seed, unsigned depth);
const Strategy* search_replay(const Schedule* schedule);

#endif
