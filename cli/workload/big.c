// One big block is allocated, touched and freed. Is its memory kept for the next time, or given back and faulted in
// again?
#include "workload/team.h"

#include "workload/alloc.h"

enum { SIZE };

static const struct workload_param params[] = {
    {"size", 1 << 20, 1, UINT64_C(1) << 32, "size of the block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

static void work(struct team_member* member) {
    const size_t size = member->run->params[SIZE];
    team_ready(member);
    do {
        char* block = team_malloc(size);
        team_touch(block, size);
        wl_free(block);
    } while (team_goes_on(member, 1));
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_big = {
    .name = "big",
    .summary = "1 MiB allocated, one byte of each page written, freed: reuse of large blocks",
    .source = "ours, after malloc-large (mimalloc-bench)",
    .stresses = "one large block: kept, or given back and faulted in again",
    .limit = "a write to each page of a block that stays",
    .params = params,
    .run = run,
};
