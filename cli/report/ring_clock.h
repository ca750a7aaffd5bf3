// The times of a debug ring's ticks. The ring has a pair of clock values from its start; the second pair is taken here.
// Thread-safety: none needed. Errors: every time is 0 if the ring was never started.
#ifndef HAKSTRESS_RING_CLOCK_H
#define HAKSTRESS_RING_CLOCK_H

#include "observe/ring.h"
#include "report/heap_view.h"

struct ring_reader {
    const HakRingFile* ring;
    const struct heap_view* heap;  // names the threads of control blocks
    uint64_t zero;                 // the tick that times are relative to
    double seconds_per_tick;
};

// Times will be relative to `zero_tick` (hak_ring_clock) or, if that is 0, to `zero` (CLOCK_MONOTONIC, seconds).
void rings_open(struct ring_reader* reader, const HakRingFile* ring, const struct heap_view* heap, uint64_t zero_tick,
                double zero);
double rings_time(const struct ring_reader* reader, uint64_t tick);

#endif
