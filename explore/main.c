#include "run/run.h"
#include "run/ends.h"
#include "search/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
int main(int argc, char** argv) {
    const char *changes = "all", *strategy = "exhaustive", *replay = NULL; uint32_t bound = 2, stale = 0; double secs = 10; long most = 1000000000; uint64_t seed = 1; int times=100; int races=1; int keep=0;
    static Scenario s; char message[512];
    const char* file = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *o = argv[i], *v = argv[i + 1];
        if (!strcmp(o, "--changes")) changes = v;
        if (!strcmp(o, "--strategy")) strategy = v;
        if (!strcmp(o, "--preemptions")) bound = (uint32_t)atoi(v);
        if (!strcmp(o, "--stale")) stale = (uint32_t)atoi(v);
        if (!strcmp(o, "--seconds")) secs = atof(v);
        if (!strcmp(o, "--schedules")) most = atol(v);
        if (!strcmp(o, "--seed")) seed = (uint64_t)atol(v);
        if (!strcmp(o, "--replay")) replay = v;
        if (!strcmp(o, "--races")) races = atoi(v);
        if (!strcmp(o, "--keep")) keep = atoi(v);
    }
    run_start();
    if (!scenario_read(file, &s, message, sizeof message) || !run_prepare(&s, changes, message, sizeof message)) { puts(message); return 2; }
    RunLimits limits = {.stale_most = (uint8_t)stale, .failures_most = (uint8_t)s.failures, .races = races};
    if (replay) {
        Replay r; const char *at, *exp;
        if (!replay_parse(replay, &r, &at, &exp)) { printf("expected %s at '%s'\n", exp, at); return 2; }
        limits.strategy = search_replay(&r.schedule); limits.every_moment = true; limits.stale_most = 3; limits.failures_most = 8;
        int ok = 0; for (int i = 0; i < times; i++) ok += run_once(&limits) == RUN_FAULT;
        printf("replayed %d/%d: %s %s\n", ok, times, run.check, run.text);
        return 0;
    }
    ExhaustiveLimits el = {0, bound, 0, 1};
    limits.strategy = !strcmp(strategy, "exhaustive") ? search_exhaustive(&el) : !strcmp(strategy, "pct") ? search_pct(seed, 3) : search_random(seed);
    double t0 = now(); uint64_t n = 0, pruned = 0, restarts = 0, faults = 0; 
    for (;;) {
        RunEnd e = run_once(&limits); n++; pruned += e == RUN_PRUNED;
        if (e == RUN_FAULT) {
            faults++;
            if (!keep) {
            static Replay r; static char text[100000]; snprintf(r.scenario, sizeof r.scenario, "%s", s.name); strcpy(r.build, "0"); r.schedule = run.schedule;
            if (strcmp(changes,"all")) snprintf(r.changes, sizeof r.changes, "%s", changes);
            replay_format(&r, text, sizeof text);
            printf("FAULT %s: %s\n after %lu schedules %.2f s, switches %u\n %s\n", run.check, run.text, n, now() - t0, schedule_switches(&run.schedule), text);
            Schedule sch = run.schedule; char check[32]; strcpy(check, run.check);
            limits.strategy = search_replay(&sch); limits.every_moment = true;
            int ok = 0; for (int i = 0; i < 100; i++) ok += run_once(&limits) == RUN_FAULT && !strcmp(check, run.check);
            printf("replayed %d/100 %s %s\n", ok, run.check, run.text);
            return 1; }
        }
        if (run.learned && limits.strategy->name[0] == 'e') { exhaustive_begin_again(); restarts++; continue; }
        if (!limits.strategy->next_run()) break;
        if ((long)n >= most || ((n & 63) == 0 && now() - t0 > secs)) break;
    }
    double dt = now() - t0; uint64_t h;
    printf("%s %s ends %lu bound %u/%u stale %u: %lu schedules (%lu pruned) %s %lu faults %.2f s %.0f/min contended %u restarts %lu\n", s.name, strategy, ends_count(), exhaustive_bound(), bound, stale, n, pruned, exhaustive_is_complete() ? "COMPLETE" : "incomplete", faults, dt, (double)n / dt * 60, locations_contended(&h), restarts);
    return 0;
}
