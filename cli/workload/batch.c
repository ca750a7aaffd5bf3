// Many blocks of one size are allocated, then all are freed: in the order of their allocation, in reverse, or at
// random. They are more than the cache in front of the slabs holds, so refills and overflows take part. The order
// decides the locality of the free lists that result.
#include "workload/team.h"

#include "workload/alloc.h"

enum { SIZE, BLOCKS };
#define BLOCKS_MAX 65536

static const struct workload_param params[] = {
    {"size", 64, 1, 1 << 20, "size of a block in bytes"},
    {"blocks", 1000, 1, BLOCKS_MAX, "blocks allocated before the first is freed"},
    {NULL, 0, 0, 0, NULL},
};

struct batch {
    void* blocks[BLOCKS_MAX];
    uint32_t order[BLOCKS_MAX];  // order[i] is freed as the i-th
};

static void in_order(struct batch* batch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) batch->order[i] = i;
}

static void reverse(struct batch* batch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) batch->order[i] = count - 1 - i;
}

static void shuffle(struct batch* batch, uint32_t count, struct workload_random* random) {
    in_order(batch, count);
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = (uint32_t)workload_random_below(random, i + 1);
        uint32_t moved = batch->order[i];
        batch->order[i] = batch->order[other];
        batch->order[other] = moved;
    }
}

static void churn(struct team_member* member) {
    struct batch* batch = member->memory;
    const size_t size = member->run->params[SIZE];
    const uint32_t count = (uint32_t)member->run->params[BLOCKS];
    team_ready(member);
    do {
        for (uint32_t i = 0; i < count; i++) {
            batch->blocks[i] = team_malloc(size);
            *(volatile char*)batch->blocks[i] = 1;
        }
        for (uint32_t i = 0; i < count; i++) wl_free(batch->blocks[batch->order[i]]);
    } while (team_goes_on(member, count));
    team_done(member);
}

static void work_fifo(struct team_member* member) {
    in_order(member->memory, (uint32_t)member->run->params[BLOCKS]);
    churn(member);
}

static void work_lifo(struct team_member* member) {
    reverse(member->memory, (uint32_t)member->run->params[BLOCKS]);
    churn(member);
}

static void work_random(struct team_member* member) {
    shuffle(member->memory, (uint32_t)member->run->params[BLOCKS], &member->random);
    churn(member);
}

static int run_fifo(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct batch), .work = work_fifo};
    return team_run(run, &plan, result);
}

static int run_lifo(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct batch), .work = work_lifo};
    return team_run(run, &plan, result);
}

static int run_random(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct batch), .work = work_random};
    return team_run(run, &plan, result);
}

const struct workload workload_batch = {
    .name = "batch",
    .summary = "many blocks of one size, freed in order: refill and overflow of the caches",
    .source = "like sh6bench (MicroQuill), one size",
    .stresses = "refill and overflow of a thread's cache, lists in address order",
    .limit = "a pop from and a push onto the thread's own list",
    .params = params,
    .run = run_fifo,
};

const struct workload workload_batch_lifo = {
    .name = "batch-lifo",
    .summary = "many blocks of one size, the last one freed first",
    .source = "like sh6bench (MicroQuill), one size",
    .stresses = "refill and overflow of a thread's cache, each block reused soon",
    .limit = "a pop from and a push onto the thread's own list",
    .params = params,
    .run = run_lifo,
};

const struct workload workload_batch_random = {
    .name = "batch-random",
    .summary = "many blocks of one size, freed at random: free lists without locality",
    .source = "like sh6bench (MicroQuill), one size",
    .stresses = "locality after random frees",
    .limit = "a pop from and a push onto the thread's own list",
    .params = params,
    .run = run_random,
};
