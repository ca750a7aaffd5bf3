#include "search/campaign.h"

#include "record/build.h"
#include "record/event.h"
#include "record/trace.h"
#include "run/ends.h"
#include "search/position.h"
#include "search/search.h"
#include "search/states.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

volatile sig_atomic_t campaign_stop;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// --- replays

enum { STALE_IN_REPLAYS = 255, FAILURES_IN_REPLAYS = 255, LEARNING_MOST = 16 };

RunLimits campaign_replay_limits(const Schedule* schedule) {
    return (RunLimits){.strategy = search_replay(schedule),
                       .stale_most = STALE_IN_REPLAYS,
                       .failures_most = FAILURES_IN_REPLAYS,
                       .every_moment = true,
                       .races = true};
}

static uint64_t offset_of(uint64_t address) {
    return memory_offset((const void*)(uintptr_t)address);
}

static uint32_t trace_now(void) {
    return trace_hash(offset_of);
}

// A race in a line that was private so far shows only once the line is known to be shared.
static RunEnd run_learned(const RunLimits* limits) {
    RunEnd end = run_once(limits);
    for (int i = 0; i < LEARNING_MOST && run.learned; i++) end = run_once(limits);
    return end;
}

uint32_t campaign_replay(Replay* replay, uint32_t times) {
    char check[sizeof run.check];
    bool recorded = recording.on;
    recording_start();
    RunLimits limits = campaign_replay_limits(&replay->schedule);
    run_learned(&limits);
    if (!replay->has_trace) replay->trace = trace_now();
    replay->has_trace = true;
    snprintf(check, sizeof check, "%s", run.check);
    uint32_t same = 0;
    for (uint32_t i = 0; i < times; i++) {
        run_once(&limits);
        same += run.check[0] && strcmp(check, run.check) == 0 && trace_now() == replay->trace;
    }
    if (!recorded) recording_stop();
    return same;
}

// --- strategies

static void note_words(CampaignResult* result) {
    snprintf(result->check, sizeof result->check, "%s", run.check);
    snprintf(result->text, sizeof result->text, "%s", run.text);
}

static void note_fault(const Campaign* wanted, CampaignResult* result) {
    Replay* replay = &result->replay;
    memset(replay, 0, sizeof *replay);
    snprintf(replay->scenario, sizeof replay->scenario, "%s", wanted->scenario->name);
    snprintf(replay->build, sizeof replay->build, "%s", explored_build);
    if (strcmp(wanted->changes, "all") != 0) snprintf(replay->changes, sizeof replay->changes, "%s", wanted->changes);
    snprintf(replay->weaken, sizeof replay->weaken, "%s", wanted->weaken);
    replay->follow = wanted->follow;
    replay->schedule = *run_schedule;
    note_words(result);
    // A repetition may find a race where the first run, which did not know the line yet, went on to something else.
    result->replayed = campaign_replay(replay, REPLAYS);
    if (result->replayed) note_words(result);
}

static bool is_over(const Campaign* wanted, uint64_t schedules, double end) {
    if (campaign_stop || (wanted->schedules && schedules >= wanted->schedules)) return true;
    return end != 0 && schedules % 64 == 0 && now() > end;
}

// The crash that docs/FAULTS.md is about. Other damage is another story.
static bool is_wanted(const Campaign* wanted) {
    return !wanted->follow || strstr(run.text, " 0x6261,") != NULL;
}

// A run that comes to know a word has not noted what was handed on through it until then, so that a race may be none.
// Then it does not repeat.
static bool is_fault(const Campaign* wanted, bool learned, CampaignResult* result) {
    note_fault(wanted, result);
    result->fault = result->replayed != 0 || !learned;
    return result->fault;
}

// Returns when the strategy has no more runs, or a fault is found, or a limit is reached.
static bool run_strategy(const Campaign* wanted, const RunLimits* limits, uint64_t most, double end, bool exhaustive,
                         CampaignResult* result) {
    for (uint64_t schedules = 0; (most == 0 || schedules < most) && !is_over(wanted, schedules, end); schedules++) {
        RunEnd how = run_once(limits);
        result->schedules++;
        result->pruned += how == RUN_PRUNED;
        const bool learned = run.learned;
        if (how == RUN_FAULT && is_wanted(wanted) && is_fault(wanted, learned, result)) return false;
        if (learned && exhaustive)
            exhaustive_begin_again();
        else if (!limits->strategy->next_run())
            return true;
    }
    return false;
}

static RunLimits limits_of(const Campaign* wanted, const Strategy* strategy, uint32_t stale) {
    return (RunLimits){.strategy = strategy,
                       .stale_most = (uint8_t)(stale < STALE_MOST ? stale : STALE_MOST),
                       .failures_most = (uint8_t)wanted->scenario->failures,
                       .races = true};
}

// Most of the words are known after a few random runs.
static bool learn(const Campaign* wanted, CampaignResult* result) {
    enum { RUNS = 100 };
    RunLimits limits = limits_of(wanted, search_random(1), wanted->stale);
    run_strategy(wanted, &limits, RUNS, 0, false, result);
    return !result->fault;
}

static void explore_exhaustively(const Campaign* wanted, double end, CampaignResult* result) {
    ExhaustiveLimits bounds = {0, wanted->preemptions, wanted->shard, wanted->shards ? wanted->shards : 1,
                               wanted->every_prefix};
    RunLimits limits = limits_of(wanted, search_exhaustive(&bounds), wanted->stale);
    if (wanted->position && !position_restore(wanted->position)) exhaustive_begin_again();
    result->complete = run_strategy(wanted, &limits, 0, end, true, result);
    result->has_position = !result->complete && !result->fault &&
                           position_format(result->position, sizeof result->position) < sizeof result->position;
    result->bound = exhaustive_bound();
    states_forget();
}

static void explore_by_chance(const Campaign* wanted, const Strategy* strategy, double end, CampaignResult* result) {
    enum { STALE = 2, SOME = 3000 };
    RunLimits limits = limits_of(wanted, strategy, STALE);
    run_strategy(wanted, &limits, wanted->schedules || end != 0 ? 0 : SOME, end, false, result);
}

// The time is divided: half of it for the exhaustive search, unless that is done before.
static void explore(const Campaign* wanted, double start, CampaignResult* result) {
    enum { PCT_DEPTH = 3 };
    double seconds = wanted->seconds, end = seconds > 0 ? start + seconds : 0;
    double first = seconds > 0 && (wanted->pct || wanted->random) ? start + seconds / 2 : end;
    uint64_t seed = wanted->seed + (uint64_t)wanted->shard * UINT64_C(1000003);
    if (wanted->exhaustive && learn(wanted, result)) explore_exhaustively(wanted, first, result);
    double second = seconds > 0 && wanted->random ? (now() + end) / 2 : end;
    if (wanted->pct && !result->fault) explore_by_chance(wanted, search_pct(seed, PCT_DEPTH), second, result);
    if (wanted->random && !result->fault) explore_by_chance(wanted, search_random(seed), end, result);
}

bool campaign(const Campaign* wanted, CampaignResult* result, char* message, size_t size) {
    double start = now();
    memset(result, 0, sizeof *result);
    run_will_follow(wanted->follow);
    if (!run_prepare(wanted->scenario, wanted->changes, message, size)) return false;
    explore(wanted, start, result);
    result->ends = ends_count();
    result->contended = locations_contended(&result->words);
    result->seconds = now() - start;
    return true;
}
