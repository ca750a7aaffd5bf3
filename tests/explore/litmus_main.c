#include "litmus.h"

#include "run/run.h"
#include "search/search.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool explore(const Litmus* l) {
    enum { STALE = 2, RUNS_MOST = 100000 };
    unsigned count = l->thread[2] ? 3 : 2;
    ExhaustiveLimits bounds = {0, PREEMPTIONS_WITHOUT_BOUND, 0, 1, false};
    bool seen = false, faults = false, as_wanted = true;
    run_prepare_functions(l->thread, count);
    RunLimits limits = {.strategy = search_exhaustive(&bounds), .stale_most = STALE, .races = true};
    for (int i = 0; i < RUNS_MOST; i++) {
        RunEnd end = run_once(&limits);
        seen |= end == RUN_OK && litmus_result(0) == l->outcome[0] && litmus_result(1) == l->outcome[1];
        faults |= end == RUN_FAULT;
        as_wanted &= end != RUN_FAULT || (l->check && strcmp(run.check, l->check) == 0);
        if (run.learned) {
            exhaustive_begin_again();
            seen = faults = false;
            as_wanted = true;
        } else if (!limits.strategy->next_run())
            break;
    }
    bool ok = seen == l->allowed && faults == (l->check != NULL) && as_wanted && exhaustive_is_complete();
    printf("%s %s: outcome %s, %s\n", ok ? "ok  " : "FAIL", l->name, seen ? "seen" : "not seen",
           faults ? "a fault" : "no fault");
    return ok;
}

int main(void) {
    bool ok = true;
    run_start();
    for (const Litmus* l = litmus; l->name; l++) ok &= explore(l);
    fflush(stdout);
    _exit(ok ? 0 : 1);
}
