// Producers fill batches with blocks, consumers free them, and any consumer takes the batch of any producer: bulk frees
// of other threads' blocks, from several owners in turn.
#include "workload/team.h"

#include "workload/alloc.h"

#include <pthread.h>

enum { SIZE, BATCH, BATCHES };
enum { PRODUCER, CONSUMER, ROLES };
#define BATCH_MAX 16384

static const struct workload_param params[] = {
    {"size", 64, 1, 1 << 20, "size of a block in bytes"},
    {"batch", 4096, 1, BATCH_MAX, "blocks in a batch"},
    {"batches", 4, 1, 64, "batches per producer"},
    {NULL, 0, 0, 0, NULL},
};

struct batch {
    struct batch* next;
    void* blocks[BATCH_MAX];
};

struct depot {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct batch *full, *empty;
    unsigned producers;  // those that have not ended
    struct batch batches[];
};

// The mutex must be held.
static void put(struct depot* depot, struct batch** list, struct batch* batch) {
    batch->next = *list;
    *list = batch;
    pthread_cond_broadcast(&depot->changed);
}

static struct batch* take(struct batch** list) {
    struct batch* batch = *list;
    if (batch != NULL) *list = batch->next;
    return batch;
}

// NULL from the full list: no more will come. The empty list always gets one in the end, because consumers outlive
// producers.
static struct batch* wait_for(struct depot* depot, struct batch** list) {
    pthread_mutex_lock(&depot->mutex);
    struct batch* batch;
    while ((batch = take(list)) == NULL && (list == &depot->empty || depot->producers > 0))
        pthread_cond_wait(&depot->changed, &depot->mutex);
    pthread_mutex_unlock(&depot->mutex);
    return batch;
}

static void hand_over(struct depot* depot, struct batch** list, struct batch* batch) {
    pthread_mutex_lock(&depot->mutex);
    put(depot, list, batch);
    pthread_mutex_unlock(&depot->mutex);
}

static void produce(struct team_member* member, struct depot* depot) {
    const uint64_t* p = member->run->params;
    do {
        struct batch* batch = wait_for(depot, &depot->empty);
        for (uint64_t i = 0; i < p[BATCH]; i++) {
            char* block = team_malloc(p[SIZE]);
            *(volatile char*)block = 1;
            batch->blocks[i] = block;
        }
        hand_over(depot, &depot->full, batch);
    } while (team_goes_on(member, p[BATCH]));
    pthread_mutex_lock(&depot->mutex);
    depot->producers--;
    pthread_cond_broadcast(&depot->changed);
    pthread_mutex_unlock(&depot->mutex);
}

static void consume(const uint64_t* p, struct depot* depot) {
    struct batch* batch;
    while ((batch = wait_for(depot, &depot->full)) != NULL) {
        for (uint64_t i = 0; i < p[BATCH]; i++) wl_free(batch->blocks[i]);
        hand_over(depot, &depot->empty, batch);
    }
}

static uint64_t batch_count(const struct workload_run* run) {
    return run->threads * run->params[BATCHES];
}

static void open_depot(struct team_member* member, struct depot* depot) {
    pthread_mutex_init(&depot->mutex, NULL);  // with glibc these neither fail nor allocate
    pthread_cond_init(&depot->changed, NULL);
    depot->producers = member->run->threads;
    for (uint64_t i = 0; i < batch_count(member->run); i++) put(depot, &depot->empty, &depot->batches[i]);
}

static void work(struct team_member* member) {
    struct depot* depot = member->common;
    if (member->lane == 0 && member->role == PRODUCER) open_depot(member, depot);
    team_ready(member);
    if (member->role == PRODUCER)
        produce(member, depot);
    else
        consume(member->run->params, depot);
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = ROLES,
        .common = sizeof(struct depot) + batch_count(run) * sizeof(struct batch),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_xmalloc = {
    .name = "xmalloc",
    .summary = "producers and consumers, blocks handed over in batches of 4096 to any consumer",
    .source = "after xmalloc-test (C. Lever, D. Boreham, 2000)",
    .stresses = "every free is of another thread's block, in bulk, several owners in turn",
    .params = params,
    .run = run,
    .roles = ROLES,
};
