#include "minimise/goal.h"

#include "search/campaign.h"
#include "search/search.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
    const Scenario* whole;
    char check[sizeof run.check];
    char place[64];  // of a crash
    double end;
    uint64_t runs, runs_most;
    bool prepared;
    DroppedOp dropped[DROPPED_MOST];
    uint32_t dropped_count;
} goal;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// "Segmentation fault at address 0x6261": the thread that crashes may be another one.
static void place_of(char place[sizeof goal.place]) {
    place[0] = '\0';
    if (strcmp(run.check, "crash") == 0)
        snprintf(place, sizeof goal.place, "%.*s", (int)strcspn(run.text, ","), run.text);
}

void goal_set(const Scenario* whole, const MinimiseLimits* limits) {
    memset(&goal, 0, sizeof goal);
    goal.whole = whole;
    snprintf(goal.check, sizeof goal.check, "%s", run.check);
    place_of(goal.place);
    goal.end = now() + limits->seconds;
    goal.runs_most = limits->runs;
}

bool goal_is_spent(void) {
    return campaign_stop || goal.runs >= goal.runs_most || now() > goal.end;
}

uint64_t goal_runs(void) {
    return goal.runs;
}

bool goal_was_met(void) {
    char place[sizeof goal.place];
    place_of(place);
    return strcmp(run.check, goal.check) == 0 && strcmp(place, goal.place) == 0;
}

static bool is_prepared(const Replay* candidate) {
    return goal.prepared && candidate->dropped_count == goal.dropped_count &&
           memcmp(candidate->dropped, goal.dropped, goal.dropped_count * sizeof *goal.dropped) == 0;
}

static bool prepare(const Replay* candidate) {
    char message[FAULT_TEXT];
    if (is_prepared(candidate)) return true;
    goal.prepared = again_prepare(candidate, goal.whole, message, sizeof message);
    memcpy(goal.dropped, candidate->dropped, sizeof goal.dropped);
    goal.dropped_count = candidate->dropped_count;
    return goal.prepared;
}

static void accept(Replay* candidate) {
    candidate->schedule = *run_schedule;
    candidate->trace = again_trace();
    candidate->has_trace = true;
}

bool goal_holds(Replay* candidate) {
    if (!prepare(candidate)) return false;
    goal.runs++;
    again_run(&candidate->schedule);
    if (!goal_was_met()) return false;
    accept(candidate);
    return true;
}

// A run of the search ends in one way, and its schedule may in another, if the search has not learned all words yet.
static bool confirm(Replay* candidate) {
    candidate->schedule = *run_schedule;
    return goal_holds(candidate);
}

bool goal_search_by_chance(Replay* candidate, uint32_t changes, uint64_t runs) {
    if (!prepare(candidate)) return false;
    const Strategy* strategy = search_pct(goal.runs + 1, changes + 1);
    uint64_t end = goal.runs + runs;
    while (goal.runs < end && !goal_is_spent()) {
        goal.runs++;
        if (again_search(strategy) == RUN_FAULT && goal_was_met()) return confirm(candidate);
        strategy->next_run();
    }
    return false;
}

bool goal_search(Replay* candidate, uint32_t preemptions, uint64_t runs) {
    ExhaustiveLimits limits = {.bound_most = preemptions, .shards = 1};
    if (!prepare(candidate)) return false;
    const Strategy* strategy = search_exhaustive(&limits);
    uint64_t end = goal.runs + runs;
    while (goal.runs < end && !goal_is_spent()) {
        goal.runs++;
        RunEnd found = again_search(strategy);
        if (found == RUN_FAULT && goal_was_met()) return confirm(candidate);
        if (run.learned)
            exhaustive_begin_again();
        else if (!strategy->next_run())
            return false;
    }
    return false;
}
