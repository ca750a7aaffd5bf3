// A program that hardly allocates: the cost of an allocator where it is not needed. Its peak RSS is the result.
#include "workload/team.h"

#include "workload/alloc.h"

enum { BLOCKS, SIZE };

static const struct workload_param params[] = {
    {"blocks", 1, 0, 1000, "blocks allocated and freed; 0: none"},
    {"size", 64, 1, 1 << 20, "size of a block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

static void work(struct team_member* member) {
    team_ready(member);
    for (uint64_t i = 0; i < member->run->params[BLOCKS]; i++) {
        char* block = team_malloc(member->run->params[SIZE]);
        *(volatile char*)block = 1;
        wl_free(block);
    }
    (void)team_goes_on(member, member->run->params[BLOCKS]);
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_trivial = {
    .name = "trivial",
    .summary = "one block and the end: peak RSS of a program that hardly allocates",
    .source = "ours",
    .stresses = "the cost of an allocator in a program that hardly needs one, above all in memory",
    .params = params,
    .run = run,
};
