// Explores one scenario with one or several strategies, until a fault is found, all is explored, or a limit is reached.
// Thread-safety: none needed.
// Errors: false and a message if the scenario cannot be set up, or is more than a run can hold.
#ifndef EXPLORE_SEARCH_CAMPAIGN_H
#define EXPLORE_SEARCH_CAMPAIGN_H

#include "run/run.h"

#include <signal.h>

enum { REPLAYS = 3, POSITION_MOST = 65536 };

typedef struct {
    const Scenario* scenario;
    const char *changes, *weaken;  // as in Replay
    bool exhaustive, pct, random;
    bool follow;  // on to the crash, see RunLimits
    uint32_t preemptions, stale;
    uint32_t stale_by_chance;  // the same for PCT and random
    uint64_t schedules;  // most of each strategy, beside the exhaustive one's first; 0: PCT and random: some thousands
    double seconds;      // 0: no limit
    uint64_t seed;
    uint32_t shard, shards;
    const char* position;  // where an earlier search of the same kind stood; NULL: it begins
    const char* learned;   // what the parts of the search have learned, in an earlier round; NULL: nothing
    bool every_prefix;     // for a test: the exhaustive search prunes nothing
} Campaign;

typedef struct {
    uint64_t schedules, pruned, ends;
    double seconds;
    bool complete;   // every schedule within the bounds
    uint32_t bound;  // all schedules with fewer preemptions are explored
    uint64_t words;  // hash of their set after the exhaustive search: shards that differ have not divided the work
    char learned[POSITION_MOST];  // the set, and the lines, if this is a shard; "" otherwise, and if there is no room
    bool fault;
    char check[32], text[FAULT_TEXT];
    Replay replay;
    bool has_position;
    char position[POSITION_MOST];  // where the exhaustive search stands, if it has not come to its end
    uint32_t replayed;             // of the runs that repeated it, those with the same trace
    bool too_much;                 // the scenario is more than a run can hold; `run` says how
    bool misfits;                  // `position` is not one of this search
} CampaignResult;

extern volatile sig_atomic_t campaign_stop;

bool campaign(const Campaign* wanted, CampaignResult* result, char* message, size_t size);

// Runs one schedule until the sets of words are known; then `times` more. Returns how many of these had the trace. The
// first one is recorded if recording is on. replay->trace is compared if replay->has_trace, and set otherwise.
// failures: as the scenario has it.
uint32_t campaign_replay(Replay* replay, uint32_t failures, uint32_t times);

#endif
