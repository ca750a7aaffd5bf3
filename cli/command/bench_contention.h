// hakstress bench --contention: what would limit libhakmem on many cores, counted on few.
// Thread-safety: none needed. Errors: a line on stderr, and the exit status.
#ifndef HAKSTRESS_BENCH_CONTENTION_H
#define HAKSTRESS_BENCH_CONTENTION_H

#include "command/bench_load.h"
#include "worker/run.h"

#include <jansson.h>
#include <stdio.h>

struct bench_contention_plan {
    struct worker_job job;  // the library in it: the one whose time is measured
    const char* counting;   // the same library, counting
    const struct bench_load* loads;
    size_t load_count;
    FILE* out;
    json_t* rows;  // receives one object for each load and number of threads
};

// Returns the exit status.
int bench_contention(const struct bench_contention_plan* plan);

#endif
