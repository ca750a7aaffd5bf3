// Counters, from one table (counters.def). Each thread writes its own; reading adds them up. A TCB's counters are never
// reset when another thread gets the TCB, so a sum over all TCBs is a sum over all threads that ever existed.
// Thread-safety: HakCounters has one writer; anybody may read.
// Errors: none.
#ifndef HAK_COUNT_COUNTERS_H
#define HAK_COUNT_COUNTERS_H

#include "base/atomic.h"

typedef enum {
#define COUNTER(name, group, help) HAK_C_##name,
#include "count/counters.def"
#undef COUNTER
    HAK_COUNTER_COUNT
} HakCounter;

typedef struct {
    _Atomic uint64_t value[HAK_COUNTER_COUNT];
} HakCounters;

// For events without a TCB: system calls, and threads that have none.
extern HAK_INTERNAL HakCounters hak_counters_shared;

// The explored build does not count, except what scans read (refill/give_back.c): that would only be more for a run to
// put back.
HAK_INLINE void counter_add(HakCounters* c, HakCounter which, uint64_t n) {
    if (!HAK_EXPLORED || which == HAK_C_free_run) bump_single_writer(&c->value[which], n);
}

HAK_INLINE void counter_add_shared(HakCounter which, uint64_t n) {
    if (!HAK_EXPLORED) add_relaxed(&hak_counters_shared.value[which], n);
}

const char* hak_counter_name(unsigned which);
const char* hak_counter_group(unsigned which);
const char* hak_counter_help(unsigned which);

#endif
