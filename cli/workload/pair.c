// The shortest path of all: malloc and free of one size, again and again.
#include "workload/team.h"

#include "workload/alloc.h"

enum { SIZE };

static const struct workload_param params[] = {
    {"size", 64, 1, 1 << 20, "size of the block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

static void work(struct team_member* member) {
    const size_t size = member->run->params[SIZE];
    const unsigned burst = 1000;
    team_ready(member);
    do {
        for (unsigned i = 0; i < burst; i++) {
            char* block = team_malloc(size);
            *(volatile char*)block = 1;
            wl_free(block);
        }
    } while (team_goes_on(member, burst));
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_pair = {
    .name = "pair",
    .summary = "malloc and free of one block: the length of the two fast paths",
    .source = "the usual micro-benchmark",
    .stresses = "the two fast paths, with the block still in the L1 cache",
    .limit = "a pop from and a push onto the thread's own list",
    .params = params,
    .run = run,
};
