// Replay of a recorded program: every thread's allocations and frees in their order, in threads that live as long as
// the program's. If a block goes from one thread to another, the second waits for the first; the file says where
// (docs/RECORD.md). A byte of each page of a block is written. At the end of the trace the remaining blocks are freed,
// and the trace starts again.
#include "workload/trace.h"

#include "workload/alloc.h"
#include "workload/team.h"
#include "workload/trace_file.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { TRACES_MAX = 64, PATIENCE = 64, MORE_PATIENCE = 1024 };

// Where the replay keeps a block. One lane at a time uses it, and its turn hands it on.
struct slot {
    void* block;
    _Atomic uint32_t turn;
};

struct replay {
    struct trace_file file;
    uint16_t* groups;  // the lane that each group of slots belongs to
    struct slot* slots;
    struct trace_thread* threads;
    char* memory;
    size_t bytes;
    _Atomic uint32_t lanes_here;
    _Atomic uint32_t failed;  // nobody waits any more
    // The lanes meet after each pass over the trace.
    pthread_barrier_t barrier;
    _Atomic uint32_t over;  // a lane found that the time is over, or the count reached
    uint32_t threads_of_lane[WORKLOAD_THREADS_MAX];
};

struct lane {
    struct team_member* member;
    struct replay* replay;
    const struct trace_thread* thread;
    uint64_t allocations;
    struct trace_reader reader;
};

static struct replay replay;  // a process replays one trace

static void fail(struct replay* r) {
    atomic_store_explicit(&r->failed, 1, memory_order_relaxed);
}

static bool has_failed(const struct replay* r) {
    return atomic_load_explicit(&r->failed, memory_order_relaxed) != 0;
}

static void be_patient(unsigned tries) {
    const struct timespec nap = {.tv_nsec = 50000};
    if (tries < PATIENCE) return;
    if (tries < MORE_PATIENCE)
        sched_yield();
    else
        nanosleep(&nap, NULL);  // if the sleep is interrupted, the next check comes earlier
}

// The acquire pairs with the release in hand_on().
static bool wait_for_turn(const struct replay* r, const struct slot* slot, uint32_t turn) {
    for (unsigned tries = 0; atomic_load_explicit(&slot->turn, memory_order_acquire) != turn; tries++) {
        if (has_failed(r)) return false;
        be_patient(tries);
    }
    return true;
}

static void hand_on(struct slot* slot) {
    uint32_t turn = atomic_load_explicit(&slot->turn, memory_order_relaxed);
    atomic_store_explicit(&slot->turn, turn + 1, memory_order_release);
}

static void* aligned(const struct trace_op* op) {
    const size_t alignment = (size_t)1 << op->align_log2;
    void* block = NULL;
    const int error = wl_posix_memalign(&block, alignment < sizeof(void*) ? sizeof(void*) : alignment, op->size);
    return error == 0 ? block : team_malloc(SIZE_MAX);  // it prints that there is no memory
}

static void* allocate(const struct trace_op* op, void* old) {
    switch (op->kind) {
    case TRACE_MALLOC: return team_malloc(op->size);
    case TRACE_CALLOC: return team_calloc(op->size);
    case TRACE_ALIGNED: return aligned(op);
    default: break;
    }
    return team_realloc(old, op->size != 0 ? op->size : 1);  // to 0 bytes would be a free
}

static void apply(struct lane* lane, const struct trace_op* op) {
    struct slot* slot = &lane->replay->slots[op->slot];
    if (op->waits && !wait_for_turn(lane->replay, slot, op->turn)) return;
    if (op->kind == TRACE_FREE) {
        void* block = slot->block;
        slot->block = NULL;
        if (op->hands_on) hand_on(slot);
        wl_free(block);
        return;
    }
    slot->block = allocate(op, slot->block);
    team_touch(slot->block, op->size);
    lane->allocations++;
    if (op->hands_on) hand_on(slot);
}

// A thread of the program.
static void* replay_thread(void* argument) {
    struct lane* lane = argument;
    struct trace_op op;
    trace_reader_start(&lane->reader, &lane->replay->file, lane->thread);
    while (trace_next(&lane->reader, &op))
        if (op.kind != TRACE_ORDER) apply(lane, &op);
    if (lane->reader.failed) fail(lane->replay);
    return NULL;
}

// The first lane runs the main thread itself. Threads that follow each other are started and ended as in the program.
static void replay_lane(struct lane* lane) {
    const struct replay* r = lane->replay;
    for (uint32_t i = 0; i < r->file.header.threads && !has_failed(r); i++) {
        if (r->threads[i].lane != lane->member->lane) continue;
        lane->thread = &r->threads[i];
        int error = 0;
        if (i == 0 || r->threads_of_lane[lane->member->lane] == 1)
            replay_thread(lane);
        else
            error = team_thread(lane->member, replay_thread, lane);
        if (error == 0) continue;
        fail(lane->replay);
        team_fail(lane->member, error);
    }
}

static void free_rest(struct lane* lane) {
    struct replay* r = lane->replay;
    for (uint32_t group = 0; group < r->file.header.groups; group++) {
        if (r->groups[group] != lane->member->lane) continue;
        for (unsigned i = 0; i < TRACE_GROUP; i++) {
            struct slot* slot = &r->slots[group * TRACE_GROUP + i];
            wl_free(slot->block);
            *slot = (struct slot){0};
        }
    }
}

static void work(struct team_member* member) {
    struct lane* lane = member->memory;
    struct replay* r = lane->replay = &replay;
    lane->member = member;
    atomic_fetch_add_explicit(&r->lanes_here, 1, memory_order_relaxed);
    team_ready(member);
    // A lane without a thread would never reach the barrier.
    bool goes_on = atomic_load_explicit(&r->lanes_here, memory_order_relaxed) == r->file.header.lanes;
    while (goes_on) {
        lane->allocations = 0;
        replay_lane(lane);
        pthread_barrier_wait(&r->barrier);
        free_rest(lane);
        if (!team_goes_on(member, lane->allocations)) atomic_store_explicit(&r->over, 1, memory_order_relaxed);
        pthread_barrier_wait(&r->barrier);
        goes_on = !has_failed(r) && atomic_load_explicit(&r->over, memory_order_relaxed) == 0;
    }
    team_done(member);
}

// All memory of the replay itself, mapped.
static bool take_memory(struct replay* r) {
    const struct trace_header* header = &r->file.header;
    const size_t slots = (size_t)header->groups * TRACE_GROUP * sizeof(struct slot);
    const size_t threads = header->threads * sizeof(struct trace_thread);
    r->bytes = slots + threads + header->groups * sizeof(uint16_t);
    r->memory = team_map(r->bytes);
    if (r->memory == NULL) return false;
    r->slots = (struct slot*)(void*)r->memory;
    r->threads = (struct trace_thread*)(void*)(r->memory + slots);
    r->groups = (uint16_t*)(void*)(r->memory + slots + threads);
    return true;
}

static int prepare(struct replay* r, const char* path) {
    if (trace_open(&r->file, path) != NULL) return EINVAL;  // inspect_file() found it valid
    if (!take_memory(r)) return ENOMEM;
    if (!trace_groups_read(&r->file, r->groups)) return EIO;
    for (uint32_t i = 0; i < r->file.header.threads; i++) {
        if (!trace_thread_read(&r->file, i, &r->threads[i])) return EIO;
        r->threads_of_lane[r->threads[i].lane]++;
    }
    return pthread_barrier_init(&r->barrier, NULL, r->file.header.lanes);
}

static void release(struct replay* r) {
    if (r->memory != NULL) munmap(r->memory, r->bytes);
    trace_close(&r->file);
}

static const char* replayed;  // the file of the workload chosen last; the worker chooses one

static int run(const struct workload_run* run, struct workload_result* result) {
    int error = prepare(&replay, replayed);
    if (error == 0) {
        struct workload_run own = *run;
        own.threads = replay.file.header.lanes;
        const struct team_plan plan = {.roles = 1, .memory = sizeof(struct lane), .work = work};
        error = team_run(&own, &plan, result);
        if (error == 0 && has_failed(&replay)) error = EIO;
    }
    release(&replay);
    return error;
}

struct trace_workload {
    struct workload workload;
    const char* problem;
};

static struct trace_workload traces[TRACES_MAX];

static const char* check(const struct workload* workload) {
    for (size_t i = 0; i < TRACES_MAX; i++)
        if (&traces[i].workload == workload) return traces[i].problem;
    return NULL;
}

static void inspect_file(struct trace_workload* trace, const char* path) {
    struct trace_file file;
    trace->problem = *path == '\0' ? "the name of a file is missing: trace:FILE" : trace_open(&file, path);
    if (trace->problem != NULL) return;
    trace->workload.own_threads = file.header.lanes;
    if (file.header.lanes > WORKLOAD_THREADS_MAX)
        trace->problem = "it has more threads at the same time than can be replayed";
    trace_close(&file);
}

const struct workload* trace_workload(const char* name) {
    static const struct workload_param no_params[] = {{NULL, 0, 0, 0, NULL}};
    static size_t count;
    if (strncmp(name, TRACE_PREFIX, strlen(TRACE_PREFIX)) != 0) return NULL;
    replayed = name + strlen(TRACE_PREFIX);
    for (size_t i = 0; i < count; i++)
        if (strcmp(traces[i].workload.name, name) == 0) return &traces[i].workload;
    if (count == TRACES_MAX) return NULL;
    struct trace_workload* trace = &traces[count++];
    trace->workload = (struct workload){
        .name = name,
        .summary = "replay of a recorded program; counts its allocations",
        .source = "a trace of hakstress record",
        .stresses = "what the recorded program stresses",
        .params = no_params,
        .run = run,
        .check = check,
        .own_threads = 1,
    };
    inspect_file(trace, replayed);
    return &trace->workload;
}
