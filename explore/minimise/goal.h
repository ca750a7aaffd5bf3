// What a shorter schedule must still show: a fault of the same check; of a crash, at the same address. And how much may
// be spent on finding one.
// Thread-safety: none: one run at a time.
// Errors: none.
#ifndef EXPLORE_MINIMISE_GOAL_H
#define EXPLORE_MINIMISE_GOAL_H

#include "again/again.h"

typedef struct {
    double seconds;
    uint64_t runs;
} MinimiseLimits;

// The fault of the last run is the goal from now on.
void goal_set(const Scenario* whole, const MinimiseLimits* limits);
bool goal_is_spent(void);
uint64_t goal_runs(void);

// Whether the last run ended with the goal's fault.
bool goal_was_met(void);
// Whether the candidate's run does. Then its schedule is what that run used, and its trace is known.
bool goal_holds(Replay* candidate);
// Looks for a schedule of the candidate's scenario with at most so many preemptions and runs. true: it has it.
bool goal_search(Replay* candidate, uint32_t preemptions, uint64_t runs);
// The same by a few changes of priority at random places.
bool goal_search_by_chance(Replay* candidate, uint32_t changes, uint64_t runs);

#endif
