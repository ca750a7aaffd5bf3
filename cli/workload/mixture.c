// A live set of mixed sizes, replaced at random: most blocks are small, one in a hundred is large. This is what a
// program's longest malloc depends on: caches that run empty, pages that are cut and joined, and memory that goes back.
#include "workload/team.h"

#include "workload/alloc.h"

enum { BLOCKS, MIN, MAX, LARGE, LARGE_MIN, LARGE_MAX, SURGE, BESIDE };
#define BLOCKS_MAX 131072
#define BESIDE_BYTES 700000  // two of them fit a SuperSlab

static const struct workload_param params[] = {
    {"blocks", 20000, 1, BLOCKS_MAX, "live blocks of each thread"},
    {"min", 16, 1, 1 << 30, "size of the smallest block in bytes"},
    {"max", 2000, 1, 1 << 30, "size of the largest block in bytes, except large ones"},
    {"large", 100, 0, 1 << 30, "one block in N is large; 0: none"},
    {"large-min", 20000, 1, 1 << 30, "size of the smallest large block in bytes"},
    {"large-max", 420000, 1, 1 << 30, "size of the largest large block in bytes"},
    {"surge", 0, 0, BLOCKS_MAX, "each time that all blocks have been replaced, N more are allocated, then freed"},
    {"beside", 0, 0, BLOCKS_MAX,
     "untouched blocks of 700000 bytes beside the others, one of them replaced now and then"},
    {NULL, 0, 0, 0, NULL},
};

struct block {
    char* at;
    size_t size;
};

struct blocks {
    struct block live[BLOCKS_MAX], surge[BLOCKS_MAX], beside[BLOCKS_MAX];
};

static size_t draw_size(struct team_member* member) {
    const uint64_t* p = member->run->params;
    if (p[LARGE] != 0 && workload_random_below(&member->random, p[LARGE]) == 0)
        return team_size(member, p[LARGE_MIN], p[LARGE_MAX]);
    return team_size(member, p[MIN], p[MAX]);
}

static void fill(struct block* block, size_t size, bool touch) {
    *block = (struct block){team_malloc(size), size};
    if (touch) team_touch(block->at, size);
}

static void empty(struct block* block) {
    wl_free_known(block->at, block->size);
}

static void replace(struct team_member* member) {
    struct blocks* blocks = member->memory;
    struct block* victim = &blocks->live[workload_random_below(&member->random, member->run->params[BLOCKS])];
    empty(victim);
    fill(victim, draw_size(member), true);
}

static void replace_beside(struct team_member* member) {
    struct blocks* blocks = member->memory;
    struct block* victim = &blocks->beside[workload_random_below(&member->random, member->run->params[BESIDE])];
    empty(victim);
    fill(victim, BESIDE_BYTES, false);
}

static void surge(struct team_member* member) {
    struct blocks* blocks = member->memory;
    const uint64_t count = member->run->params[SURGE];
    for (uint64_t i = 0; i < count; i++) fill(&blocks->surge[i], draw_size(member), true);
    for (uint64_t i = 0; i < count; i++) empty(&blocks->surge[i]);
}

// Returns the operations done.
static uint64_t some_more(struct team_member* member, uint64_t* replaced) {
    const uint64_t* p = member->run->params;
    const unsigned burst = 16, beside_once_in = 256;
    for (unsigned i = 0; i < burst; i++) replace(member);
    *replaced += burst;
    if (p[BESIDE] != 0 && *replaced % beside_once_in == 0) replace_beside(member);
    if (p[SURGE] == 0 || *replaced < p[BLOCKS]) return burst;
    *replaced = 0;
    surge(member);
    return burst + p[SURGE];
}

static void work(struct team_member* member) {
    struct blocks* blocks = member->memory;
    const uint64_t* p = member->run->params;
    uint64_t replaced = 0;
    for (uint64_t i = 0; i < p[BESIDE]; i++) fill(&blocks->beside[i], BESIDE_BYTES, false);
    for (uint64_t i = 0; i < p[BLOCKS]; i++) fill(&blocks->live[i], draw_size(member), true);
    team_ready(member);
    while (team_goes_on(member, some_more(member, &replaced))) {}
    team_done(member);
    for (uint64_t i = 0; i < p[BLOCKS]; i++) empty(&blocks->live[i]);
    for (uint64_t i = 0; i < p[BESIDE]; i++) empty(&blocks->beside[i]);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct blocks), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_mixture = {
    .name = "mixture",
    .summary = "a live set of small blocks, and one in a hundred large, replaced at random",
    .source = "ours",
    .stresses = "the longest calls: caches that run empty, pages cut and joined, memory that goes back",
    .limit = "a pop, a push and a write to each page",
    .params = params,
    .run = run,
};
