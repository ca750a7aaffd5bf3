// An operation: what a thread does on a slow path with its TCB, its slabs and its bins. A signal handler may interrupt
// it at any instruction, and another thread's fork may cut it off in the child. The TCB's word `inside` says:
//
//   OUTSIDE   the thread is in no operation: everything is whole, and in the child of a fork the next thread gets the
//             TCB (TCB_LEFT)
//   ASKED     the same, and a fork asks the thread to wait before its next operation
//   INSIDE    the thread's TCB and slabs may be half changed: a handler of the thread uses the reserve TCB, and the
//             child of a fork never touches them again (TCB_LOST)
//
// A fork asks each thread that is outside. The thread waits for a while, not for ever: this only makes LOST rarer. What
// counts is the word as the child sees it. The child sees a prefix of the thread's writes, so their order matters.
// Thread-safety: the calling thread, for itself.
// Errors: NULL: use the reserve TCB (front/life.h).
#ifndef HAK_THREAD_OPERATION_H
#define HAK_THREAD_OPERATION_H

#include "base/libc.h"
#include "thread/tls.h"

// Held by the thread that forks, from before it asks the others.
extern HAK_INTERNAL HakLock fork_lock;

// Copies of the process that are made without the handlers of a fork are detected from here on, if the system can.
void operation_watch_copies(void);
extern HAK_INTERNAL _Atomic bool operation_copies_are_watched;

// Whether that has to be done before an operation, or before a lock is taken. It need not while the process has one
// thread: the C library says so before it starts another one.
HAK_INLINE bool operation_has_to_watch(void) {
    return HAK_UNLIKELY(!load_relaxed(&operation_copies_are_watched)) && !libc_single_threaded();
}

// For what takes a lock outside of an operation.
HAK_INLINE void operation_watch_if_due(void) {
    if (operation_has_to_watch()) operation_watch_copies();
}

// Waits if a fork asks the caller to. false: the caller interrupted an operation of its own thread.
bool operation_may_begin(HakTcb* me);
// For the thread that forks: asks another thread to wait. false: that one is in an operation.
bool operation_ask(HakTcb* other);
void operation_ask_no_more(HakTcb* other);

HAK_INLINE void operation_enter(HakTcb* me) {
    store_relaxed(&me->inside, INSIDE);
    atomic_thread_fence(memory_order_release);  // before all writes of the operation
}

// Begins an operation without a call. Returns the caller's TCB. NULL: try operation_begin().
HAK_INLINE HakTcb* operation_begin_at_once(void) {
    HakTcb* me = hak_tls.tcb;
    if (HAK_UNLIKELY(me == NULL || load_relaxed(&me->inside) != OUTSIDE) || operation_has_to_watch()) return NULL;
    operation_enter(me);
    return me;
}

// Begins an operation. NULL: the caller has no TCB, or interrupted an operation.
HAK_INLINE HakTcb* operation_begin(void) {
    HakTcb* me = hak_tls.tcb;
    if (me == NULL) return NULL;
    bool at_once = HAK_LIKELY(load_relaxed(&me->inside) == OUTSIDE) && !operation_has_to_watch();
    if (!at_once && !operation_may_begin(me)) return NULL;
    operation_enter(me);
    return me;
}

// Whether the caller interrupted an operation, or holds heap_lock: for example a signal handler that ends the process.
// What reports or checks the heap at exit must then skip it.
HAK_INLINE bool operation_is_open(void) {
    const HakTcb* me = hak_tls.tcb;
    return (me && load_relaxed(&me->inside) == INSIDE) || hak_lock_is_mine(&heap_lock);
}

// No operation is open, or the word was changed by somebody else: a fork could take the TCB for a whole one. The
// checked build stops.
HAK_COLD void operation_is_not_open(const HakTcb* me, const char* site);

// Where a thread changes what it owns. The reserve TCB has a lock instead. The explorer looks at its own steps.
HAK_INLINE void operation_must_be_open(const HakTcb* me, const char* site) {
    if (HAK_CHECKED && !HAK_EXPLORED && HAK_UNLIKELY(load_relaxed(&me->inside) != INSIDE) && !tcb_is_reserve(me))
        operation_is_not_open(me, site);
}

HAK_INLINE void operation_end(HakTcb* me) {
    if (HAK_CHECKED && HAK_UNLIKELY(load_relaxed(&me->inside) != INSIDE)) operation_is_not_open(me, "operation_end");
    // After all writes of the operation. It pairs with no acquire, but with the order in which a fork copies memory.
    store_release(&me->inside, OUTSIDE);
}

#endif
