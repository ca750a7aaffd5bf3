// A table of slots. Each step visits one slot and frees its block, or puts one there. Slots are visited with very
// different frequency, so lifetimes vary widely: most blocks die young, some live for ever. Sizes vary as widely.
#include "workload/team.h"

#include "workload/alloc.h"

#include <string.h>

enum { PLACES, MIN, MAX };
#define PLACES_MAX (1 << 20)

static const struct workload_param params[] = {
    {"places", 1 << 16, 1, PLACES_MAX, "slots for the blocks of each thread; about half of them are in use at a time"},
    {"min", 8, 8, 1 << 20, "size of the smallest block in bytes"},
    {"max", 1024, 8, 1 << 20, "size of the largest block in bytes"},
    {NULL, 0, 0, 0, NULL},
};

struct place {
    char* block;
    size_t size;
};

// In [0, bound), by Pareto's 80/20 rule: the first fifth gets 80 % of the draws, its own first fifth 80 % of those, and
// so on.
static uint64_t pareto_below(struct workload_random* random, uint64_t bound) {
    const unsigned depth = 6, eighty_percent = 205;  // of 256
    uint64_t dice = workload_random_next(random), end = bound, begin = bound / 5;
    for (unsigned i = 0; i < depth && begin > 0 && (dice & 0xff) < eighty_percent; i++, dice >>= 8) {
        end = begin;
        begin /= 5;
    }
    if (begin == 0 || end == begin) return workload_random_below(random, end);
    return begin + workload_random_below(random, end - begin);
}

// Writes the size at both ends of the block, if the block has two.
static void mark(const struct place* place) {
    memcpy(place->block, &place->size, sizeof place->size);
    memcpy(place->block + place->size - sizeof place->size, &place->size, sizeof place->size);
}

static void fill(struct team_member* member, struct place* place) {
    const uint64_t* p = member->run->params;
    place->size = p[MIN] + pareto_below(&member->random, p[MAX] - p[MIN] + 1);
    place->block = team_malloc(place->size);
    mark(place);
}

static void empty(struct place* place) {
    size_t first, last;
    if (place->block == NULL) return;
    // the last one first: if they overlap, it was written later
    memcpy(&last, place->block + place->size - sizeof last, sizeof last);
    memcpy(&first, place->block, sizeof first);
    if (last != place->size || (first != place->size && place->size >= 2 * sizeof first))
        workload_fault("contents", "alloctest", "block %p of %zu bytes holds %#zx and %#zx", (void*)place->block,
                       place->size, first, last);
    wl_free(place->block);
    place->block = NULL;
}

static void work(struct team_member* member) {
    struct place* places = member->memory;
    const uint64_t count = member->run->params[PLACES];
    const unsigned burst = 64;
    for (uint64_t i = 0; i < count; i += 2) fill(member, &places[i]);
    uint64_t filled;
    team_ready(member);
    do {
        for (filled = 0; filled < burst;) {
            struct place* place = &places[pareto_below(&member->random, count)];
            if (place->block != NULL) {
                empty(place);
                continue;
            }
            fill(member, place);
            filled++;
        }
    } while (team_goes_on(member, filled));
    team_done(member);
    for (uint64_t i = 0; i < count; i++) empty(&places[i]);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {.roles = 1, .memory = run->params[PLACES] * sizeof(struct place), .work = work};
    return team_run(run, &plan, result);
}

const struct workload workload_alloctest = {
    .name = "alloctest",
    .summary = "small blocks, sizes and lifetimes by Pareto's rule: most die young, some live for ever",
    .source = "after alloc-test (S. Ignatchenko and others, ITHare, 2018)",
    .stresses = "locality: young blocks among old ones, more live memory than the L2 cache holds",
    .limit = "a pop from and a push onto the thread's own list",
    .params = params,
    .run = run,
};
