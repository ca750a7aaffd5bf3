// Zeroed blocks from tiny to large, replaced at random. Is memory that is known to be zero cleared again? Is used
// memory cleared at all?
#include "workload/replace.h"

#include <string.h>

enum { MIN = REPLACE_BLOCKS + 1, MAX };

static const struct workload_param params[] = {
    {"blocks", 1000, 1, REPLACE_BLOCKS_MAX, "live blocks of each thread"},
    {"min", 16, 16, 1 << 30, "size of the smallest block in bytes"},
    {"max", 16384, 16, 1 << 30, "size of the largest block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

// Reads and dirties the first, the middle and the last word.
static void check_and_dirty(char* block, size_t size) {
    const size_t word = sizeof(uint64_t);
    const size_t at[] = {0, size / 2 / word * word, (size - word) / word * word};
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++) {
        uint64_t* where = (uint64_t*)(void*)(block + at[i]);
        if (*where != 0)
            workload_fault("zero", "calloc", "word at byte %zu of %p, %zu bytes, is %#llx", at[i], (void*)block, size,
                           (unsigned long long)*where);
    }
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++) memset(block + at[i], 0xff, word);
}

static char* new_block(struct team_member* member) {
    const uint64_t* p = member->run->params;
    const size_t size = team_size(member, p[MIN], p[MAX]);
    char* block = team_calloc(size);
    check_and_dirty(block, size);
    return block;
}

static void work(struct team_member* member) {
    replace_at_random(member, 64, new_block);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = REPLACE_BLOCKS_MAX * sizeof(char*), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_calloc = {
    .name = "calloc",
    .summary = "zeroed blocks up to 16 KiB, replaced at random: the cost of clearing",
    .source = "ours",
    .stresses = "clearing of memory that is zero already, and of memory that is not",
    .limit = "memset of the same bytes",
    .params = params,
    .run = run,
};
