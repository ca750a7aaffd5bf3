#include "again/again.h"

#include "config/options.h"
#include "record/event.h"
#include "runtime/weaken.h"
#include "search/repeat.h"

#include <stdio.h>

#define CHANGES "HAKMEM_CHANGES"

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
    if (replay->changes[0] && !hak_option_accepts(hak_option_named(CHANGES, sizeof CHANGES - 1), replay->changes)) {
        snprintf(message, size, "there are no changes %s", replay->changes);
        return false;
    }
    run_will_follow(replay->follow);
    return run_prepare(&scenario, replay->changes, message, size);
}

RunEnd again_run(const Schedule* schedule) {
    uint8_t wanted = stale_reads(schedule);
    if (wanted > stale_most) stale_most = wanted;
    recording_start();
    RunEnd end = repeat_learned(schedule, scenario.failures);
    recording_stop();
    return end;
}

RunEnd again_search(const Strategy* strategy) {
    RunLimits limits = {
        .strategy = strategy, .stale_most = stale_most, .failures_most = (uint8_t)scenario.failures, .races = true};
    return run_once(&limits);
}

uint32_t again_trace(void) {
    return repeat_trace();
}
