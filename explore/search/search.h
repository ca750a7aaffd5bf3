// The strategies. Each is begun anew for a scenario.
//
//   exhaustive  every schedule with at most so many preemptions, the bound rising from 0; prefixes of runs that lead to
//               a state from which all was explored are pruned
//   pct         random priorities with a few random changes (Burckhardt and others, ASPLOS 2010)
//   random      every alternative with the same probability
//   replay      one given schedule
//
// Thread-safety: none needed.
// Errors: none.
#ifndef EXPLORE_SEARCH_SEARCH_H
#define EXPLORE_SEARCH_SEARCH_H

#include "search/exhaustive.h"

// search/exhaustive.h has the first one.
const Strategy* search_random(uint64_t seed);
const Strategy* search_pct(uint64_t seed, unsigned depth);
const Strategy* search_replay(const Schedule* schedule);
// The first deviation that the last run of search_replay did not come to, or could not do. NULL: it did all.
const Deviation* search_replay_missed(void);

#endif
