// malloc and free with a clock around one call in 16, at a random position in each 16 calls of its thread. So a rhythm
// of the workload hides no calls, and the calls of short threads are sampled as often as others. calloc and realloc
// count as malloc.
// The clock is the processor's counter if that runs at a constant speed, else CLOCK_MONOTONIC. The minimum cost of
// reading it is subtracted.
// Thread-safety: any number of threads between timed_begin() and timed_end(). Errors: timed_begin() returns an errno.
#ifndef HAKSTRESS_WORKLOAD_TIMED_H
#define HAKSTRESS_WORKLOAD_TIMED_H

#include "base/histogram.h"
#include "workload/sized.h"

#include <stdint.h>
#include <stdlib.h>

enum timed_kind { TIMED_MALLOC, TIMED_FREE, TIMED_KINDS };

int timed_begin(void);
// All threads' calls together, after the workload's threads have ended. NULL without timed_begin().
const struct histogram* timed_end(enum timed_kind kind);
// A value of such a histogram in nanoseconds.
double timed_nanoseconds(uint64_t ticks);

extern _Thread_local uint32_t timed_calls_left[TIMED_KINDS];  // before the next one that may be timed

void* timed_malloc_due(size_t size);
void* timed_calloc_due(size_t count, size_t size);
void* timed_realloc_due(void* block, size_t size);
void timed_free_due(void* block);
void* timed_new_due(size_t size);
void timed_delete_due(void* block, size_t size);

static inline int timed_is_due(enum timed_kind kind) {
    return timed_calls_left[kind]-- == 0;
}

static inline void* timed_malloc(size_t size) {
    return timed_is_due(TIMED_MALLOC) ? timed_malloc_due(size) : malloc(size);
}

static inline void* timed_calloc(size_t count, size_t size) {
    return timed_is_due(TIMED_MALLOC) ? timed_calloc_due(count, size) : calloc(count, size);
}

static inline void* timed_realloc(void* block, size_t size) {
    return timed_is_due(TIMED_MALLOC) ? timed_realloc_due(block, size) : realloc(block, size);
}

static inline void timed_free(void* block) {
    if (timed_is_due(TIMED_FREE))
        timed_free_due(block);
    else
        free(block);
}

static inline void* timed_new(size_t size) {
    return timed_is_due(TIMED_MALLOC) ? timed_new_due(size) : sized_new(size);
}

static inline void timed_delete(void* block, size_t size) {
    if (timed_is_due(TIMED_FREE))
        timed_delete_due(block, size);
    else
        sized_delete(block, size);
}

#endif
