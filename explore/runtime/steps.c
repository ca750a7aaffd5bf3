#include "runtime/steps.h"

#include "record/event.h"
#include "runtime/scheduler.h"

uint64_t steps_reached[HAK_STEP_COUNT];
void (*step_check)(unsigned step);

static const struct {
    const char *name, *words;
} steps[HAK_STEP_COUNT] = {
#define PROTOCOL_STEP(name, words) {#name, words},
#include "observe/steps.def"
#undef PROTOCOL_STEP
};

const char* step_name(unsigned step) {
    return step < HAK_STEP_COUNT ? steps[step].name : "-";
}

const char* step_words(unsigned step) {
    return step < HAK_STEP_COUNT ? steps[step].words : "";
}

// Called by the allocator, right before the step.
void explored_step(unsigned step) {
    if (!run.active) return;
    Thread* me = &threads[current_thread];
    me->hurries = false;
    if (run.limits.follow) {
        me->moment++;
        scheduler_point();
    }
    if (step >= HAK_STEP_COUNT) return;
    step_check(step);
    me->step = (uint16_t)step;
    steps_reached[step]++;
    run.steps[step]++;
    record((Event){.kind = EVENT_STEP,
                   .thread = (uint8_t)current_thread,
                   .step = (uint16_t)step,
                   .moment = me->moment,
                   .site = __builtin_return_address(0)});
}
