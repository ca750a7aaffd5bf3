// A workload: a pattern of mallocs and frees with parameters, run by threads until the time is over. It is compiled
// several times, see alloc.h. To add one, write a file here that defines a `const struct workload`, and add a line to
// workloads[].
// Thread-safety: run() starts and joins its own threads. Errors: run() returns 0, or an errno if it could not get
// threads or memory. Damage that a workload finds in its blocks goes to workload_fault().
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

// One for each lane of work (a thread and its successors are one lane). It has one writer; anybody may read.
struct workload_progress {
    _Alignas(64) _Atomic uint64_t ops;
};

struct workload_run {
    double seconds;  // of work, without the setup
    uint64_t count;  // operations after which each lane ends, whatever the time; 0: the time decides
    unsigned threads;
    uint64_t seed;
    const uint64_t* params;              // in the order of the workload's table
    const _Atomic uint32_t* stop;        // not 0: end now; the result is what was done until then
    struct workload_progress* progress;  // [threads], zero at the start; incremented at each operation
    void (*thread_start)(void);          // called first in every thread that the workload starts; NULL: nothing to do
};

struct workload_result {
    uint64_t ops;  // a malloc and its free count as one
    double seconds;
};

struct workload {
    const char* name;
    const char* summary;                  // one line
    const char* source;                   // who published it
    const char* stresses;                 // one line: what it stresses in an allocator
    const char* limit;                    // what its floor still does, see limit.h; NULL: it has none
    const struct workload_param* params;  // ended by a NULL name
    int (*run)(const struct workload_run* run, struct workload_result* result);
    unsigned own_threads;  // not 0: it always has this many threads, whatever run->threads says
    unsigned roles;        // how many threads of each lane work at the same time; 0: one
    // NULL, or the reason why it cannot run. If the function itself is NULL, it always can.
    const char* (*check)(const struct workload* workload);
};

extern const struct workload workload_larson;

// Prints one line, `hakstress: check=CHECK site=WORKLOAD text`, and aborts: a block did not contain what was written to
// it.
_Noreturn void workload_fault(const char* check, const char* site, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// Seconds of CLOCK_MONOTONIC.
double workload_clock(void);
// Sleeps until workload_clock() reaches `deadline`, or until *stop or *over is set.
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
