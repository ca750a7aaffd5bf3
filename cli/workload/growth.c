// A buffer grows by realloc as a string or vector does, and the new part is written each time. Copying costs in
// proportion to the length of the buffer; growing in place or moving pages (mremap) does not.
#include "workload/team.h"

#include "workload/alloc.h"

#include <string.h>

enum { FROM, TO, PERCENT };

static const struct workload_param params[] = {
    {"from", 16, 2, 1 << 20, "first size in bytes"},
    {"to", 64 << 20, 2, UINT64_C(1) << 32, "last size in bytes"},
    {"percent", 150, 101, 1000, "new size as a percentage of the old one"},
    {NULL, 0, 0, 0, NULL},
};

#define STEPS_MAX 4096

struct steps {
    size_t at[STEPS_MAX];  // the start of the part that was written in step i
};

static size_t grown(size_t size, const uint64_t* p) {
    size_t next = (size_t)(size * p[PERCENT] / 100);
    if (next == size) next++;
    return next < p[TO] ? next : p[TO];
}

// Every byte of the buffer is the number of the step that wrote it. Returns the number of steps.
static unsigned grow_and_free(const uint64_t* p, struct steps* steps) {
    size_t size = p[FROM];
    unsigned step = 0;
    char* buffer = team_malloc(size);
    memset(buffer, 0, size);
    steps->at[0] = 0;
    while (size < p[TO] && step + 1 < STEPS_MAX) {
        size_t next = grown(size, p);
        buffer = team_realloc(buffer, next);
        steps->at[++step] = size;
        memset(buffer + size, (char)step, next - size);
        size = next;
    }
    for (unsigned i = 0; i <= step; i++)
        if (buffer[steps->at[i]] != (char)i)
            workload_fault("contents", "growth", "byte %zu of %p holds %d instead of %d", steps->at[i], (void*)buffer,
                           buffer[steps->at[i]], (char)i);
    wl_free(buffer);
    return step + 1;
}

static void work(struct team_member* member) {
    unsigned steps;
    team_ready(member);
    do steps = grow_and_free(member->run->params, member->memory);
    while (team_goes_on(member, steps));
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = sizeof(struct steps), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_growth = {
    .name = "growth",
    .summary = "realloc from 16 bytes to 64 MiB in steps of 50 %: growing without copying",
    .source = "ours; the pattern of every growing string and vector",
    .stresses = "realloc: growing in place, or moving pages instead of bytes",
    .limit = "one write of each byte",
    .params = params,
    .run = run,
};
