// hakstress bench --latency: the times of single calls, under every allocator of this machine or one of them.
// Thread-safety: none needed. Errors: an allocator whose run fails has a line that says so, and the others go on.
#ifndef HAKSTRESS_BENCH_LATENCY_H
#define HAKSTRESS_BENCH_LATENCY_H

#include "command/bench_load.h"
#include "worker/run.h"

#include <jansson.h>
#include <stdio.h>

struct bench_latency_plan {
    struct worker_job job;  // without workload, params, library and what receives its lines
    const struct bench_load* loads;
    size_t load_count;
    const char* only;  // library to preload, "" for the C library's malloc; NULL: every allocator that is found
    uint64_t runs;
    bool sizes;  // a line for each band of sizes, too
    FILE* out;
    json_t* rows;  // receives one object a load
};

// Returns the exit status.
int bench_latency(const struct bench_latency_plan* plan);

#endif
