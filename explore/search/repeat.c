#include "search/repeat.h"

#include "record/trace.h"
#include "search/search.h"

// A schedule that is given has as many stale loads as it has. Its failures are another matter: whether any call may
// fail at all tells whether a failed allocation is a fault.
static RunLimits limits_of(const Schedule* schedule, uint32_t failures) {
    return (RunLimits){.strategy = search_replay(schedule),
                       .stale_most = UINT8_MAX,
                       .failures_most = (uint8_t)failures,
                       .every_moment = true,
                       .races = true};
}

RunEnd repeat_learned(const Schedule* schedule, uint32_t failures) {
    enum { TRIES = 16 };
    RunLimits limits = limits_of(schedule, failures);
    RunEnd end = run_once(&limits);
    for (int i = 0; i < TRIES && run.learned; i++) end = run_once(&limits);
    return end;
}

RunEnd repeat_once(const Schedule* schedule, uint32_t failures) {
    RunLimits limits = limits_of(schedule, failures);
    return run_once(&limits);
}

static uint64_t offset_of(uint64_t address) {
    return memory_offset((const void*)(uintptr_t)address);
}

uint32_t repeat_trace(void) {
    return trace_hash(offset_of);
}
