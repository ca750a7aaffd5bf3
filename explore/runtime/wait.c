// Stands for lib/base/wait.c: a sleep lasts until the word is woken. In truth it has a limit of 50 milliseconds, so a lost
// wake-up costs time and no more; here it is a deadlock, and is found.
#include "base/wait.h"

#include "runtime/system.h"

static struct {
    const void* word;
    uint64_t since;
} sleepers[THREADS_AND_SETUP];
static uint64_t sleeps;

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t* p, uint64_t* expected, uint64_t value, int order,
                                            int failure);
uint64_t __tsan_atomic64_load(const volatile uint64_t* p, int order);

// The kernel compares and falls asleep under its own lock, which a wake takes, too. So a wake comes before or after
// both; it is an operation on the word, as the comparison is.
void wait_while(_Atomic uint64_t* word, uint64_t value) {
    if (!run.active) run_fault("deadlock", "a lock is held after the last thread's end");
    uint64_t now = UINT64_MAX;  // never the word's value: the kernel reads the newest store, as a refused swap does
    __tsan_atomic64_compare_exchange_strong((volatile uint64_t*)word, &now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    if ((uint32_t)now != (uint32_t)value) return;
    sleepers[current_thread].word = word;
    sleepers[current_thread].since = ++sleeps;
    scheduler_wait(SLEEPS, word);
    sleepers[current_thread].word = NULL;
}

void wait_wake_one(_Atomic uint64_t* word) {
    if (!run.active) return;
    // Where it stands between others' operations on the word matters.
    (void)__tsan_atomic64_load((const volatile uint64_t*)word, __ATOMIC_RELAXED);
    unsigned first = NOBODY;
    for (unsigned t = 0; t < thread_count; t++) {
        if (threads[t].state != SLEEPS || threads[t].was_woken || sleepers[t].word != word) continue;
        if (first == NOBODY || sleepers[t].since < sleepers[first].since) first = t;
    }
    if (first != NOBODY) threads[first].was_woken = true;
}

void wait_yield(void) {
    if (run.active) threads[current_thread].hurries = false;
    explored_spin();
}

void explored_spin(void) {
    static uint32_t passes;  // outside of a run
    if (run.active)
        scheduler_look_again();
    else if (++passes % 1000000 == 0)
        run_fault("livelock", "a wait after the last thread's end does not end");
}
