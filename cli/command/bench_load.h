// A workload with its parameters, and the situation in which it puts an allocator.
#ifndef HAKSTRESS_BENCH_LOAD_H
#define HAKSTRESS_BENCH_LOAD_H

#include "workload/workload.h"

enum { BENCH_LOADS_MOST = 64 };

struct bench_load {
    const char* name;  // "purging"; of a workload that the user named: its own
    const struct workload* workload;
    uint64_t params[WORKLOAD_PARAMS_MAX];
};

#endif
