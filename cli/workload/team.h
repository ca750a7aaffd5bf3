// Threads that do the same work at the same time: set up, start together, work until the time is over or the count is
// reached, clean up. A workload's run() calls team_run() with a function of this form:
//     set up; team_ready(m); do { N operations } while (team_goes_on(m, N)); team_done(m); free what is left.
// Only what is between team_ready and team_done is timed. The team's own memory is mapped, never allocated by malloc.
// Thread-safety: each member is used by its own thread only. Errors: team_run() returns 0 or an errno.
#ifndef HAKSTRESS_WORKLOAD_TEAM_H
#define HAKSTRESS_WORKLOAD_TEAM_H

#include "workload/workload.h"

struct team;

struct team_member {
    _Alignas(64) struct team* team;  // on a cache line of its own, because the random state is written all the time
    const struct workload_run* run;
    unsigned lane;  // 0 .. run->threads - 1
    unsigned role;  // 0 .. roles - 1 within the lane
    struct workload_random random;
    void* memory;  // zeroed, for the member only
    void* common;  // zeroed, for the whole team
};

struct team_plan {
    unsigned roles;  // threads in a lane; operations are counted by role 0
    size_t memory;   // bytes for each member
    size_t common;   // bytes for the team
    void (*work)(struct team_member* member);
};

// The calling thread is the first member, so a team of one starts no thread.
int team_run(const struct workload_run* run, const struct team_plan* plan, struct workload_result* result);

void team_ready(struct team_member* member);
// Adds `ops` operations to the member's lane. False: it is time for team_done().
bool team_goes_on(struct team_member* member, uint64_t ops);
void team_done(struct team_member* member);

// Starts a thread, joins it, and returns 0 or an errno: the life of one of a lane's successive threads.
int team_thread(struct team_member* member, void* (*body)(void*), void* argument);
// Ends the team early; team_run() returns `error`.
void team_fail(struct team_member* member, int error);

// Zeroed pages from the system. NULL: there are none.
void* team_map(size_t size);

// A block, or the end of the process with a message: no workload can use less memory than it asked for.
void* team_malloc(size_t size);
void* team_calloc(size_t size);
void* team_realloc(void* block, size_t size);

// Writes one byte to each page of a block, as a program would that uses the block.
static inline void team_touch(char* block, size_t size) {
    const size_t page = 4096;
    for (size_t at = 0; at < size; at += page) ((volatile char*)block)[at] = 1;
}

// In [min, max].
static inline size_t team_size(struct team_member* member, uint64_t min, uint64_t max) {
    return (size_t)(min + workload_random_below(&member->random, max - min + 1));
}

#endif
