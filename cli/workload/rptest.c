// Each thread keeps a set of blocks from 16 bytes to 16 KB and replaces them at random. Sometimes it swaps one for what
// lies in a slot that all threads share. So some of the frees are of other threads' blocks, of every size.
#include "workload/team.h"

#include "workload/alloc.h"

enum { BLOCKS, MIN, MAX, CROSS };
#define BLOCKS_MAX 65536
#define PLACES 64

static const struct workload_param params[] = {
    {"blocks", 500, 1, BLOCKS_MAX, "live blocks of each thread"},
    {"min", 16, 1, 1 << 30, "size of the smallest block in bytes"},
    {"max", 16000, 1, 1 << 30, "size of the largest block in bytes"},
    {"cross", 4, 1, 1 << 20, "one replacement in this many swaps the block with another thread's"},
    {NULL, 0, 0, 0, NULL},
};

struct shared {
    _Atomic(void*) places[PLACES];
};

static void* new_block(struct team_member* member) {
    const uint64_t* p = member->run->params;
    const size_t size = team_size(member, p[MIN], p[MAX]);
    char* block = team_malloc(size);
    team_touch(block, size);
    return block;
}

static void* swap_for_another(struct team_member* member, void* block) {
    struct shared* shared = member->common;
    uint64_t place = workload_random_below(&member->random, PLACES);
    // release what we wrote to the block, acquire what another thread wrote to the one that comes out
    return atomic_exchange_explicit(&shared->places[place], block, memory_order_acq_rel);
}

static void replace_one(struct team_member* member) {
    void** blocks = member->memory;
    uint64_t victim = workload_random_below(&member->random, member->run->params[BLOCKS]);
    void* block = blocks[victim];
    if (workload_random_below(&member->random, member->run->params[CROSS]) == 0)
        block = swap_for_another(member, block);
    wl_free(block);
    blocks[victim] = new_block(member);
}

static void work(struct team_member* member) {
    void** blocks = member->memory;
    const uint64_t count = member->run->params[BLOCKS];
    const unsigned burst = 64;
    for (uint64_t i = 0; i < count; i++) blocks[i] = new_block(member);
    team_ready(member);
    do {
        for (unsigned i = 0; i < burst; i++) replace_one(member);
    } while (team_goes_on(member, burst));
    team_done(member);
    for (uint64_t i = 0; i < count; i++) wl_free(blocks[i]);
    for (unsigned i = member->lane; i < PLACES; i += member->run->threads)
        wl_free(atomic_exchange_explicit(&((struct shared*)member->common)->places[i], NULL, memory_order_acquire));
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = 1,
        .memory = BLOCKS_MAX * sizeof(void*),
        .common = sizeof(struct shared),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_rptest = {
    .name = "rptest",
    .summary = "16 bytes to 16 KB, random replacement, some frees by other threads",
    .source = "after rptest (M. Jansson, rpmalloc-benchmark)",
    .stresses = "all sizes up to 16 KB at once, reuse of pages between sizes, some frees by other threads",
    .limit = "a pop from and a push onto the thread's own list, and a write to each page",
    .params = params,
    .run = run,
};
