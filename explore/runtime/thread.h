// The threads of a run: fibers, each with a stack of its own and the thread pointer of a real thread, which sleeps for
// ever. So `__thread` variables of the allocator are one for each.
//
// The last one, SETUP, runs what comes before the run and after it.
//
// Thread-safety: the process's only running thread.
// Errors: threads_start ends the process if the system gives no threads.
#ifndef EXPLORE_RUNTIME_THREAD_H
#define EXPLORE_RUNTIME_THREAD_H

#include "record/schedule.h"
#include "runtime/clock.h"
#include "runtime/hash.h"
#include "thread/tls.h"

enum { SETUP = THREADS_MOST, THREADS_AND_SETUP, BEFORE_RUN = CLOCK_WIDTH - 1, NOBODY = 255 };

typedef enum {
    UNBORN,
    READY,
    SPINS,     // looks again and again; goes on when a word that it has looked at was written
    SLEEPS,    // in the kernel, on a word, until it is woken
    AWAITS,    // until a block is there
    FINISHED,  // its program is done
    GONE,      // in the child of a fork, which does not have it
} ThreadState;

// A load: of which word, and how many stores of others it had had.
typedef struct {
    uint32_t moment;
    uint16_t location;
    uint16_t stores;
} Seen;

enum { SEEN_MOST = 128 };

typedef struct {
    void* stack_pointer;
    char* stack;
    uintptr_t thread_pointer;
    uint8_t state;  // ThreadState
    bool hurries;   // the time of its wait has run out
    bool was_woken;
    uint8_t one_point;  // whether only the first of its next points is one: scheduler.c
    uint16_t step;      // last named step; HAK_STEP_COUNT: none since the last operation
    uint32_t moment;
    uint32_t began;         // the moment before its last call into the allocator
    uint32_t op;            // operation of its program under way, from 1; 0: none
    uint32_t looks_alone;   // passes in a row for which nothing had changed
    uint8_t looks_in_vain;  // the same, by choice
    uint32_t seen_since;    // the moment at which it last began to wait
    const void* waits_for;
    Clock clock;
    Clock released_by_fence;  // what its relaxed stores hand on
    Clock acquired_by_fence;  // what its relaxed loads have seen
    Hash history;
    Seen seen[SEEN_MOST];  // of the newest moments: number moment % SEEN_MOST
} Thread;

extern Thread threads[THREADS_AND_SETUP];
extern unsigned thread_count;    // of the scenario
extern unsigned current_thread;  // SETUP: none of the scenario

// Makes the threads. body: what each fiber runs.
void threads_start(void);
// A fiber that begins with body() when it is next switched to.
void thread_prepare(unsigned thread, void (*body)(void));
// Goes on with that fiber.
void thread_switch(unsigned to);
// From the explorer's own stack to a fiber, and back. Returns what thread_leave was given.
int thread_enter(unsigned to);
void thread_leave(int value) __attribute__((noreturn));
// Whether a fiber runs.
bool thread_is_inside(void);
// The current thread has handed on what it did: what it does from now on is later.
void thread_tick(void);
// Runs as if it were that thread, on the caller's stack: for the setup and the end.
void thread_become(unsigned thread);
// The allocator's thread-local state of the thread that the caller runs as. Not hak_tls itself: a compiler may keep the
// thread pointer of an earlier thread, as nothing in C changes it.
HakTls* thread_tls(void);

// The allocator's `__thread` variables of all threads: at the program's start, at the snapshot.
void threads_tls_snapshot(void);
void threads_tls_reset(void);
void threads_tls_forget_all(void);
Hash threads_tls_hash(void);
// Whether the address is in the current thread's.
bool threads_tls_has(const volatile void* p);
// The thread's variables are those of the snapshot again, as if another thread began in its place.
void thread_tls_renew(unsigned thread);

#endif
