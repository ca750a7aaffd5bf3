// All that one call of hakstress explore explores: each scenario, or each part of one, in a worker; several at a time.
// Thread-safety: none. Errors: a message, and how it ended.
#ifndef HAKSTRESS_EXPLORE_SEARCH_H
#define HAKSTRESS_EXPLORE_SEARCH_H

#include "explore/scenarios.h"
#include "explore/worker.h"

#include <signal.h>

struct explore_search {
    const char* program;
    const struct scenario_file* scenarios;
    size_t scenario_count;
    uint64_t jobs, shard, shards;
    uint64_t schedules;      // most of each strategy and scenario; 0: no limit
    double seconds;          // for all of it; 0: no limit
    char* const* arguments;  // for each worker, ended by NULL
    const char* resume;      // file; NULL: none
    const volatile sig_atomic_t* stopped;
    bool quiet;
};

struct explore_scenario_outcome {
    uint64_t schedules, pruned, ends;
    unsigned parts, parts_done, bound;
    bool complete, differs;  // differs: its parts knew different words, so they may have left something out, and go on
    bool part_complete;      // of this shard; the shards are the whole if all are, with the same words
    uint64_t words, steps;
    double seconds;
    uint64_t earlier_schedules, earlier_pruned;  // of rounds in which the parts differed
};

struct explore_outcome {
    struct explore_scenario_outcome scenario[EXPLORE_SCENARIOS_MOST];
    uint64_t schedules, pruned, steps, weakened;
    size_t complete, done;
    bool has_fault;
    struct explore_fault fault;
    size_t at_fault;  // the scenario it is of
};

enum explore_end { EXPLORE_OK, EXPLORE_FAULT, EXPLORE_BAD, EXPLORE_MISSING, EXPLORE_STOPPED };

// Into how many parts each scenario is divided.
uint64_t explore_parts(const struct explore_search* search);
enum explore_end explore_search(const struct explore_search* search, struct explore_outcome* outcome);

#endif
