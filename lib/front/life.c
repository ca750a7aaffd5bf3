#include "front/life.h"

#include "base/output.h"
#include "base/text.h"
#include "config/options.h"
#include "front/fork.h"
#include "front/guard.h"
#include "front/others.h"
#include "front/sanitizer.h"
#include "front/stats.h"
#include "observe/chaos.h"
#include "observe/guard_record.h"
#include "observe/ring.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "refill/give_up.h"
#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/run.h"
#include "superslab/heap.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

HAK_TLS HakTls hak_tls = {.bin = {[0 ... CLASS_COUNT - 1] = {.head = LINK_END}}, .foreign = FOREIGN_ALL};

HakLock init_lock;
static _Atomic uint32_t initialised;

static _Atomic bool loaded;  // constructors run, so the C library is there for us

// The core alone has none.
#pragma weak malloc_is_foreign

static void at_thread_exit(void* value);

// --- the key whose destructor is a thread's end

static _Atomic bool have_exit_key;
static pthread_key_t exit_key;

// What the key holds, never NULL: which call of its destructor comes next, and how many refills its control block had seen when it was
// armed.
typedef enum { SECOND_CALL, FIRST_CALL } ExitCall;
static uintptr_t exit_value(ExitCall call, uint32_t ticks) {
    return (uintptr_t)ticks << 2 | 2u | call;
}

static void arm_exit(ExitCall call) {
    // May allocate for keys beyond the first 32: the control block is in place by now, and in no operation.
    if (load_acquire(&have_exit_key))  // pairs with the release in make_key
        pthread_setspecific(exit_key, (void*)exit_value(call, hak_tls.tcb->ticks));
}

// Once. Calls functions that a library may stand in front of, and that may allocate: with no lock held, and nothing half-made.
static void make_key(void) {
    if (pthread_key_create(&exit_key, at_thread_exit) != 0) return;
    store_release(&have_exit_key, true);    // pairs with the acquire in arm_exit
    if (hak_tls.tcb) arm_exit(FIRST_CALL);  // it began before there was a key
}

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

// The control block is the thread's before anything of the thread says so, and in an operation: a handler that allocates meanwhile
// uses the reserve.
static HakTcb* begin_thread(HakTls* tls) {
    tls->beginning = 1;
    fork_thread_begins();
    HakTcb* me = tcb_take(tls);
    if (me) {
        tls->foreign = ~me->owner_part;
        bins_unpark(me);
        tcb_count(me, HAK_C_thread_started);
        hak_ring_thread_start(me->number);
        ring_record(HAK_EVENT_thread_start, NULL, 0, me->number);
        tls->tcb = me;
    }
    tls->beginning = 0;
    return me;
}

HakTcb* thread_tcb_slow(void) {
    HakTls* tls = &hak_tls;
    if (tls->ended || tls->beginning || !process_init()) return NULL;
    int saved_errno = errno;
    HakTcb* me = begin_thread(tls);
    if (me) {
        operation_end(me);
        hook_into_process();
        arm_exit(FIRST_CALL);
    }
    errno = saved_errno;
    return me;
}

HakTcb* thread_operation_slow(void) {
    return hak_tls.tcb == NULL && thread_tcb_slow() ? operation_begin() : NULL;
}

// --- a thread's end

HakTcb* reserve_begin(void) {
    return process_init() ? tcb_reserve_lock() : NULL;
}

void reserve_end(HakTcb* reserve) {
    give_up_all(reserve);
    tcb_reserve_unlock();
}

static void thread_end(void) {
    if (guard_on()) guard_flush();
    HakTcb* me = operation_begin();
    if (me == NULL) return;
    give_back_idle(me);  // where each thread is short, the next one's look would not come either
    bundles_flush(me);
    run_cache_flush(me);
    bins_park(me);  // they have no room from here on: nobody would give back what goes into one
    give_up_all(me);
    ring_record(HAK_EVENT_thread_exit, NULL, 0, me->number);
    hak_ring_thread_end();
    tcb_count(me, HAK_C_thread_ended);
    hak_tls.ended = 1;
    hak_tls.tcb = NULL;
    hak_tls.foreign = FOREIGN_ALL;
    tcb_give(me);
}

// Destructors of other keys may allocate after ours has run, in this round or in later ones: from its end on, that goes through the
// reserve. A thread that has allocated much began before the destructors, so this is their first round: it stays for another one, and
// they allocate as ever. Another one may have begun in a destructor, and this round may be the last: to stay would be to lose its
// control block. One that begins in the last round, after ours, ends unseen.
static void at_thread_exit(void* value) {
    enum { MUCH = 64 };  // refills
    int saved_errno = errno;
    uintptr_t armed = (uintptr_t)value;
    bool may_stay = (armed & FIRST_CALL) && hak_tls.tcb && hak_tls.tcb->ticks - (uint32_t)(armed >> 2) >= MUCH;
    if (may_stay)
        arm_exit(SECOND_CALL);
    else
        thread_end();
    errno = saved_errno;
}

// --- what the process calls

// Once: of two threads that come at a time the second goes on, since the first may be inside a library that waits for it.
void hook_into_process(void) {
    static _Atomic bool begun;
    bool no = false;
    if (!load_relaxed(&loaded) || load_relaxed(&begun) || !cas_relaxed(&begun, &no, true)) return;
    make_key();
    fork_hook();
}

// The first constructor of all (the library is linked with -z initfirst): prepare handlers of a fork run in reverse order, so
// those of other libraries, which may allocate, run before ours takes the locks. The C library passes the environment, and has not
// set up its own view of it yet. What the first block needs and no option decides is made ready. Where the program uses another
// malloc, nothing is: the first call of one of our functions begins.
__attribute__((constructor(101))) static void at_load(int argc, char** argv, char** environment) {
    (void)argc, (void)argv;
    if (environ == NULL) environ = environment;
    store_relaxed(&loaded, true);
    output_start();
    if ((malloc_is_foreign && malloc_is_foreign()) || sanitizer_serves()) return;
    hak_options_init();
    if (load_relaxed(&initialised) == 0) {
        heap_prepare();
        tcb_prepare();
    }
    hook_into_process();
    hak_stats_at_exit();
}
