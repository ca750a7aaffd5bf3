#include "workload/workload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void workload_fault(const char* check, const char* site, const char* format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "hakstress: check=%s site=%s %s\n", check, site, text);
    abort();
}

double workload_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void workload_wait(double deadline, const _Atomic uint32_t* stop, const _Atomic uint32_t* over) {
    // Short sleeps, because the flag is in memory that another process writes to.
    const double step = 0.01;
    while (atomic_load_explicit(stop, memory_order_relaxed) == 0 &&
           atomic_load_explicit(over, memory_order_relaxed) == 0) {
        double left = deadline - workload_clock();
        if (left <= 0) return;
        if (left > step) left = step;
        struct timespec nap = {.tv_sec = 0, .tv_nsec = (long)(left * 1e9)};
        nanosleep(&nap, NULL);  // if the sleep is interrupted, the next check comes earlier
    }
}

void workload_random_seed(struct workload_random* random, uint64_t seed, uint64_t stream) {
    // splitmix64 (G. Steele, D. Lea, C. Flood, 2014), so that neighbouring seeds and streams have nothing in common.
    uint64_t z = seed + (stream + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    random->state = z != 0 ? z : 1;
}
