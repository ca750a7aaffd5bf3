#include "base/random.h"
#include "runtime/scheduler.h"
#include "search/search.h"

static uint64_t stream;

static unsigned below(unsigned n) {
    return (unsigned)(random_of(&stream) % n);
}

// --- random

static void begin_random(void) {
}

// What is rare in truth is rare here.
static unsigned choose_random(const Choice* choice) {
    enum { STALE_ONE_IN = 6, FAILS_ONE_IN = 8, ENDS_ONE_IN = 4 };
    switch ((ChoiceKind)choice->kind) {
    case CHOOSE_STORE: return below(STALE_ONE_IN) == 0 ? 1 + below(choice->count - 1u) : 0;
    case CHOOSE_FAILURE: return below(FAILS_ONE_IN) == 0;
    case CHOOSE_TIME: return below(ENDS_ONE_IN) == 0;
    case CHOOSE_THREAD:
    case CHOOSE_BRANCH: break;
    }
    return below(choice->count);
}

static bool next_random(void) {
    return true;
}

static const Strategy random_strategy = {"random", begin_random, choose_random, NULL, NULL, next_random};

const Strategy* search_random(uint64_t seed) {
    stream = seed;
    return &random_strategy;
}

// --- PCT

enum { DEPTH_MOST = 8, PRIORITIES = 1000 };

static unsigned depth, points, points_most;
static int priority[THREADS_MOST];
static unsigned change_at[DEPTH_MOST];

static void begin_pct(void) {
    if (points > points_most) points_most = points;
    points = 0;
    for (int t = 0; t < THREADS_MOST; t++) priority[t] = (int)(DEPTH_MOST + below(PRIORITIES) * THREADS_MOST) + t;
    for (unsigned i = 0; i + 1 < depth; i++) change_at[i] = 1 + below(points_most ? points_most : 50);
}

static unsigned choose_pct(const Choice* choice) {
    if (choice->kind != CHOOSE_THREAD) return choose_random(choice);
    points++;
    for (unsigned i = 0; i + 1 < depth; i++)
        if (change_at[i] == points && choice->thread < THREADS_MOST) priority[choice->thread] = (int)i;
    unsigned best = 0;
    for (unsigned i = 1; i < choice->count; i++)
        if (priority[choice->value[i]] > priority[choice->value[best]]) best = i;
    return best;
}

static const Strategy pct = {"pct", begin_pct, choose_pct, NULL, NULL, next_random};

const Strategy* search_pct(uint64_t seed, unsigned wanted) {
    stream = seed;
    depth = wanted < DEPTH_MOST ? wanted : DEPTH_MOST;
    points = points_most = 0;
    return &pct;
}
