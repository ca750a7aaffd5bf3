#include "base/random.h"
#include "scenario/maker.h"

#include <stdio.h>

void scenario_random(uint64_t seed, Scenario* scenario) {
    *scenario = (Scenario){.preemptions = PREEMPTIONS_USUAL};
    Maker m = {.stream = seed * RANDOM_STEP + 1, .scenario = scenario};
    bool mixed = maker_below(&m, 4) != 0;
    snprintf(scenario->name, sizeof scenario->name, "random-%lu", (unsigned long)seed);
    snprintf(scenario->about, sizeof scenario->about, "random scenario %lu", (unsigned long)seed);
    scenario->thread_count = mixed ? 1 + maker_below(&m, 3) : 2 + (maker_below(&m, 3) == 0);
    for (unsigned t = 0; t < THREADS_MOST; t++) scenario->begins[t] = true;
    if (mixed)
        make_mixed(&m);
    else
        make_contested(&m);
}
