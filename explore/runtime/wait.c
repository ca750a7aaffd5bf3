// Stands for lib/base/wait.c: a sleep lasts until the word is woken. In truth it has a limit of 50 milliseconds, so a
// lost wake-up costs time and no more; here it is a deadlock, and is found.
#include "base/wait.h"

#include "runtime/system.h"

static struct {
    const void* word;
    uint64_t since;
} sleepers[THREADS_AND_SETUP];
static uint64_t sleeps;

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t* p, uint64_t* expected, uint64_t value, int order,
                                            int failure);

// The kernel compares and falls asleep under its own lock, which a wake takes, too. So a wake comes before or after
// both. There it sees the newest store, as a compare-and-swap does; this one never succeeds.
static uint64_t newest(_Atomic uint64_t* word) {
    uint64_t never = UINT64_MAX;
    __tsan_atomic64_compare_exchange_strong((volatile uint64_t*)word, &never, never, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED);
    return never;
}

// The first of those who sleep on the word; *count: how many they are.
static unsigned first_sleeper(const void* word, unsigned* count) {
    unsigned first = NOBODY;
    *count = 0;
    for (unsigned t = 0; t < thread_count; t++) {
        if (threads[t].state != SLEEPS || threads[t].was_woken || sleepers[t].word != word) continue;
        if (first == NOBODY || sleepers[t].since < sleepers[first].since) first = t;
        ++*count;
    }
    return first;
}

// What a thread does next depends on who is awake, so that is part of its history.
static void note(unsigned what) {
    threads[current_thread].history = hash_add(threads[current_thread].history, what);
}

void wait_while(_Atomic uint64_t* word, uint64_t value) {
    if (!run.active) run_fault("deadlock", "a lock is held after the last thread's end");
    if ((uint32_t)newest(word) != (uint32_t)value) return;
    unsigned before;
    first_sleeper(word, &before);
    note(before);
    sleepers[current_thread].word = word;
    sleepers[current_thread].since = ++sleeps;
    scheduler_wait(SLEEPS, word);
    sleepers[current_thread].word = NULL;
}

void wait_wake_one(_Atomic uint64_t* word) {
    if (!run.active) return;
    newest(word);  // where the wake stands between others' operations on the word matters
    unsigned count, first = first_sleeper(word, &count);
    note(first);
    if (first != NOBODY) threads[first].was_woken = true;
}

void wait_yield(void) {
    if (run.active) threads[current_thread].hurries = false;
    explored_spin();
}

void explored_spin(void) {
    static uint32_t passes;  // outside of a run
    if (run.active)
        scheduler_spin();
    else if (++passes % 1000000 == 0)
        run_fault("livelock", "a wait after the last thread's end does not end");
}
