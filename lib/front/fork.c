#include "front/fork.h"

#include "base/text.h"
#include "config/options.h"
#include "front/life.h"
#include "observe/ring.h"
#include "os/os.h"
#include "refill/parked.h"
#include "refill/refill.h"
#include "superslab/heap.h"

#include <pthread.h>
#include <sys/single_threaded.h>

static HAK_TLS uint32_t forks;  // of this thread that are going on: a handler may fork in the middle of another one
static HAK_TLS uint32_t streams_held;      // bit n: the n-th of them holds the C library's list of streams
static HAK_TLS uint32_t reserve_is_whole;  // bit n: nobody uses the reserve during the n-th

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
    if (streams_held & bit) _IO_list_unlock();
    streams_held &= ~bit;
}

// --- locks, in the order of their ranks

typedef void (*LockStep)(HakLock* lock, unsigned fork);

static void outer_locks(LockStep step, unsigned fork) {
    step(&init_lock, fork);
    step(tcb_reserve_guard(), fork);
}

static void innermost_locks(LockStep step, unsigned fork) {
    registry_locks(step, fork);
    step(&heap_lock, fork);
    hak_options_locks(step, fork);
}

static void inner_locks(LockStep step, unsigned fork) {
    tcb_locks(step, fork);
    mmap_gate_locks(step, fork);
    innermost_locks(step, fork);
}

// Interrupted in the middle of what it did with the allocator, the thread may hold a lock that another one waits for.
static HAK_TLS bool holds_some;

static void note_held(HakLock* lock, unsigned fork) {
    (void)fork;
    holds_some |= hak_lock_is_mine(lock);
}

static bool is_calm(unsigned fork) {
    HakTls* tls = &hak_tls;
    bool inside = tls->beginning || (tls->tcb && load_relaxed(&tls->tcb->inside));
    holds_some = false;
    outer_locks(note_held, fork);
    inner_locks(note_held, fork);
    return !inside && !holds_some;
}

static void take(HakLock* lock, unsigned fork) {
    hak_lock_for_fork(lock, fork, true);
}

static void take_if_soon_free(HakLock* lock, unsigned fork) {
    hak_lock_for_fork(lock, fork, false);
}

// Who holds the gate may wait for a registry's lock that this thread holds. It guards nothing that could be half done.
static void take_inner(unsigned fork, bool calm) {
    tcb_locks(take, fork);
    mmap_gate_locks(calm ? take : take_if_soon_free, fork);
    innermost_locks(take, fork);
}

// Who holds one of these may wait for any lock that this thread holds. Nothing of the initialisation is lost when it
// is cut off.
static void take_outer(unsigned fork, bool calm) {
    uint32_t bit = UINT32_C(1) << fork;
    hak_lock_for_fork(&init_lock, fork, calm);
    bool mine = hak_lock_is_mine(tcb_reserve_guard());
    bool whole = hak_lock_for_fork(tcb_reserve_guard(), fork, calm) || mine;
    reserve_is_whole = (reserve_is_whole & ~bit) | (whole ? bit : 0);
}

// --- operations of other threads

// A moment, since they may be held up by this thread, or by the kernel.
static void wait_for_operations(bool calm) {
    enum { YIELDS = 64, SLEEPS = 1000, SLEEPS_IF_HELD_UP = 20 };
    int tries = 0, most = YIELDS + (calm ? SLEEPS : SLEEPS_IF_HELD_UP);
    for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) {
        if (load_relaxed(&tcb->tls) == &hak_tls || load_relaxed(&tcb->state) == TCB_LOST) continue;
        for (; load_relaxed(&tcb->inside) && tries < most; tries++) {
            if (tries < YIELDS)
                os_yield();
            else
                os_sleep_briefly();
        }
    }
}

// --- the handlers

static void before_fork(void) {
    forks++;
    unsigned fork = this_fork();
    hold_streams(UINT32_C(1) << fork);
    bool calm = is_calm(fork);
    hak_lock_for_fork(&fork_lock, fork, true);
    wait_for_operations(calm);
    take_outer(fork, calm);
    take_inner(fork, calm);
}

static void after_fork_in_parent(void) {
    unsigned fork = this_fork();
    inner_locks(hak_unlock_after_fork, fork);
    outer_locks(hak_unlock_after_fork, fork);
    hak_unlock_after_fork(&fork_lock, fork);
    release_streams(UINT32_C(1) << fork);
    forks--;
}

static void after_fork_in_child(void) {
    unsigned fork = this_fork();
    bool whole = (reserve_is_whole >> fork & 1) != 0;
    inner_locks(hak_lock_in_child, fork);
    outer_locks(hak_lock_in_child, fork);
    bool calm = is_calm(fork);
    tcb_after_fork_in_child(&hak_tls, calm ? bins_leave : NULL, whole);
    registry_after_fork_in_child();
    hak_ring_after_fork(hak_tls.tcb ? hak_tls.tcb->number : 0);
    hak_lock_in_child(&fork_lock, fork);
    streams_held &= ~(UINT32_C(1) << fork);  // the C library resets the lock itself
    forks--;
}

void fork_hook(void) {
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0)
        text_warn("hakmem: no memory to prepare for forks: a child of a process with threads may hang\n");
}
