// Short-lived threads. Each allocates a little, leaves one block to a destructor of thread-specific data, and ends.
// This measures what a thread's start and end cost in the allocator, and whether its memory comes back.
#include "workload/team.h"

#include "workload/alloc.h"

#include <pthread.h>

enum { SIZE, BLOCKS };
#define BLOCKS_MAX 4096

static const struct workload_param params[] = {
    {"size", 128, 1, 1 << 20, "size of a block in bytes"},
    {"blocks", 16, 1, BLOCKS_MAX, "blocks that a thread allocates"},
    {NULL, 0, 0, 0, NULL},
};

struct life {
    const uint64_t* params;
    pthread_key_t left_over;
    void* blocks[BLOCKS_MAX];
};

static void free_left_over(void* block) {
    wl_free(block);
}

static void* live(void* argument) {
    struct life* life = argument;
    const uint64_t* p = life->params;
    for (uint64_t i = 0; i < p[BLOCKS]; i++) life->blocks[i] = team_calloc(p[SIZE]);
    for (uint64_t i = 1; i < p[BLOCKS]; i++) wl_free(life->blocks[i]);
    if (pthread_setspecific(life->left_over, life->blocks[0]) != 0) wl_free(life->blocks[0]);
    return NULL;
}

static void work(struct team_member* member) {
    struct life* life = member->memory;
    life->params = member->run->params;
    int error = pthread_key_create(&life->left_over, free_left_over);
    const bool has_key = error == 0;
    team_ready(member);
    while (error == 0) {
        error = team_thread(member, live, life);
        if (!team_goes_on(member, 1)) break;
    }
    if (error != 0) team_fail(member, error);
    team_done(member);
    if (has_key) pthread_key_delete(life->left_over);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct life), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_churn = {
    .name = "churn",
    .summary = "threads started and ended one after another, each with a few blocks; counts threads",
    .source = "after mleak (mimalloc-bench)",
    .stresses = "the cost of a thread's first block and of its end, and whether its memory comes back",
    .params = params,
    .run = run,
};
