// One thread allocates, another frees, and a bounded queue of pointers connects them. Every free is of another thread's
// block, and the thread that allocates never frees. An allocator must bring the blocks back cheaply.
#include "workload/team.h"

#include "base/atomic.h"
#include "workload/alloc.h"

#include <sched.h>

enum { SIZE, QUEUE, BURST };
enum { PRODUCER, CONSUMER, ROLES };
#define QUEUE_MAX 65536

static const struct workload_param params[] = {
    {"size", 64, 8, 1 << 20, "size of a block in bytes"},
    {"queue", 1024, 2, QUEUE_MAX, "blocks that the queue holds"},
    {"burst", 64, 1, QUEUE_MAX, "blocks handed over at a time"},
    {NULL, 0, 0, 0, NULL},
};

// A ring with one writer for each end.
struct queue {
    _Alignas(64) _Atomic uint64_t filled;   // by the producer: blocks ever put in
    _Atomic uint32_t closed;                // by the producer: no more will come
    _Alignas(64) _Atomic uint64_t emptied;  // by the consumer: blocks ever taken out
    _Alignas(64) void* slots[QUEUE_MAX];
};

// The other side needs only a moment if it runs on another processor, and needs this processor if it does not.
static void wait_a_little(unsigned* waits) {
    const unsigned spins = 200;
    if (++*waits % spins == 0)
        sched_yield();
    else
        cpu_relax();
}

static void produce(struct team_member* member, struct queue* queue) {
    const uint64_t* p = member->run->params;
    const uint64_t burst = p[BURST] < p[QUEUE] ? p[BURST] : p[QUEUE];
    uint64_t filled = 0, room = p[QUEUE], slot = 0;
    unsigned waits = 0;
    do {
        while (room < burst) {
            // pairs with the release in consume(): the slots have been read
            uint64_t emptied = atomic_load_explicit(&queue->emptied, memory_order_acquire);
            room = p[QUEUE] - (filled - emptied);
            if (room < burst) wait_a_little(&waits);
        }
        for (uint64_t i = 0; i < burst; i++) {
            uint64_t* block = team_malloc(p[SIZE]);
            *block = filled + i;
            queue->slots[slot] = block;
            if (++slot == p[QUEUE]) slot = 0;
        }
        filled += burst;
        room -= burst;
        // pairs with the acquire in consume(): the slots and the blocks have been written
        atomic_store_explicit(&queue->filled, filled, memory_order_release);
    } while (team_goes_on(member, burst));
    atomic_store_explicit(&queue->closed, 1, memory_order_release);  // pairs with the acquire in consume()
}

static void consume(const uint64_t* p, struct queue* queue) {
    uint64_t emptied = 0, slot = 0;
    unsigned waits = 0;
    for (;;) {
        // `closed` first, so that nothing that was put in before it was set is missed
        bool closed = atomic_load_explicit(&queue->closed, memory_order_acquire) != 0;
        uint64_t filled = atomic_load_explicit(&queue->filled, memory_order_acquire);
        if (filled == emptied) {
            if (closed) return;
            wait_a_little(&waits);
        }
        for (; emptied < filled; emptied++) {
            uint64_t* block = queue->slots[slot];
            if (++slot == p[QUEUE]) slot = 0;
            if (*block != emptied)
                workload_fault("contents", "prodcons", "block %p holds %#llx instead of %#llx", (void*)block,
                               (unsigned long long)*block, (unsigned long long)emptied);
            wl_free(block);
        }
        atomic_store_explicit(&queue->emptied, emptied, memory_order_release);
    }
}

static void work(struct team_member* member) {
    struct queue* queue = (struct queue*)member->common + member->lane;
    team_ready(member);
    if (member->role == PRODUCER)
        produce(member, queue);
    else
        consume(member->run->params, queue);
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = ROLES,
        .common = run->threads * sizeof(struct queue),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_prodcons = {
    .name = "prodcons",
    .summary = "pairs of threads, one allocates, the other frees: how a block returns to its owner",
    .source = "the pattern of xmalloc-test (C. Lever, D. Boreham, 2000), one queue a pair",
    .stresses = "every free is of another thread's block, one owner; how blocks return to it",
    .params = params,
    .run = run,
    .roles = ROLES,
};
