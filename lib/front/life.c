#include "front/life.h"

#include "front/fork.h"
#include "front/process.h"
#include "observe/crash_note.h"
#include "observe/ring.h"
#include "observe/steps.h"
#include "refill/give_up.h"
#include "refill/parked.h"

#include <errno.h>
#include <pthread.h>

HAK_TLS HakTls hak_tls = {.bin = {[0 ... CLASS_COUNT - 1] = {.head = LINK_NEVER}},
                          .foreign = FOREIGN_ALL,
                          .counted = {[0 ... CLASS_LAST_TINY - 1] = {.head = LINK_NEVER}}};

static ThreadEnd _Atomic thread_end;  // NULL: our part of the C library is not ready yet

// --- the key whose destructor is a thread's end

_Atomic bool have_end_key;
static pthread_key_t end_key;

// The value of the key is never NULL: ticks << 2 | 2 | first.
static void call_end(void* armed) {
    uintptr_t value = (uintptr_t)armed;
    load_relaxed (&thread_end)(value & 1, (uint32_t)(value >> 2));
}

static void arm_end(bool first) {
    uintptr_t value = (uintptr_t)hak_tls.tcb->ticks << 2 | 2 | first;
    // May allocate for keys beyond the first 32. By now the TCB is in place, and in no operation.
    if (load_acquire(&have_end_key)) pthread_setspecific(end_key, (void*)value);  // pairs with the release in make_key
}

void thread_arm_end_again(void) {
    arm_end(false);
}

// Once. The functions called may be another library's and may allocate: so no lock is held, and nothing is half done.
static void make_key(void) {
    if (pthread_key_create(&end_key, call_end) != 0) return;
    store_release(&have_end_key, true);  // pairs with the acquire in arm_end
    if (hak_tls.tcb) arm_end(true);      // the thread began before there was a key
}

// Once. If two threads come together, the second goes on: the first may be inside a library that waits for it.
static void hook_into_process(void) {
    static _Atomic bool begun;
    bool no = false;
    if (load_relaxed(&thread_end) == NULL || load_relaxed(&begun) || !cas_relaxed(&begun, &no, true)) return;
    make_key();
    fork_hook();
}

void process_is_loaded(ThreadEnd end, bool now) {
    store_relaxed(&thread_end, end);
    if (now) hook_into_process();
}

// --- a thread's beginning

// The TCB belongs to the thread, and is in an operation, before anything of the thread shows that: a handler that
// allocates meanwhile uses the reserve TCB.
static HakTcb* begin_thread(HakTls* tls) {
    tls->beginning = 1;
    HakTcb* me = tcb_take(tls);
    if (me) {
        tls->foreign = ~me->owner_part;
        bins_unpark(me);
        tcb_count(me, HAK_C_thread_started);
        hak_ring_thread_start(me->number);
        crash_note_thread_start();
        ring_record(HAK_EVENT_thread_start, NULL, 0, me->number);
        tls->tcb = me;
    }
    tls->beginning = 0;
    return me;
}

HakTcb* thread_tcb_slow(void) {
    HakTls* tls = &hak_tls;
    if (tls->ended || tls->beginning) return NULL;
    fork_thread_begins();
    if (!process_begin()) return NULL;
    int saved_errno = errno;
    HakTcb* me = begin_thread(tls);
    if (me) {
        operation_end(me);
        hook_into_process();
        arm_end(true);
    }
    errno = saved_errno;
    return me;
}

HakTcb* thread_operation_slow(void) {
    return hak_tls.tcb == NULL && thread_tcb_slow() ? operation_begin() : NULL;
}

// --- threads without a TCB

HakTcb* reserve_begin(void) {
    operation_watch_if_due();
    STEP(E5);
    return process_begin() ? tcb_reserve_lock() : NULL;
}

void reserve_end(HakTcb* reserve) {
    give_up_all(reserve);
    STEP(E8);
    tcb_reserve_unlock();
}
