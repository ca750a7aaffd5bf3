#include "litmus.h"

#include "front/life.h"
#include "run/run.h"
#include "runtime/hash_set.h"
#include "runtime/order.h"
#include "runtime/weaken.h"
#include "search/search.h"
#include "superslab/heap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool explore(const Litmus* l) {
    enum { STALE = 2, RUNS_MOST = 100000 };
    unsigned count = l->thread[2] ? 3 : 2;
    ExhaustiveLimits bounds = {0, PREEMPTIONS_WITHOUT_BOUND, 0, 1, false};
    bool seen = false, faults = false, as_wanted = true;
    run_prepare_functions(l->thread, count);
    RunLimits limits = {.strategy = search_exhaustive(&bounds), .stale_most = STALE, .races = true};
    for (int i = 0; i < RUNS_MOST; i++) {
        RunEnd end = run_once(&limits);
        seen |= end == RUN_OK && litmus_result(0) == l->outcome[0] && litmus_result(1) == l->outcome[1];
        faults |= end == RUN_FAULT;
        as_wanted &= end != RUN_FAULT || (l->check && strcmp(run.check, l->check) == 0);
        if (run.learned) {
            exhaustive_begin_again();
            seen = faults = false;
            as_wanted = true;
        } else if (!limits.strategy->next_run())
            break;
    }
    bool ok = seen == l->allowed && faults == (l->check != NULL) && as_wanted && exhaustive_is_complete();
    printf("%s %s: outcome %s, %s\n", ok ? "ok  " : "FAIL", l->name, seen ? "seen" : "not seen",
           faults ? "a fault" : "no fault");
    return ok;
}

static bool ends_in_one_state(HashSet* histories, HashSet* with_ends) {
    hash_set_add(histories, scheduler_state());
    hash_set_add(with_ends, hash_join(scheduler_state(), memory_hash()));
    return histories->count == with_ends->count;
}

// The search goes on from each history once. So two runs of one history must leave the same.
static bool histories_tell_ends(const Litmus* l) {
    enum { RUNS_MOST = 20000 };
    static HashSet histories = {.most = RUNS_MOST}, with_ends = {.most = RUNS_MOST};
    ExhaustiveLimits bounds = {0, PREEMPTIONS_WITHOUT_BOUND, 0, 1, true};
    bool ok = true;
    run_prepare_functions(l->thread, l->thread[2] ? 3 : 2);
    hash_set_clear(&histories);
    hash_set_clear(&with_ends);
    RunLimits limits = {.strategy = search_exhaustive(&bounds), .races = true};
    for (int i = 0; i < RUNS_MOST; i++) {
        RunEnd end = run_once(&limits);
        if (run.learned) {
            exhaustive_begin_again();
            hash_set_clear(&histories);
            hash_set_clear(&with_ends);
            ok = true;
            continue;
        }
        if (end == RUN_OK) ok &= ends_in_one_state(&histories, &with_ends);
        if (!limits.strategy->next_run()) break;
    }
    if (!ok) printf("FAIL %s: two runs of one history end in two states\n", l->name);
    return ok;
}

static bool is_weaker(const char* place, int order, const volatile void* word, unsigned bytes) {
    return weaken_set(place) && order_changed(order, HAK_STEP_COUNT, word, bytes) == __ATOMIC_RELAXED;
}

// A place is the word that it names, and no other one of its kind. Every lock is one.
static bool places_are_their_words(void) {
    static _Atomic uint32_t other;
    bool ok = is_weaker("all_acquire", __ATOMIC_ACQUIRE, &tcb_newest, sizeof tcb_newest) &&
              is_weaker("key_release", __ATOMIC_RELEASE, &have_end_key, 1) &&
              is_weaker("unlock", __ATOMIC_RELEASE, &heap_lock.word, sizeof other) &&
              !is_weaker("all_acquire", __ATOMIC_ACQUIRE, &hak_lock_waits, sizeof hak_lock_waits) &&
              !is_weaker("key_release", __ATOMIC_RELEASE, &other, 1);
    weaken_set("");
    printf("%s places_are_their_words\n", ok ? "ok  " : "FAIL");
    return ok;
}

int main(void) {
    bool ok = true;
    run_start();
    ok &= places_are_their_words();
    for (const Litmus* l = litmus; l->name; l++) ok &= explore(l) && histories_tell_ends(l);
    fflush(stdout);
    _exit(ok ? 0 : 1);
}
