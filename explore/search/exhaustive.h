// The exhaustive search, and where it stands. search.h says what it explores.
// Thread-safety: none needed.
// Errors: none; if there is no memory for more states, it prunes less.
#ifndef EXPLORE_SEARCH_EXHAUSTIVE_H
#define EXPLORE_SEARCH_EXHAUSTIVE_H

#include "record/strategy.h"

#define PREEMPTIONS_WITHOUT_BOUND 1000u

typedef struct {
    uint32_t bound_least, bound_most;  // preemptions
    uint32_t shard, shards;            // this one of so many parts; 0 of 1: all
    bool every_prefix;                 // prunes nothing
} ExhaustiveLimits;

const Strategy* search_exhaustive(const ExhaustiveLimits* limits);
uint32_t exhaustive_bound(void);    // the bound at work
bool exhaustive_is_complete(void);  // all schedules within bound_most are explored
// The set of words has grown: what was explored does not count any more.
void exhaustive_begin_again(void);

// --- where it stands, between two runs

typedef struct {
    uint32_t bound, count;  // count: choices that the next run is given
} ExhaustivePosition;

ExhaustivePosition exhaustive_position(void);
unsigned exhaustive_picked(uint32_t choice);
// Goes on from there; then each choice of the next run is picked. false: that is no place of this search.
bool exhaustive_go_on(uint32_t bound);
bool exhaustive_pick(uint8_t alternative);
// Whether the last run came to a choice that has no such alternative.
bool exhaustive_misfits(void);

#endif
