#include "search/search.h"

static Schedule wanted;
static uint32_t next[THREADS_MOST];

static void begin_run(void) {
    for (int t = 0; t < THREADS_MOST; t++) next[t] = 0;
}

static bool is_at(const Deviation* d, const Choice* choice) {
    return d->thread == choice->thread && d->moment == choice->moment && d->kind == choice->kind;
}

static unsigned index_of(const Choice* choice, uint8_t value) {
    for (unsigned i = 0; i < choice->count; i++)
        if (choice->value[i] == value) return i;
    return 0;  // not possible here: a minimised schedule may name it all the same
}

static unsigned choose(const Choice* choice) {
    if (choice->thread == THREADS_MOST) return index_of(choice, wanted.first);
    for (uint32_t i = next[choice->thread]; i < wanted.count; i++) {
        const Deviation* d = &wanted.at[i];
        if (d->thread != choice->thread) continue;
        if (d->moment > choice->moment) break;
        if (!is_at(d, choice)) continue;
        next[choice->thread] = i + 1;
        return index_of(choice, d->value);
    }
    return 0;
}

static bool next_run(void) {
    return false;
}

static const Strategy replay = {"replay", begin_run, choose, NULL, NULL, next_run};

const Strategy* search_replay(const Schedule* schedule) {
    wanted = *schedule;
    return &replay;
}
