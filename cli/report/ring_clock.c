#include "report/ring_clock.h"

#include <time.h>

// Both clocks at one moment: the best of several tries.
static void read_clocks(uint64_t* tick, double* seconds) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 16; i++) {
        struct timespec now;
        uint64_t before = hak_ring_clock();
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t took = hak_ring_clock() - before;
        if (took >= least) continue;
        least = took;
        *tick = before + took / 2;
        *seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    }
}

void rings_open(struct ring_reader* reader, const HakRingFile* ring, const struct heap_view* heap, uint64_t zero_tick,
                double zero) {
    uint64_t tick = 0;
    double now = 0, start = 1e-9 * (double)ring->start_ns;
    read_clocks(&tick, &now);
    double ticks = (double)(tick - ring->start_tsc), per_tick = ticks > 0 && now > start ? (now - start) / ticks : 0;
    if (zero_tick == 0 && per_tick > 0) zero_tick = tick + (uint64_t)(int64_t)((zero - now) / per_tick);
    *reader = (struct ring_reader){ring, heap, zero_tick, per_tick};
}

double rings_time(const struct ring_reader* reader, uint64_t tick) {
    return (double)(int64_t)(tick - reader->zero) * reader->seconds_per_tick;
}
