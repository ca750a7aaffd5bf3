// A working set of middle-sized blocks, replaced at random: spans of pages are reused, split and joined. The question
// is whether memory just freed is handed out again without a system call and without a page fault.
#include "workload/replace.h"

enum { MIN = REPLACE_BLOCKS + 1, MAX };

static const struct workload_param params[] = {
    {"blocks", 1000, 1, REPLACE_BLOCKS_MAX, "live blocks of each thread"},
    {"min", 16 << 10, 1, 1 << 30, "size of the smallest block in bytes"},
    {"max", 64 << 10, 1, 1 << 30, "size of the largest block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

static char* new_block(struct team_member* member) {
    const uint64_t* p = member->run->params;
    const size_t size = team_size(member, p[MIN], p[MAX]);
    char* block = team_malloc(size);
    team_touch(block, size);
    return block;
}

static void work(struct team_member* member) {
    replace_at_random(member, 16, new_block);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = REPLACE_BLOCKS_MAX * sizeof(char*), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_mid = {
    .name = "mid",
    .summary = "a working set of blocks of 16 to 64 KiB, replaced at random: reuse of spans of pages",
    .source = "ours, after the middle sizes of rptest (M. Jansson)",
    .stresses = "spans of pages: reuse without a system call or a page fault",
    .limit = "a pop, a push and a write to each page",
    .params = params,
    .run = run,
};
