#include "workload/timed.h"

#include "workload/team.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { WINDOW = 16, SLOTS = 256 };

// Threads take slots in turn: each has its own unless there are more than SLOTS of them at a time.
struct slot {
    struct histogram histograms[TIMED_KINDS];
};

struct sampler {
    bool started;
    uint32_t place;  // position of the sampled call in the current window
};

_Thread_local uint32_t timed_calls_left[TIMED_KINDS];
static _Thread_local struct sampler samplers[TIMED_KINDS];
static _Thread_local struct slot* own;
static _Thread_local struct workload_random own_random;

static struct slot* slots;
static _Atomic uint32_t threads_seen;
static bool has_counter;
static uint64_t overhead;                // ticks between two readings with nothing between them
static uint64_t begin_ticks, end_ticks;  // a span of time from which the length of a tick is computed
static double begin_seconds, end_seconds;

// The clock

#if defined(__x86_64__)
static bool find_counter(void) {
    unsigned a, b, c, d;
    const unsigned invariant = 1u << 8;  // in EDX: constant speed at any frequency, never stops
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & invariant) != 0;
}

// The fences keep the measured code from starting before the reading, and from still running at the next one.
static inline uint64_t read_counter(void) {
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
#elif defined(__aarch64__)
static bool find_counter(void) {
    return true;
}

static inline uint64_t read_counter(void) {
    uint64_t ticks;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
    return ticks;
}
#else
static bool find_counter(void) {
    return false;
}

static inline uint64_t read_counter(void) {
    return 0;
}
#endif

static inline uint64_t read_clock(void) {
    if (has_counter) return read_counter();
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t least_between_readings(void) {
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t from = read_clock(), between = read_clock() - from;
        if (between < least) least = between;
    }
    return least;
}

// Which calls

static void start_thread(void) {
    const uint32_t number = atomic_fetch_add_explicit(&threads_seen, 1, memory_order_relaxed);
    workload_random_seed(&own_random, 0, number);
    own = &slots[number % SLOTS];
}

static uint32_t new_place(struct sampler* sampler) {
    sampler->place = (uint32_t)workload_random_below(&own_random, WINDOW);
    return sampler->place;
}

// Is this call to be timed? Counts down the calls until the next one. Only a thread's first call may be due but not
// timed.
static bool choose(enum timed_kind kind) {
    struct sampler* sampler = &samplers[kind];
    if (slots == NULL) {
        timed_calls_left[kind] = UINT32_MAX;
        return false;
    }
    if (own == NULL) start_thread();
    if (!sampler->started) {
        sampler->started = true;
        if (new_place(sampler) > 0) {
            timed_calls_left[kind] = sampler->place - 1;
            return false;
        }
    }
    const uint32_t rest_of_window = WINDOW - 1 - sampler->place;
    timed_calls_left[kind] = rest_of_window + new_place(sampler);
    return true;
}

static void record(enum timed_kind kind, uint64_t from, uint64_t to) {
    if (to < from) return;  // moved between processors whose counters differ
    const uint64_t ticks = to - from;
    histogram_record(&own->histograms[kind], ticks > overhead ? ticks - overhead : 0);
}

// Times CALL, or just calls it.
#define DUE(kind, CALL)                         \
    do {                                        \
        if (choose(kind)) {                     \
            const uint64_t from = read_clock(); \
            CALL;                               \
            record(kind, from, read_clock());   \
        } else {                                \
            CALL;                               \
        }                                       \
    } while (0)

void* timed_malloc_due(size_t size) {
    void* block;
    DUE(TIMED_MALLOC, block = malloc(size));
    return block;
}

void* timed_calloc_due(size_t count, size_t size) {
    void* block;
    DUE(TIMED_MALLOC, block = calloc(count, size));
    return block;
}

void* timed_realloc_due(void* block, size_t size) {
    void* moved;
    DUE(TIMED_MALLOC, moved = realloc(block, size));
    return moved;
}

void timed_free_due(void* block) {
    DUE(TIMED_FREE, free(block));
}

void* timed_new_due(size_t size) {
    void* block;
    DUE(TIMED_MALLOC, block = sized_new(size));
    return block;
}

void timed_delete_due(void* block, size_t size) {
    DUE(TIMED_FREE, sized_delete(block, size));
}

// Begin and end

int timed_begin(void) {
    has_counter = find_counter();
    overhead = least_between_readings();
    begin_seconds = workload_clock();
    begin_ticks = read_clock();
    slots = team_map((SLOTS + 1) * sizeof *slots);  // the last one for the sum
    return slots == NULL ? ENOMEM : 0;
}

// A short time would give the length of a tick imprecisely.
static void end_clock(void) {
    const double least = 0.02;
    const double left = begin_seconds + least - workload_clock();
    const struct timespec nap = {.tv_nsec = left > 0 ? (long)(left * 1e9) : 0};
    nanosleep(&nap, NULL);
    end_seconds = workload_clock();
    end_ticks = read_clock();
}

const struct histogram* timed_end(enum timed_kind kind) {
    if (slots == NULL) return NULL;
    struct histogram* sum = &slots[SLOTS].histograms[kind];
    const uint32_t seen = atomic_load_explicit(&threads_seen, memory_order_relaxed);
    for (uint32_t i = 0; i < SLOTS && i < seen; i++) histogram_add(sum, &slots[i].histograms[kind]);
    if (end_ticks == 0) end_clock();
    return sum;
}

double timed_nanoseconds(uint64_t ticks) {
    if (!has_counter) return (double)ticks;
    return (double)ticks * (end_seconds - begin_seconds) * 1e9 / (double)(end_ticks - begin_ticks);
}
