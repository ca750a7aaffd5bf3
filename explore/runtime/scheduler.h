// The scheduler: lets one thread run at a time, and asks the run's strategy at every point.
//
//   an operation on a contended word ──> scheduler_point ──> the strategy: who goes on
//   spin, sleep, a block that is not there yet ──> scheduler_wait ──> who goes on
//   a stale load, a failing call, a wait's end, a fork ──> scheduler_choose ──> which way
//
// A thread that looks again and again does so only after a word that it looked at has changed; or, if the strategy
// wants it, at most twice in a row before that, because its loop may be bounded. If nobody can go on, time passes:
// threads that look again do so once more, in turn. A run in which that does not help is a livelock; one in which only
// sleepers are left is a deadlock.
//
// Thread-safety: the process's only running thread.
// Errors: faults, see run_fault().
#ifndef EXPLORE_RUNTIME_SCHEDULER_H
#define EXPLORE_RUNTIME_SCHEDULER_H

#include "observe/steps.h"
#include "record/strategy.h"
#include "runtime/location.h"
#include "runtime/thread.h"

enum { MOMENTS_MOST = 30000, MOMENTS_OF_A_CALL = 10000, LOOKS_ALONE_MOST = 3000, FAULT_TEXT = 1024 };

typedef enum { RUN_OK, RUN_PRUNED, RUN_FAULT } RunEnd;

typedef struct {
    const Strategy* strategy;
    uint8_t stale_most;     // loads that may read an older store
    uint8_t failures_most;  // system calls that may fail
    bool every_moment;      // each is a point: the strategy knows its moments
    bool races;             // data races are faults
    bool follow;  // named steps are points, too, and damage goes on to the crash that it leads to; run.c sets it
} RunLimits;

typedef struct {
    RunLimits limits;
    bool active;  // threads run; otherwise it is the setup or the end
    uint8_t stale_used, failures_used;
    uint32_t preemptions;
    bool may_fail;           // some system calls fail, so allocations may
    bool is_judged;          // the scenario expects something of how its threads come to the end
    bool writes_are_points;  // the scenario copies the process
    bool learned;            // a word became contended in this run
    bool forked;             // this is the child of a fork, or a copy
    bool copied;             // a copy that no handler of a fork knew of
    uint32_t calls;          // of the system
    uint32_t steps[HAK_STEP_COUNT];
    uint32_t cut_off;  // threads that do not exist in the child, and were in an operation of their program
    // Of a fault; check is empty if there was none.
    char check[32];
    char text[FAULT_TEXT];
    uint8_t fault_thread;
    // Of a data race, or of damaged contents: what both accesses touch; NULL, 0 bytes.
    const volatile void* fault_address;
    uint8_t fault_bytes;
    uint8_t fault_other;    // the thread of the earlier access of a race; NOBODY
    uint8_t fault_earlier;  // its flags
} Run;

extern Run run;
extern Schedule* run_schedule;  // what was chosen so far; the monitor reads it if this process dies

// The current thread is about to do what others can see.
void scheduler_point(void);
// Of the points of the current thread from here on, until it is called with false, only the first one is a point. In a
// run in which every moment is one, all are.
void scheduler_points_are_one(bool one);
// Which of `count` alternatives: 0, or what the strategy wants.
unsigned scheduler_choose(ChoiceKind kind, unsigned count);
// The current thread waits; on return it goes on.
void scheduler_wait(ThreadState state, const void* waits_for);
// The current thread has looked and not found what it waits for.
void scheduler_look_again(void);
// The same in a loop that may give up.
void scheduler_spin(void);
// The current thread's program is done.
void scheduler_end_thread(void) __attribute__((noreturn));
// Runs the threads that are READY, until all are done, or the run ends.
RunEnd scheduler_run(void);

// The current thread is alone in a new process, and has seen all that was stored. So only what is in memory counts:
// `state` is a hash of that, and of where the thread is in its program.
void scheduler_begin_process(Hash state);

// History of all threads: equal for two prefixes of runs that differ only in the order of independent operations.
Hash scheduler_state(void);

// Notes that the current thread has loaded from a word that had had `stores` stores of others.
static inline void thread_has_seen(Thread* me, const Location* location, uint16_t stores) {
    me->seen[me->moment % SEEN_MOST] = (Seen){me->moment, (uint16_t)(location - locations), stores};
}

// Ends the run with a fault. Only the first one counts. May be called at any place of the setup, the run or the end.
void run_fault(const char* check, const char* format, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
