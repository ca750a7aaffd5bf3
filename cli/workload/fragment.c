// A change of phase: a heap of small blocks is thinned out to every n-th, and blocks of another size are allocated
// instead. Peak RSS shows whether they can use the holes, and the final RSS shows what is given back.
#include "workload/team.h"

#include "workload/alloc.h"

enum { BYTES, FIRST, SECOND, KEEP };
#define BYTES_MAX (UINT64_C(1) << 32)

static const struct workload_param params[] = {
    {"bytes", 32 << 20, 1 << 16, BYTES_MAX, "live bytes of each thread in each phase"},
    {"first", 64, 16, 1 << 20, "size of a block in the first phase, in bytes"},
    {"second", 1024, 16, 1 << 20, "size of a block in the second phase, in bytes"},
    {"keep", 2, 2, 1 << 20, "one block in this many is kept from the first phase"},
    {NULL, 0, 0, 0, NULL},
};

static uint64_t first_count(const uint64_t* p) {
    return p[BYTES] / p[FIRST];
}

static uint64_t second_count(const uint64_t* p) {
    return p[BYTES] / p[SECOND];
}

static void fill(void** blocks, uint64_t count, size_t size) {
    for (uint64_t i = 0; i < count; i++) {
        blocks[i] = team_malloc(size);
        team_touch(blocks[i], size);
    }
}

static void free_all(void** blocks, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) wl_free(blocks[i]);
}

static void thin_out(void** blocks, uint64_t count, uint64_t keep) {
    for (uint64_t i = 0; i < count; i++) {
        if (i % keep == 0) continue;
        wl_free(blocks[i]);
        blocks[i] = NULL;
    }
}

static void work(struct team_member* member) {
    const uint64_t* p = member->run->params;
    void** first = member->memory;
    void** second = first + first_count(p);
    team_ready(member);
    do {
        fill(first, first_count(p), p[FIRST]);
        thin_out(first, first_count(p), p[KEEP]);
        fill(second, second_count(p), p[SECOND]);
        free_all(first, first_count(p));
        free_all(second, second_count(p));
    } while (team_goes_on(member, first_count(p) + second_count(p)));
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = 1,
        .memory = (first_count(run->params) + second_count(run->params)) * sizeof(void*),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_fragment = {
    .name = "fragment",
    .summary = "small blocks thinned out, then blocks of another size: reuse of the holes",
    .source = "ours; the phase change of M. Johnstone and P. Wilson (ISMM 1998) in its simplest form",
    .stresses = "holes between live blocks: reused for another size, given back, or wasted",
    .params = params,
    .run = run,
};
