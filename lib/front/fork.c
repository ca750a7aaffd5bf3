#include "front/fork.h"

#include "base/text.h"
#include "config/options.h"
#include "front/life.h"
#include "observe/ring.h"
#include "os/os.h"
#include "refill/parked.h"
#include "refill/refill.h"
#include "superslab/superslab.h"

#include <pthread.h>
#include <sys/single_threaded.h>

static HAK_TLS uint32_t forks;  // of this thread that are going on: a handler may fork in the middle of another one
static HAK_TLS uint32_t streams_held;  // bit n: the n-th of them holds the C library's list of streams

static unsigned this_fork(void) {
    return forks < LOCK_FORKS_MOST ? forks : LOCK_FORKS_MOST;
}

// --- the C library's streams

// The C library takes the lock of its list of streams after our handler has run; a thread may hold it and wait for a stream whose
// reader waits for memory. So it is taken first here. It is recursive; the C library takes it, and resets it in the child, only in
// a process with threads.
__attribute__((weak)) void _IO_list_lock(void);
__attribute__((weak)) void _IO_list_unlock(void);

static void hold_streams(uint32_t bit) {
    if (_IO_list_lock == NULL || _IO_list_unlock == NULL || __libc_single_threaded) return;
    _IO_list_lock();
    streams_held |= bit;
}

static void release_streams(uint32_t bit) {
    if ((streams_held & bit) && _IO_list_unlock != NULL) _IO_list_unlock();
    streams_held &= ~bit;
}

// --- locks, in the order of their ranks

typedef void (*LockStep)(HakLock* lock, unsigned fork);

static void outer_locks(LockStep step, unsigned fork) {
    step(&init_lock, fork);
    step(tcb_reserve_guard(), fork);
    mmap_gate_locks(step, fork);
}

// Whoever holds one of these does not hold it for long, unless a handler has interrupted it.
static void inner_locks(LockStep step, unsigned fork) {
    tcb_locks(step, fork);
    registry_locks(step, fork);
    step(&heap_lock, fork);
    hak_options_locks(step, fork);
}

// Interrupted in the middle of what it did with the allocator, the thread may hold a lock that another one waits for.
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

static HAK_TLS bool refused;

static void try_take(HakLock* lock, unsigned fork) {
    refused |= !hak_lock_for_fork(lock, fork);
}

// --- forks in handlers that have interrupted what their threads did with the allocator

static _Atomic uint32_t held_up;       // how many are going on
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

// Asks all other threads to wait, and gives each a moment to leave its operation: it may be held up by this thread, or by the kernel.
// false: there are no others.
static bool ask_each(bool calm, int* tries) {
    enum { MOST = 1064, MOST_IF_HELD_UP = 84 };
    bool some = false;
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        some |= may_be_asked(tcb);
        while (may_be_asked(tcb) && !operation_ask(tcb) &&
               *tries < (calm && load_relaxed(&held_up) == 0 ? MOST : MOST_IF_HELD_UP))
            os_wait((*tries)++);
    }
    return some;
}

// One fork at a time, that which holds fork_lock. Twice: a thread that had looked at its word just before it was asked has overwritten it
// since.
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

// What a thread that the child has not was changing under a lock is given up.
static void give_up_half_done(void) {
    if (hak_lock_is_others(&heap_lock)) superslab_forget_free();
    registry_forget_half_done();
    tcb_forget_half_done();
}

// With signals held back: a handler that forks or allocates would find what is settled by half.
static void settle_in_child(unsigned fork) {
    uint64_t held = os_hold_signals();
    bool reserve_is_whole = !hak_lock_is_others(tcb_reserve_guard());
    give_up_half_done();
    inner_locks(hak_lock_in_child, fork);
    outer_locks(hak_lock_in_child, fork);
    hak_ring_after_fork(hak_tls.tcb ? hak_tls.tcb->number : 0);
    bool calm = is_calm(fork);
    tcb_after_fork_in_child(&hak_tls, calm ? bins_leave : NULL, reserve_is_whole);
    registry_after_fork_in_child();
    if (hak_tls.tcb) operation_ask_no_more(hak_tls.tcb);  // another thread was about to fork
    hak_lock_in_child(&fork_lock, fork);
    store_relaxed(&held_up, (uint32_t)__builtin_popcount(held_up_here));
    os_accept_copy();
    os_release_signals(held);
}

// --- copies that are made without handlers: by _Fork, clone

// Nothing is taken before, so a thread that the copy has not may hold any lock, and what that guards may be half changed. It is seen
// where it hurts, by a thread that waits for such a lock, and repaired by it while it is alone: what was free is given up.
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
    if (load_relaxed(&one_began)) {
        os_watch_copies();
        store_relaxed(&hak_lock_waits, see_new_copy);
        see_new_copy();
    }
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

// All or nothing, a moment each: a thread whose handler forks may hold one of ours, and wait for what this thread has taken, the
// streams for one. Such forks go first.
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

// In the middle of what the thread did with the allocator: who holds a lock may wait for one that this thread holds. Then the child does
// without it: nothing is lost of the initialisation or the gate, the reserve is replaced, and what was free may be given up.
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
