// Vector clocks: one number for each thread of a run, and one for what came before the run.
// Thread-safety: none needed.
// Errors: none; a run has fewer releases than a number can count (runtime/scheduler.h bounds its moments).
#ifndef EXPLORE_RUNTIME_CLOCK_H
#define EXPLORE_RUNTIME_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_WIDTH = 8 };

typedef uint16_t Clock __attribute__((vector_size(2 * CLOCK_WIDTH)));

static inline void clock_join(Clock* clock, Clock other) {
    Clock later = (Clock)(other > *clock);
    *clock = (other & later) | (*clock & ~later);
}

#endif
