// Larson's churn. Each lane has a set of live blocks. Its thread replaces random ones. After chunks * rounds
// replacements the thread starts a successor, which inherits the set, and ends. So blocks are freed by threads that did
// not allocate them.
//
// A successor joins the thread before it when its own work is done. So the end of one thread overlaps the start of the
// next, as in the paper, and no ended thread is left behind.
#include "workload/alloc.h"
#include "workload/workload.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

enum { PARAM_MIN, PARAM_MAX, PARAM_CHUNKS, PARAM_ROUNDS };

static const struct workload_param larson_params[] = {
    [PARAM_MIN] = {"min", 8, 2, 1u << 30, "smallest block in bytes"},
    [PARAM_MAX] = {"max", 128, 2, 1u << 30, "largest block in bytes"},
    [PARAM_CHUNKS] = {"chunks", 1024, 1, 1u << 24, "live blocks of each thread"},
    [PARAM_ROUNDS] = {"rounds", 1, 1, 1u << 20, "a thread hands over to the next after chunks * rounds replacements"},
    {.name = NULL},
};

struct shared_state {
    const struct workload_run* run;
    _Atomic uint32_t over;  // the time is over, or a lane cannot go on
    _Atomic int error;      // the first errno that ended a lane
    size_t min, span;       // sizes are min + [0, span)
    size_t chunks;
    bool sized;             // a free gets the size
    uint64_t replacements;  // of one thread
};

struct lane {
    struct shared_state* shared;
    struct workload_progress* progress;
    unsigned char** blocks;
    uint32_t* sizes;  // of the blocks; NULL: a free does not get it
    struct workload_random random;
    pthread_t ended_thread;  // the previous thread; at the end, the last one
    bool has_ended_thread;
    sem_t ended;  // posted by the lane's last thread
};

static void fail_with(struct shared_state* shared, int error) {
    int none = 0;
    atomic_compare_exchange_strong(&shared->error, &none, error);
    atomic_store(&shared->over, 1);
}

// Inlined with `sized` constant, so that larson does not pay for larson-sized.
#define FOR_EACH_KIND static inline __attribute__((always_inline))

// Allocates into an empty place.
FOR_EACH_KIND bool new_block(struct lane* lane, size_t place, bool sized) {
    size_t size = lane->shared->min + workload_random_below(&lane->random, lane->shared->span);
    unsigned char* block = sized ? wl_new(size) : wl_malloc(size);
    lane->blocks[place] = block;
    if (block == NULL) return false;
    if (sized) lane->sizes[place] = (uint32_t)size;
    block[0] = 'a';
    block[1] = 'b';
    return true;
}

FOR_EACH_KIND void end_block(struct lane* lane, size_t place, bool sized) {
    unsigned char* block = lane->blocks[place];
    if (block == NULL) return;
    if (block[0] != 'a' || block[1] != 'b') {
        workload_fault("payload", "larson", "block=%p lane=%td holds 0x%02x 0x%02x instead of 0x61 0x62", (void*)block,
                       lane->progress - lane->shared->run->progress, block[0], block[1]);
    }
    if (sized)
        wl_delete(block, lane->sizes[place]);
    else
        wl_free(block);
}

static bool time_is_up(const struct shared_state* shared) {
    return atomic_load_explicit(&shared->over, memory_order_relaxed) != 0 ||
           atomic_load_explicit(shared->run->stop, memory_order_relaxed) != 0;
}

static bool is_done(const struct lane* lane) {
    uint64_t count = lane->shared->run->count;
    return time_is_up(lane->shared) ||
           (count != 0 && atomic_load_explicit(&lane->progress->ops, memory_order_relaxed) >= count);
}

FOR_EACH_KIND void churn(struct lane* lane, bool sized) {
    struct shared_state* shared = lane->shared;
    for (uint64_t i = 0; i < shared->replacements && !is_done(lane); i++) {
        const size_t place = workload_random_below(&lane->random, shared->chunks);
        end_block(lane, place, sized);
        if (!new_block(lane, place, sized)) {
            fail_with(shared, ENOMEM);
            return;
        }
        workload_count(lane->progress);
    }
}

static void* lane_thread(void* argument);

static int start_thread(struct lane* lane) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    // The C library keeps small stacks in its cache, so a new thread costs no mmap.
    error = pthread_attr_setstacksize(&attributes, 256u << 10);
    pthread_t thread;
    if (error == 0) error = pthread_create(&thread, &attributes, lane_thread, lane);
    pthread_attr_destroy(&attributes);
    return error;
}

static void* lane_thread(void* argument) {
    struct lane* lane = argument;
    if (lane->shared->run->thread_start != NULL) lane->shared->run->thread_start();
    if (lane->shared->sized)
        churn(lane, true);
    else
        churn(lane, false);
    if (lane->has_ended_thread) pthread_join(lane->ended_thread, NULL);
    lane->ended_thread = pthread_self();
    lane->has_ended_thread = true;
    if (!is_done(lane)) {
        int error = start_thread(lane);
        if (error == 0) return NULL;  // the successor owns the lane now
        fail_with(lane->shared, error);
    }
    sem_post(&lane->ended);
    return NULL;
}

// The calling thread allocates the first blocks of all lanes, as in the paper.
static int fill_lane(struct lane* lane) {
    lane->blocks = calloc(lane->shared->chunks, sizeof *lane->blocks);
    if (lane->blocks == NULL) return ENOMEM;
    if (lane->shared->sized) {
        lane->sizes = calloc(lane->shared->chunks, sizeof *lane->sizes);
        if (lane->sizes == NULL) return ENOMEM;
    }
    for (size_t i = 0; i < lane->shared->chunks; i++)
        if (!new_block(lane, i, lane->shared->sized)) return ENOMEM;
    return 0;
}

static void empty_lane(struct lane* lane) {
    for (size_t i = 0; lane->blocks != NULL && i < lane->shared->chunks; i++) end_block(lane, i, lane->shared->sized);
    free(lane->blocks);
    free(lane->sizes);
}

static void wait_for_lane(struct lane* lane) {
    while (sem_wait(&lane->ended) != 0) {  // interrupted by a signal
    }
    pthread_join(lane->ended_thread, NULL);
}

static void run_lanes(struct shared_state* shared, struct lane* lanes, struct workload_result* result) {
    double start = workload_clock();
    unsigned started = 0;
    int error = 0;
    while (started < shared->run->threads && error == 0) {
        error = start_thread(&lanes[started]);
        if (error == 0) started++;
    }
    if (error != 0) fail_with(shared, error);
    if (shared->run->count == 0) {
        workload_wait(start + shared->run->seconds, shared->run->stop, &shared->over);
        atomic_store(&shared->over, 1);
    }
    for (unsigned i = 0; i < started; i++) wait_for_lane(&lanes[i]);
    result->seconds = workload_clock() - start;
    result->ops = 0;
    for (unsigned i = 0; i < started; i++) result->ops += atomic_load(&shared->run->progress[i].ops);
}

static int larson_run(const struct workload_run* run, bool sized, struct workload_result* result) {
    struct shared_state shared = {
        .run = run,
        .sized = sized,
        .min = run->params[PARAM_MIN],
        .span = run->params[PARAM_MAX] - run->params[PARAM_MIN] + 1,
        .chunks = run->params[PARAM_CHUNKS],
        .replacements = run->params[PARAM_CHUNKS] * run->params[PARAM_ROUNDS],
    };
    if (run->params[PARAM_MAX] < run->params[PARAM_MIN]) return EINVAL;
    struct lane* lanes = calloc(run->threads, sizeof *lanes);
    if (lanes == NULL) return ENOMEM;
    int error = 0;
    for (unsigned i = 0; i < run->threads; i++) {
        lanes[i].shared = &shared;
        lanes[i].progress = &run->progress[i];
        workload_random_seed(&lanes[i].random, run->seed, i);
        sem_init(&lanes[i].ended, 0, 0);  // cannot fail with these arguments
        if (error == 0) error = fill_lane(&lanes[i]);
    }
    if (error == 0) {
        run_lanes(&shared, lanes, result);
        error = atomic_load(&shared.error);
    }
    for (unsigned i = 0; i < run->threads; i++) {
        empty_lane(&lanes[i]);
        sem_destroy(&lanes[i].ended);
    }
    free(lanes);
    return error;
}

static int run_plain(const struct workload_run* run, struct workload_result* result) {
    return larson_run(run, false, result);
}

static int run_sized(const struct workload_run* run, struct workload_result* result) {
    return larson_run(run, true, result);
}

const struct workload workload_larson = {
    .name = "larson",
    .summary = "random replacement in a set of live blocks; each generation of threads hands its blocks to the next",
    .source = "P. Larson, M. Krishnan: Memory Allocation for Long-Running Server Applications, ISMM 1998",
    .stresses = "many live blocks, threads that inherit blocks of threads that have ended",
    .limit = "a pop from and a push onto the thread's own list, handed on with the blocks",
    .params = larson_params,
    .run = run_plain,
};

const struct workload workload_larson_sized = {
    .name = "larson-sized",
    .summary = "larson with sized frees: by C++'s sized delete, if the library has one",
    .source = "P. Larson, M. Krishnan, ISMM 1998; with sized frees like larson-sized in mimalloc-bench (D. Leijen)",
    .stresses = "like larson; what a free saves if it need not look up the size",
    .limit = "a pop from and a push onto the thread's own list, handed on with the blocks",
    .params = larson_params,
    .run = run_sized,
};
