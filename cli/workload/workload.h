// A workload: a pattern of mallocs and frees with parameters, run by threads until the time is over.
// Compiled several times, see alloc.h. A new one is a file here that defines a `const struct workload` and a line in workloads[].
// Thread-safety: run() starts and joins its own threads. Errors: run() gives 0, or an errno when threads or memory could not be
// had; damage that a workload finds in its blocks goes to workload_fault().
#ifndef HAKSTRESS_WORKLOAD_H
#define HAKSTRESS_WORKLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_PARAMS_MAX 16
#define WORKLOAD_THREADS_MAX 1024

struct workload_param {
    const char* name;  // also the name of the command-line option: "chunks" for --chunks
    uint64_t standard, min, max;
    const char* help;
};

// One for each lane of work (a thread and its successors count as one). A single writer; anybody may read.
struct workload_progress {
    _Alignas(64) _Atomic uint64_t ops;
};

struct workload_run {
    double seconds;  // of work; setting up is not counted
    uint64_t count;  // operations of each lane after which it ends, whatever the time; 0: the time decides
    unsigned threads;
    uint64_t seed;
    const uint64_t* params;              // in the order of the workload's table
    const _Atomic uint32_t* stop;        // not 0: end now, the result is what was done so far
    struct workload_progress* progress;  // [threads], zero at the start; bumped at each operation
    void (*thread_start)(void);          // called first in every thread that the workload starts; NULL: nothing to do
};

struct workload_result {
    uint64_t ops;  // mallocs with their frees
    double seconds;
};

struct workload {
    const char* name;
    const char* summary;                  // one line
    const char* source;                   // who published it
    const char* stresses;                 // one line: what in an allocator it is hard on
    const char* limit;                    // what its floor still does, see limit.h; NULL: none can be stated
    const struct workload_param* params;  // ended by a NULL name
    int (*run)(const struct workload_run* run, struct workload_result* result);
    unsigned own_threads;  // not 0: so many threads does it have, whatever run->threads says
    unsigned roles;        // of each of its threads there are so many, which work at the same time; 0: one
    // NULL, or the reason why it cannot run. NULL in place of the function: it always can.
    const char* (*check)(const struct workload* workload);
};

extern const struct workload workload_larson;

// Prints one line, `hakstress: check=CHECK site=WORKLOAD text`, and aborts: a block did not hold what was written to it.
_Noreturn void workload_fault(const char* check, const char* site, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// Seconds of CLOCK_MONOTONIC.
double workload_clock(void);
// Sleeps until workload_clock() reaches `deadline`, or *stop or *over is set.
void workload_wait(double deadline, const _Atomic uint32_t* stop, const _Atomic uint32_t* over);

// xorshift64*: G. Marsaglia, "Xorshift RNGs" (2003); multiplier by S. Vigna (2014). A state is never 0.
struct workload_random {
    uint64_t state;
};
void workload_random_seed(struct workload_random* random, uint64_t seed, uint64_t stream);

static inline uint64_t workload_random_next(struct workload_random* random) {
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

// In [0, bound), by multiplication instead of division; bound is at most 2^32.
static inline uint64_t workload_random_below(struct workload_random* random, uint64_t bound) {
    return ((workload_random_next(random) >> 32) * bound) >> 32;
}

static inline void workload_count(struct workload_progress* progress) {
    atomic_store_explicit(&progress->ops, atomic_load_explicit(&progress->ops, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
