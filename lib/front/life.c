#include "front/life.h"

#include "base/output.h"
#include "base/text.h"
#include "config/options.h"
#include "front/guard.h"
#include "front/stats.h"
#include "observe/chaos.h"
#include "observe/guard_record.h"
#include "observe/ring.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "refill/parked.h"
#include "refill/refill.h"
#include "slab/bundle.h"
#include "slab/run.h"
#include "superslab/heap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/single_threaded.h>
#include <unistd.h>

HAK_TLS HakTls hak_tls = {.bin = {[0 ... CLASS_COUNT - 1] = {.head = LINK_END}}, .foreign = FOREIGN_ALL};

static HakLock init_lock;
static _Atomic uint32_t initialised;
static pthread_key_t exit_key;
static bool have_exit_key;

static void at_thread_exit(void* round);

// --- the process

static bool init_slow(void) {
    os_start();
    hak_lock(&init_lock);
    bool ok = load_relaxed(&initialised) != 0;
    if (!ok) {
        hak_options_init();
        ok = heap_init();
        if (ok) {
            link_init(hak_option(links) != 0);
#if HAK_CHECKED
            store_relaxed(&hak_chaos_odds, hak_option(chaos));
            hak_ring_tell((uint64_t)(uintptr_t)&hak_heap, (uint64_t)(uintptr_t)&hak_link_key,
                          hak_option(guard) ? (uint64_t)(uintptr_t)&hak_guard_root : 0);
#endif
            have_exit_key = pthread_key_create(&exit_key, at_thread_exit) == 0;
            hak_options_freeze();
            store_release(&initialised, 1u);  // pairs with the acquire in process_init
        }
    }
    hak_unlock(&init_lock);
    return ok;
}

static bool process_init(void) {
    return HAK_LIKELY(load_acquire(&initialised) != 0) || init_slow();
}

// --- a thread's beginning

static void arm_exit(uintptr_t round) {
    // May allocate for keys beyond the first 32: the control block is in place by now.
    if (have_exit_key) pthread_setspecific(exit_key, (void*)round);
}

HakTcb* thread_tcb_slow(void) {
    HakTls* tls = &hak_tls;
    if (tls->tcb) return tls->tcb;
    if (tls->ended || !process_init()) return NULL;
    int saved_errno = errno;
    HakTcb* me = tcb_take();
    if (me) {
        tls->tcb = me;
        tls->foreign = ~me->owner_part;
        bins_unpark(me);
        tcb_count(me, HAK_C_thread_started);
        hak_ring_thread_start(me->number);
        ring_record(HAK_EVENT_thread_start, NULL, 0, me->number);
        arm_exit(1);
    }
    errno = saved_errno;
    return me;
}

// --- a thread's end

static void give_up(HakTcb* me, SlabNumber s, uint64_t tag) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, s, tag, &result);
    if (HAK_CHECKED && slab.number == 0) return;  // bound by a missing change, though another thread owns it
    slab_place(me, slab, PLACE_NONE);
    if (!slab_publish(me, slab)) slab_dispose(me, slab);
}

// Publishes every slab of the control block, and forgets hints.
static void give_up_all(HakTcb* me) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        TinyTLSSlab* tls = &me->tiny[c];
        uint64_t tag = tag_of_class(c);
        if (tls->bound) give_up(me, tls->bound, tag);
        tls->bound = 0;
        while (tls->partial) give_up(me, tls->partial, tag);
        while (tls->full) give_up(me, tls->full, tag);
        if (!HAK_CHECKED) {
            tls->hot = tls->bench = 0;
            for (int i = 0; i < STICKY_SLABS; i++) tls->sticky[i] = 0;
        }
    }
    for (int b = 0; b < RUN_BUCKETS; b++)
        while (me->runs[b]) give_up(me, me->runs[b], TAG_RUNS);
}

HakTcb* reserve_begin(void) {
    return process_init() ? tcb_reserve_lock() : NULL;
}

void reserve_end(HakTcb* reserve) {
    give_up_all(reserve);
    tcb_reserve_unlock();
}

static void thread_end(HakTcb* me) {
    if (guard_on()) guard_flush();
    give_back_idle(me);  // where each thread is short, the next one's look would not come either
    bundles_flush(me);
    run_cache_flush(me);
    bins_park(me);  // they have no room from here on: nobody would give back what goes into one
    give_up_all(me);
    ring_record(HAK_EVENT_thread_exit, NULL, 0, me->number);
    hak_ring_thread_end();
    tcb_count(me, HAK_C_thread_ended);
    hak_tls.tcb = NULL;
    hak_tls.foreign = FOREIGN_ALL;
    hak_tls.ended = 1;
    tcb_give(me);
}

// Destructors of other keys may allocate after ours has run: it asks for another round once. What is allocated or freed later than
// that goes through the reserve. Not for a later round: a thread that first allocates in a destructor should come to an end too,
// which it does unless that happens in the last of the four rounds.
static void at_thread_exit(void* round) {
    int saved_errno = errno;
    enum { ROUNDS = 2 };
    if ((uintptr_t)round < ROUNDS)
        arm_exit((uintptr_t)round + 1);
    else if (hak_tls.tcb)
        thread_end(hak_tls.tcb);
    errno = saved_errno;
}

// --- fork: the child inherits no lock that another thread holds

// The C library takes the lock of its list of streams after our handler has run; a thread may hold it and wait for a stream whose
// reader waits for memory. So it is taken first here. It is recursive; the C library takes it, and resets it in the child, only in
// a process with threads.
__attribute__((weak)) void _IO_list_lock(void);
__attribute__((weak)) void _IO_list_unlock(void);
static bool holds_streams;  // by the thread that forks

static void before_fork(void) {
    holds_streams = _IO_list_lock && _IO_list_unlock && !__libc_single_threaded;
    if (holds_streams) _IO_list_lock();
    hak_lock(&init_lock);
    tcb_locks_take();
    mmap_gate_lock_take();
    registry_locks_take();
    hak_lock(&heap_lock);
}

static void after_fork_in_parent(void) {
    hak_unlock(&heap_lock);
    registry_locks_release();
    mmap_gate_lock_release();
    tcb_locks_release();
    hak_unlock(&init_lock);
    if (holds_streams) _IO_list_unlock();
}

static void after_fork_in_child(void) {
    hak_lock_reset(&heap_lock);
    registry_after_fork_in_child();
    mmap_gate_after_fork_in_child();
    tcb_after_fork_in_child(hak_tls.tcb);
    hak_lock_reset(&init_lock);
    hak_ring_after_fork(hak_tls.tcb ? hak_tls.tcb->number : 0);
}

// The first constructor of all (the library is linked with -z initfirst): prepare handlers of a fork run in reverse order, so
// those of other libraries, which may allocate, run before ours takes the locks. The C library passes the environment, and has not
// set up its own view of it yet. What the first block needs and no option decides is made ready.
__attribute__((constructor(101))) static void at_load(int argc, char** argv, char** environment) {
    (void)argc, (void)argv;
    if (environ == NULL) environ = environment;
    output_start();
    hak_options_init();
    if (load_relaxed(&initialised) == 0) {
        heap_prepare();
        tcb_prepare();
    }
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0)
        text_warn("hakmem: no memory to prepare for forks: a child of a process with threads may hang\n");
    hak_stats_at_exit();
}
