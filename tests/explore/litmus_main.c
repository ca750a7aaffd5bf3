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
    bool seen = false, raced = false;
    run_prepare_functions(l->thread, count);
    RunLimits limits = {.strategy = search_exhaustive(&bounds), .stale_most = STALE, .races = true};
    for (int i = 0; i < RUNS_MOST; i++) {
        RunEnd end = run_once(&limits);
        seen |= end == RUN_OK && litmus_result(0) == l->outcome[0] && litmus_result(1) == l->outcome[1];
        raced |= end == RUN_FAULT && strcmp(run.check, "race") == 0;
        if (run.learned) {
            exhaustive_begin_again();
            seen = raced = false;
        } else if (!limits.strategy->next_run())
            break;
    }
    bool ok = seen == l->allowed && raced == l->races && exhaustive_is_complete();
    printf("%s %s: outcome %s, %s\n", ok ? "ok  " : "FAIL", l->name, seen ? "seen" : "not seen",
           raced ? "a race" : "no race");
    return ok;
}

int main(void) {
    bool ok = true;
    run_start();
    for (const Litmus* l = litmus; l->name; l++) ok &= explore(l);
    fflush(stdout);
    _exit(ok ? 0 : 1);
}
