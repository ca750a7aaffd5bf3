// Generations of threads with small blocks and a few very large ones. Half of the blocks live until their thread ends.
// Some pass through slots that all threads share, and outlive it. It covers thread starts and ends, every size, and
// frees of blocks whose owner is gone.
#include "workload/team.h"

#include "workload/alloc.h"

enum { BLOCKS, MIN, MAX };
#define BLOCKS_MAX 65536
#define PLACES 1000

static const struct workload_param params[] = {
    {"blocks", 5000, 2, BLOCKS_MAX, "blocks that a thread allocates"},
    {"min", 8, 8, 4096, "size of the smallest block in bytes"},
    {"max", 512, 8, 4096,
     "size of the largest block in bytes; 1 % of the blocks are 100, 1000 or 10000 times as large"},
    {NULL, 0, 0, 0, NULL},
};

// Each block begins with its own address, scrambled, until it is freed. So a free notices a block that was handed out
// twice or overwritten.
static uint64_t mark_of(const void* block) {
    return (uint64_t)(uintptr_t)block * UINT64_C(0x9E3779B97F4A7C15);
}

struct shared {
    _Atomic(void*) places[PLACES];
};

struct generation {
    struct team_member* member;
    void* blocks[BLOCKS_MAX];  // [0, kept) stay until the end, [kept, live) are freed at random
};

static size_t some_size(struct team_member* member) {
    const uint64_t* p = member->run->params;
    size_t size = team_size(member, p[MIN], p[MAX]);
    uint64_t dice = workload_random_below(&member->random, 10000);
    if (dice == 0) return size * 10000;
    if (dice < 10) return size * 1000;
    return dice < 100 ? size * 100 : size;
}

static void* new_block(struct team_member* member) {
    const size_t size = some_size(member);
    char* block = team_malloc(size);
    team_touch(block, size);
    *(uint64_t*)(void*)block = mark_of(block);
    return block;
}

static void check_and_free(void* block) {
    if (block == NULL) return;
    if (*(uint64_t*)block != mark_of(block))
        workload_fault("contents", "mstress", "block %p holds %#llx instead of %#llx", block,
                       (unsigned long long)*(uint64_t*)block, (unsigned long long)mark_of(block));
    *(volatile uint64_t*)block = 0;
    wl_free(block);
}

static void* swap_for_another(struct team_member* member, void* block) {
    struct shared* shared = member->common;
    uint64_t place = workload_random_below(&member->random, PLACES);
    // release what we wrote to the block, acquire what another thread wrote to the one that comes out
    return atomic_exchange_explicit(&shared->places[place], block, memory_order_acq_rel);
}

static void* live(void* argument) {
    struct generation* generation = argument;
    struct team_member* member = generation->member;
    void** blocks = generation->blocks;
    const uint64_t count = member->run->params[BLOCKS];
    uint64_t kept = 0, live = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t dice = workload_random_below(&member->random, 8);
        blocks[live++] = new_block(member);
        if (dice < 4) {  // keep it: swap it to the front
            void* moved = blocks[kept];
            blocks[kept++] = blocks[live - 1];
            blocks[live - 1] = moved;
            continue;
        }
        if (kept == live) continue;
        uint64_t victim = kept + workload_random_below(&member->random, live - kept);
        if (dice == 4) {
            blocks[victim] = swap_for_another(member, blocks[victim]);
        } else {
            check_and_free(blocks[victim]);
            blocks[victim] = blocks[--live];
        }
    }
    while (live > 0) check_and_free(blocks[--live]);
    return NULL;
}

static void clear_places(struct team_member* member) {
    struct shared* shared = member->common;
    for (unsigned i = member->lane; i < PLACES; i += member->run->threads)
        check_and_free(atomic_exchange_explicit(&shared->places[i], NULL, memory_order_acquire));
}

static void work(struct team_member* member) {
    struct generation* generation = member->memory;
    generation->member = member;
    team_ready(member);
    do {
        int error = team_thread(member, live, generation);
        if (error != 0) team_fail(member, error);
    } while (team_goes_on(member, member->run->params[BLOCKS]));
    team_done(member);
    clear_places(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = 1,
        .memory = sizeof(struct generation),
        .common = sizeof(struct shared),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_mstress = {
    .name = "mstress",
    .summary = "generations of threads, all sizes to 5 MB, blocks that outlive their thread",
    .source = "after mstress (D. Leijen, mimalloc-bench)",
    .stresses = "starts and ends of threads that hold a lot, reuse of their memory, a few blocks of megabytes",
    .params = params,
    .run = run,
};
