#include "search/search.h"

#include <string.h>

static Schedule wanted;
static uint32_t next[THREADS_MOST];
static bool taken[DEVIATIONS_MOST];

static void begin_run(void) {
    memset(next, 0, sizeof next);
    memset(taken, 0, wanted.count * sizeof *taken);
}

static bool is_at(const Deviation* d, const Choice* choice) {
    return d->thread == choice->thread && d->moment == choice->moment && d->kind == choice->kind;
}

// choice->count: there is none.
static unsigned index_of(const Choice* choice, uint8_t value) {
    unsigned i = 0;
    while (i < choice->count && choice->value[i] != value) i++;
    return i;
}

// What is not possible here is not done: a minimised schedule may name it all the same.
static unsigned take(const Choice* choice, uint32_t deviation) {
    const unsigned index = index_of(choice, wanted.at[deviation].value);
    taken[deviation] = index < choice->count;
    return taken[deviation] ? index : 0;
}

static unsigned choose(const Choice* choice) {
    if (choice->thread == THREADS_MOST) {
        const unsigned first = index_of(choice, wanted.first);
        return first < choice->count ? first : 0;
    }
    for (uint32_t i = next[choice->thread]; i < wanted.count; i++) {
        const Deviation* d = &wanted.at[i];
        if (d->thread != choice->thread) continue;
        if (d->moment > choice->moment) break;
        if (!is_at(d, choice)) continue;
        next[choice->thread] = i + 1;
        return take(choice, i);
    }
    return 0;
}

static bool next_run(void) {
    return false;
}

static const Strategy replay = {"replay", begin_run, choose, NULL, NULL, next_run};

const Deviation* search_replay_missed(void) {
    for (uint32_t i = 0; i < wanted.count; i++)
        if (!taken[i]) return &wanted.at[i];
    return NULL;
}

const Strategy* search_replay(const Schedule* schedule) {
    wanted = *schedule;
    return &replay;
}
