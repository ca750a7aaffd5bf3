#include "front/fork.h"

#include "base/text.h"
#include "config/options.h"
#include "front/locks.h"
#include "front/process.h"
#include "front/refuse.h"
#include "front/wake.h"
#include "observe/ring.h"
#include "observe/steps.h"
#include "os/os.h"
#include "profile/profile.h"
#include "refill/parked.h"
#include "refill/stages.h"
#include "sample/sample.h"
#include "stack/stack_table.h"
#include "superslab/page_slots.h"
#include "superslab/superslab.h"
#include "thread/operation.h"

#include <pthread.h>

static HAK_TLS uint32_t forks;         // forks of this thread under way: a handler may fork during another fork
static HAK_TLS uint32_t streams_held;  // bit n: the n-th of them holds the C library's list of streams

static unsigned this_fork(void) {
    return forks < LOCK_FORKS_MOST ? forks : LOCK_FORKS_MOST;
}

// --- the C library's streams

// The C library locks its list of streams only after our handler has run. A thread may hold that lock and wait for a
// stream whose reader waits for memory. So our handler locks the list first. The lock is recursive. The C library takes
// it, and resets it in the child, only in a process with threads.
__attribute__((weak)) void _IO_list_lock(void);
__attribute__((weak)) void _IO_list_unlock(void);

static void hold_streams(uint32_t bit) {
    if (_IO_list_lock == NULL || _IO_list_unlock == NULL || libc_single_threaded()) return;
    _IO_list_lock();
    streams_held |= bit;
}

static void release_streams(uint32_t bit) {
    if ((streams_held & bit) && _IO_list_unlock != NULL) _IO_list_unlock();
    streams_held &= ~bit;
}

// --- locks, in the order of their ranks

static void outer_locks(LockStep step, unsigned fork) {
    locks_of_ranks(LOCK_RANK_OUTER, LOCK_RANK_INNER - 1, step, fork);
}

// A holder of one of these does not hold it for long, unless a handler interrupted it.
static void inner_locks(LockStep step, unsigned fork) {
    locks_of_ranks(LOCK_RANK_INNER, LOCK_LEAF, step, fork);
}

// Set if the thread was interrupted while it held one of our locks. Another thread may wait for that lock.
static HAK_TLS bool holds_some;

static void note_held(HakLock* lock, unsigned fork) {
    (void)fork;
    holds_some |= hak_lock_is_mine(lock);
}

static bool is_calm(unsigned fork) {
    HakTls* tls = &hak_tls;
    bool inside = tls->beginning || operation_is_open();
    holds_some = false;
    outer_locks(note_held, fork);
    inner_locks(note_held, fork);
    return !inside && !holds_some;
}

bool fork_thread_is_calm(void) {
    return is_calm(LOCK_NO_FORK);
}

static HAK_TLS bool refused;

static void try_take(HakLock* lock, unsigned fork) {
    refused |= !hak_lock_for_fork(lock, fork);
}

// --- forks in handlers that interrupted an operation of their thread

static _Atomic uint32_t held_up;       // how many are under way
static HAK_TLS uint32_t held_up_here;  // bit n: the n-th of this thread's forks is one

static void begin_held_up(uint32_t bit) {
    if (held_up_here & bit) return;
    add_relaxed(&held_up, 1u);
    held_up_here |= bit;
}

static void end_held_up(uint32_t bit) {
    if ((held_up_here & bit) == 0) return;
    held_up_here &= ~bit;
    add_relaxed(&held_up, -1u);
}

// --- operations of other threads

static bool may_be_asked(const HakTcb* tcb) {
    const HakTls* tls = load_relaxed(&tcb->tls);
    return tls != NULL && tls != &hak_tls && load_relaxed(&tcb->state) != TCB_LOST;
}

// Asks all other threads to wait, and gives each a moment to leave its operation. It may not be able to: this thread or
// the kernel may hold it up. false: there are no others.
static bool ask_each(bool calm, int* tries) {
    enum { MOST = HAK_EXPLORED ? 4 : 1064, MOST_IF_HELD_UP = HAK_EXPLORED ? 2 : 84 };
    bool some = false;
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        some |= may_be_asked(tcb);
        while (may_be_asked(tcb) && !operation_ask(tcb) &&
               *tries < (calm && load_relaxed(&held_up) == 0 ? MOST : MOST_IF_HELD_UP))
            os_wait((*tries)++);
    }
    return some;
}

// Only the fork that holds fork_lock asks. It asks twice: a thread that read its word just before it was asked may have
// overwritten it since.
static void ask_others(unsigned fork, bool calm) {
    int tries = 0;
    if (!hak_lock_is_of_fork(&fork_lock, fork) || !ask_each(calm, &tries)) return;
    os_yield();
    ask_each(calm, &tries);
}

static void ask_others_no_more(unsigned fork) {
    if (!hak_lock_is_of_fork(&fork_lock, fork)) return;
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) operation_ask_no_more(tcb);
}

// --- in the child

// Gives up what a thread that the child does not have was changing under a lock.
static void give_up_half_done(void) {
    if (hak_lock_is_others(&heap_lock)) superslab_forget_free();
    page_slots_in_child();
    slots_in_child();
    registry_forget_half_done();
    tcb_forget_half_done();
}

// With signals blocked: a handler that forks or allocates would find this half done.
static void settle_in_child(unsigned fork) {
    uint64_t held = os_hold_signals();
    bool reserve_is_whole = !hak_lock_is_others(tcb_reserve_guard());
    give_up_half_done();
    inner_locks(hak_lock_in_child, fork);
    outer_locks(hak_lock_in_child, fork);
    stack_table_after_fork();
    profile_after_fork();
    hak_ring_after_fork(hak_tls.tcb ? hak_tls.tcb->number : 0);
    bool calm = is_calm(fork);
    tcb_after_fork_in_child(&hak_tls, calm ? bins_leave : NULL, reserve_is_whole);
    registry_after_fork_in_child();
    if (hak_tls.tcb) operation_ask_no_more(hak_tls.tcb);  // another thread was about to fork
    hak_lock_in_child(&fork_lock, fork);
    store_relaxed(&held_up, (uint32_t)__builtin_popcount(held_up_here));
    os_accept_copy();
    wake_forget_requests();
#if HAK_CHECKED && !HAK_EXPLORED
    store_relaxed(&refuse_count, 0u);
#endif
    os_release_signals(held);
}

// --- copies made without handlers: by _Fork, clone

// No lock was taken before, so a thread that the copy does not have may hold any lock, and what that guards may be half
// changed. A thread that waits for such a lock notices, and repairs it while it is alone: free memory is given up.
static void see_new_copy(void) {
    if (!os_is_new_copy()) return;
    uint64_t held = os_hold_signals();
    if (os_is_new_copy()) {
        if (os_has_threads(hak_tls.tcb == NULL))
            os_accept_copy();
        else
            settle_in_child(LOCK_NO_FORK);
    }
    os_release_signals(held);
}

void fork_thread_begins(void) {
    static _Atomic bool one_began;
    store_relaxed(&hak_lock_waits, see_new_copy);
    // The C library does not know of threads that a program makes by clone.
    bool second = load_relaxed(&one_began) && !load_relaxed(&operation_copies_are_watched);
    if (second || operation_has_to_watch()) operation_watch_copies();
    see_new_copy();
    store_relaxed(&one_began, true);
}

// --- the handlers

static void give_back(unsigned fork) {
    ask_others_no_more(fork);
    inner_locks(hak_unlock_after_fork, fork);
    outer_locks(hak_unlock_after_fork, fork);
    hak_unlock_after_fork(&fork_lock, fork);
    release_streams(UINT32_C(1) << fork);
}

// Takes all locks or none, and tries each for a moment: a thread whose handler forks may hold one of ours and wait for
// what this thread has taken, such as the streams. The fork in the handler goes first.
static bool take_all(unsigned fork, bool first) {
    refused = !first && load_relaxed(&held_up) != 0;
    if (refused) return false;
    hold_streams(UINT32_C(1) << fork);
    try_take(&fork_lock, fork);
    if (!refused) ask_others(fork, true);
    if (!refused) outer_locks(try_take, fork);
    if (!refused) inner_locks(try_take, fork);
    if (refused) give_back(fork);
    return !refused;
}

// For a fork that interrupted an operation: a holder of a lock may wait for one that this thread holds. Then the child
// does without the lock. Nothing is lost of the initialisation or the gate, the reserve TCB is replaced, and free
// memory may be given up.
static void take_what_can_be_had(unsigned fork) {
    try_take(&fork_lock, fork);
    ask_others(fork, false);
    outer_locks(try_take, fork);
    inner_locks(try_take, fork);
}

static void before_fork(void) {
    if (forks == 0) see_new_copy();
    forks++;
    unsigned fork = this_fork();
    STEP(X0);
    if (!is_calm(fork)) {
        begin_held_up(UINT32_C(1) << fork);
        take_what_can_be_had(fork);
        return;
    }
    enum { GIVES_WAY = 200 };
    for (unsigned tries = 0; !take_all(fork, tries > GIVES_WAY); tries++) {
        os_sleep_briefly();
        see_new_copy();
    }
}

static void after_fork_in_parent(void) {
    give_back(this_fork());
    end_held_up(UINT32_C(1) << this_fork());
    forks--;
}

static void after_fork_in_child(void) {
    STEP(X9);
    unsigned fork = this_fork();
    held_up_here &= ~(UINT32_C(1) << fork);
    settle_in_child(fork);
    streams_held &= ~(UINT32_C(1) << fork);  // the C library resets the lock itself
    forks--;
}

void fork_hook(void) {
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0)
        text_warn("hakmem: no memory to prepare for forks: a child of a process with threads may hang\n");
}
