#include "search/campaign.h"

#include "record/build.h"
#include "record/event.h"
#include "run/ends.h"
#include "runtime/limit.h"
#include "search/learned.h"
#include "search/position.h"
#include "search/repeat.h"
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

static bool is_same(const char* check, const Replay* replay) {
    return strcmp(check, run.check) == 0 && repeat_trace() == replay->trace;
}

uint32_t campaign_replay(Replay* replay, uint32_t failures, uint32_t times) {
    char check[sizeof run.check];
    bool recorded = recording.on;
    recording_start();
    repeat_learned(&replay->schedule, failures);
    if (!replay->has_trace) replay->trace = repeat_trace();
    replay->has_trace = true;
    snprintf(check, sizeof check, "%s", run.check);
    uint32_t same = 0;
    for (uint32_t i = 0; i < times; i++) {
        repeat_once(&replay->schedule, failures);
        same += is_same(check, replay);
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
    scenario_hash(wanted->scenario, replay->text);
    if (strcmp(wanted->changes, "all") != 0) snprintf(replay->changes, sizeof replay->changes, "%s", wanted->changes);
    snprintf(replay->weaken, sizeof replay->weaken, "%s", wanted->weaken);
    replay->follow = wanted->follow;
    replay->schedule = *run_schedule;
    note_words(result);
    // A repetition may find a race where the first run, which did not know the line yet, went on to something else.
    result->replayed = campaign_replay(replay, wanted->scenario->failures, REPLAYS);
    if (run.check[0] == '\0') result->replayed = 0;
    if (result->replayed) note_words(result);
}

static bool is_over(uint64_t schedules, double end) {
    return campaign_stop || (end != 0 && schedules % 64 == 0 && now() > end);
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

static bool has_ended(const CampaignResult* result) {
    return result->fault || result->too_much || result->misfits;
}

// The scenario asks for more than a run can hold.
static bool is_too_much(RunEnd how) {
    return how == RUN_FAULT && strcmp(run.check, "scenario") == 0;
}

// Returns when the strategy has no more runs, or a fault is found, or a limit is reached. most: schedules; 0: no limit.
static bool run_strategy(const Campaign* wanted, const RunLimits* limits, uint64_t most, double end, bool exhaustive,
                         CampaignResult* result) {
    for (uint64_t schedules = 0; (most == 0 || schedules < most) && !is_over(schedules, end); schedules++) {
        RunEnd how = run_once(limits);
        result->schedules++;
        result->pruned += how == RUN_PRUNED;
        const bool learned = run.learned;
        result->too_much = is_too_much(how);
        result->misfits = exhaustive && !learned && exhaustive_misfits();
        if (has_ended(result)) return false;
        if (how == RUN_FAULT && is_wanted(wanted) && is_fault(wanted, learned, result)) return false;
        if (learned && exhaustive)
            exhaustive_begin_again();
        else if (!limits->strategy->next_run())
            return true;
    }
    return false;
}

// What the strategies by chance learn afterwards is of no concern for whether the shards have divided the work.
static void note_learned(const Campaign* wanted, CampaignResult* result) {
    Text text = {result->learned, sizeof result->learned, 0};
    locations_contended(&result->words);
    if (wanted->shards < 2) return;
    learned_add_to(&text);
    if (text.length >= text.size) result->learned[0] = '\0';
}

static RunLimits limits_of(const Campaign* wanted, const Strategy* strategy, uint32_t stale) {
    return (RunLimits){.strategy = strategy,
                       .stale_most = (uint8_t)(stale < STALE_MOST ? stale : STALE_MOST),
                       .failures_most = (uint8_t)wanted->scenario->failures,
                       .races = true};
}

// Most of the words are known after a few random runs. A thread that is alone in having a program shares few. These
// runs are the same, however few schedules are wanted: a search that goes on does so in the same tree.
static bool learn(const Campaign* wanted, CampaignResult* result) {
    enum { RUNS = 100, RUNS_ALONE = 4 };
    RunLimits limits = limits_of(wanted, search_random(1), wanted->stale);
    run_strategy(wanted, &limits, scenario_programs(wanted->scenario) == 1 ? RUNS_ALONE : RUNS, 0, false, result);
    return !has_ended(result);
}

static void explore_exhaustively(const Campaign* wanted, double end, CampaignResult* result) {
    ExhaustiveLimits bounds = {0, wanted->preemptions, wanted->shard, wanted->shards ? wanted->shards : 1,
                               wanted->every_prefix};
    RunLimits limits = limits_of(wanted, search_exhaustive(&bounds), wanted->stale);
    const PositionFit fit = wanted->position ? position_restore(wanted->position) : POSITION_OK;
    if (fit == POSITION_OLD) exhaustive_begin_again();
    result->misfits = fit == POSITION_BAD;
    if (result->misfits) return;
    run_limit = NULL;  // of the runs that count
    const bool all = run_strategy(wanted, &limits, wanted->schedules, end, true, result);
    result->complete = all && run_limit == NULL;
    result->has_position = !all && !has_ended(result) &&
                           position_format(result->position, sizeof result->position) < sizeof result->position;
    result->bound = exhaustive_bound();
    note_learned(wanted, result);
    states_forget();
}

static void explore_by_chance(const Campaign* wanted, const Strategy* strategy, double end, CampaignResult* result) {
    enum { SOME = 3000 };
    RunLimits limits = limits_of(wanted, strategy, wanted->stale_by_chance);
    const uint64_t most = wanted->schedules ? wanted->schedules : end != 0 ? 0 : SOME;
    run_strategy(wanted, &limits, most, end, false, result);
}

// The time is divided: half of it for the exhaustive search, unless that is done before.
static void explore(const Campaign* wanted, double start, CampaignResult* result) {
    enum { PCT_DEPTH = 3 };
    double seconds = wanted->seconds, end = seconds > 0 ? start + seconds : 0;
    double first = seconds > 0 && (wanted->pct || wanted->random) ? start + seconds / 2 : end;
    uint64_t seed = wanted->seed + (uint64_t)wanted->shard * UINT64_C(1000003);
    if (wanted->exhaustive && learn(wanted, result)) explore_exhaustively(wanted, first, result);
    double second = seconds > 0 && wanted->random ? (now() + end) / 2 : end;
    if (wanted->pct && !has_ended(result)) explore_by_chance(wanted, search_pct(seed, PCT_DEPTH), second, result);
    if (wanted->random && !has_ended(result)) explore_by_chance(wanted, search_random(seed), end, result);
}

bool campaign(const Campaign* wanted, CampaignResult* result, char* message, size_t size) {
    double start = now();
    memset(result, 0, sizeof *result);
    run_limit = NULL;
    run_will_follow(wanted->follow);
    if (!run_prepare(wanted->scenario, wanted->changes, message, size)) return false;
    uint32_t words;
    if (wanted->learned && !learned_restore(wanted->learned, &words)) {
        snprintf(message, size, "--learned has no words: %.40s", wanted->learned);
        return false;
    }
    explore(wanted, start, result);
    if (result->too_much) {
        snprintf(message, size, "%s: %s", wanted->scenario->name, run.text);
        return false;
    }
    if (result->misfits) {
        snprintf(message, size, "%s: this search was never at the position that --position gives",
                 wanted->scenario->name);
        return false;
    }
    result->ends = ends_count();
    if (!wanted->exhaustive) note_learned(wanted, result);
    result->seconds = now() - start;
    return true;
}
