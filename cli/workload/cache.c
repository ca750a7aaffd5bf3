// Tiny blocks that are written to very often, one at a time in each thread. If the allocator puts blocks of two threads
// into one cache line, every write fetches the line from the other processor: false sharing. It is active if the
// allocator hands out one line to several threads. It is passive if a thread that got a block and freed it may use the
// rest of that line.
#include "workload/team.h"

#include "workload/alloc.h"

enum { SIZE, WRITES };

static const struct workload_param params[] = {
    {"size", 8, 1, 4096, "size of the block in bytes"},
    {"writes", 1000, 1, 1 << 30, "writes to each byte of the block before it is freed"},
    {NULL, 0, 0, 0, NULL},
};

static void write_often(volatile char* block, size_t size, uint64_t writes) {
    for (uint64_t i = 0; i < writes; i++)
        for (size_t at = 0; at < size; at++) block[at] = (char)i;
}

static void write_and_free(const uint64_t* p, char* block) {
    write_often(block, p[SIZE], p[WRITES]);
    wl_free(block);
}

static void churn(struct team_member* member) {
    const uint64_t* p = member->run->params;
    const unsigned burst = 16;
    do {
        for (unsigned i = 0; i < burst; i++) write_and_free(p, team_malloc(p[SIZE]));
    } while (team_goes_on(member, burst));
    team_done(member);
}

static void work_thrash(struct team_member* member) {
    team_ready(member);
    churn(member);
}

// The calling thread allocates the first block of each thread, one right after another.
static void work_scratch(struct team_member* member) {
    char** given = member->common;
    for (unsigned i = 0; member->lane == 0 && i < member->run->threads; i++)
        given[i] = team_malloc(member->run->params[SIZE]);
    team_ready(member);
    write_and_free(member->run->params, given[member->lane]);
    churn(member);
}

static int run_thrash(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .work = work_thrash};
    return team_run(run, &plan, result);
}

static int run_scratch(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = 1,
        .common = run->threads * sizeof(char*),
        .work = work_scratch,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_cache_thrash = {
    .name = "cache-thrash",
    .summary = "tiny blocks of each thread, written to often: active false sharing",
    .source = "after cache-thrash (E. Berger, Hoard, 2000)",
    .stresses = "whether one cache line is handed out to several threads; use two threads or more",
    .limit = "the writes, a pop from and a push onto the thread's own list",
    .params = params,
    .run = run_thrash,
};

const struct workload workload_cache_scratch = {
    .name = "cache-scratch",
    .summary =
        "tiny blocks allocated by one thread, freed and reallocated by others, written to often: passive false sharing",
    .source = "after cache-scratch (E. Berger, Hoard, 2000)",
    .stresses = "whether a thread that frees a block reuses its cache line; use two threads or more",
    .params = params,
    .run = run_scratch,
};
