// A thread fills memory and goes to sleep. Another thread frees all of it, then needs as much memory for blocks of
// another size. If the freed blocks wait for their sleeping owner, the process has both at once, and its peak RSS shows
// it. The final RSS, while the owner still sleeps, shows what such a program never gets back.
#include "workload/team.h"

#include "workload/alloc.h"

#include <pthread.h>

enum { BYTES, FIRST, SECOND };
enum { OWNER, OTHER, ROLES };

static const struct workload_param params[] = {
    {"bytes", 16 << 20, 1 << 16, UINT64_C(1) << 32, "live bytes of each thread of a pair"},
    {"first", 64, 16, 1 << 20, "size of a block of the sleeping thread, in bytes"},
    {"second", 1024, 16, 1 << 20, "size of a block of the other thread, in bytes"},
    {NULL, 0, 0, 0, NULL},
};

enum turn { TURN_OF_OWNER, TURN_OF_OTHER, ENDED };

struct pair {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum turn turn;  // guarded by the mutex
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

static void pass(struct pair* pair, enum turn turn) {
    pthread_mutex_lock(&pair->mutex);
    pair->turn = turn;
    pthread_cond_signal(&pair->changed);
    pthread_mutex_unlock(&pair->mutex);
}

// Sleeps until the other thread's turn is over.
static enum turn sleep_during(struct pair* pair, enum turn turn) {
    pthread_mutex_lock(&pair->mutex);
    while (pair->turn == turn) pthread_cond_wait(&pair->changed, &pair->mutex);
    const enum turn now = pair->turn;
    pthread_mutex_unlock(&pair->mutex);
    return now;
}

static void own(struct team_member* member, struct pair* pair, void** first) {
    const uint64_t* p = member->run->params;
    do {
        fill(first, first_count(p), p[FIRST]);
        pass(pair, TURN_OF_OTHER);
        (void)sleep_during(pair, TURN_OF_OTHER);
    } while (team_goes_on(member, first_count(p) + second_count(p)));
    pass(pair, ENDED);
}

static void free_for_owner(const uint64_t* p, struct pair* pair, void** first, void** second) {
    while (sleep_during(pair, TURN_OF_OWNER) == TURN_OF_OTHER) {
        free_all(first, first_count(p));
        fill(second, second_count(p), p[SECOND]);
        free_all(second, second_count(p));
        pass(pair, TURN_OF_OWNER);
    }
}

// What a pair shares: its state, then the two lists of blocks.
static size_t pair_bytes(const uint64_t* p) {
    return sizeof(struct pair) + (first_count(p) + second_count(p)) * sizeof(void*);
}

static void work(struct team_member* member) {
    const uint64_t* p = member->run->params;
    char* common = member->common;
    struct pair* pair = (struct pair*)(void*)(common + member->lane * pair_bytes(p));
    void** first = (void**)(void*)(pair + 1);
    if (member->role == OWNER) {
        pthread_mutex_init(&pair->mutex, NULL);  // with glibc these neither fail nor allocate
        pthread_cond_init(&pair->changed, NULL);
    }
    team_ready(member);
    if (member->role == OWNER)
        own(member, pair, first);
    else
        free_for_owner(p, pair, first, first + first_count(p));
    team_done(member);
}

static int run(const struct workload_run* run, struct workload_result* result) {
    const struct team_plan plan = {
        .roles = ROLES,
        .common = run->threads * pair_bytes(run->params),
        .work = work,
    };
    return team_run(run, &plan, result);
}

const struct workload workload_idle_owner = {
    .name = "idle-owner",
    .summary = "a thread allocates and sleeps, another frees its blocks and needs as much: pairs of threads",
    .source = "ours; a server whose worker threads are idle while others clean up",
    .stresses = "whether freed memory can be reused while its owner sleeps: peak RSS, and RSS at the end",
    .params = params,
    .run = run,
    .roles = ROLES,
};
