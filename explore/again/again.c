#include "again/again.h"

#include "record/event.h"
#include "record/trace.h"
#include "runtime/memory.h"
#include "runtime/weaken.h"
#include "search/search.h"

#include <stdio.h>

static Scenario scenario;
static uint8_t stale_most;

const Scenario* again_scenario(void) {
    return &scenario;
}

static uint8_t stale_reads(const Schedule* schedule) {
    unsigned count = 0;
    for (uint32_t i = 0; i < schedule->count; i++) count += schedule->at[i].kind == CHOOSE_STORE;
    return count < UINT8_MAX ? (uint8_t)count : UINT8_MAX;
}

bool again_prepare(const Replay* replay, const Scenario* whole, char* message, size_t size) {
    scenario = *whole;
    stale_most = stale_reads(&replay->schedule);
    if (!scenario_drop(&scenario, replay->dropped, replay->dropped_count)) {
        snprintf(message, size, "%s has no such operation to leave out", replay->scenario);
        return false;
    }
    if (!weaken_set(replay->weaken)) {
        snprintf(message, size, "there is no order %s to weaken", replay->weaken);
        return false;
    }
    run_will_follow(replay->follow);
    return run_prepare(&scenario, replay->changes, message, size);
}

static RunLimits limits_of(const Strategy* strategy) {
    return (RunLimits){
        .strategy = strategy, .stale_most = stale_most, .failures_most = (uint8_t)scenario.failures, .races = true};
}

// What a run learns of the words and lines that threads share may be needed at its beginning.
RunEnd again_run(const Schedule* schedule) {
    enum { TRIES = 16 };
    uint8_t wanted = stale_reads(schedule);
    if (wanted > stale_most) stale_most = wanted;
    RunLimits limits = limits_of(search_replay(schedule));
    limits.every_moment = true;
    recording_start();
    RunEnd end = run_once(&limits);
    for (int i = 0; i < TRIES && run.learned; i++) end = run_once(&limits);
    recording_stop();
    return end;
}

RunEnd again_search(const Strategy* strategy) {
    RunLimits limits = limits_of(strategy);
    return run_once(&limits);
}

static uint64_t offset_of(uint64_t address) {
    return memory_offset((const void*)(uintptr_t)address);
}

uint32_t again_trace(void) {
    return trace_hash(offset_of);
}
