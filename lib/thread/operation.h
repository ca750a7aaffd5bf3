// An operation: what a thread does on a slow path with its control block, its slabs and bins. It may be interrupted at any
// instruction by a signal handler, or be cut off in the child of another thread's fork. The word `inside` of the control block:
//
//   OUTSIDE   its thread is in no operation: all is whole, and the child of a fork hands it to its next thread (TCB_LEFT)
//   ASKED     the same, and a fork asks the thread to wait before its next operation
//   INSIDE    the control block and the slabs of the thread may be half changed: a handler of the thread uses the reserve, and the
//             child of a fork never touches them again (TCB_LOST)
//
// A fork asks each thread once it is outside. The thread waits a while, not for ever: this is a courtesy, and what counts is the word
// as the child sees it. The child sees a prefix of what the thread wrote, so the word is written in that order.
// Thread-safety: the calling thread, for itself. Errors: NULL: use the reserve (front/life.h).
#ifndef HAK_THREAD_OPERATION_H
#define HAK_THREAD_OPERATION_H

#include "thread/tls.h"

// Held by the thread that forks, from before it asks others.
extern HAK_INTERNAL HakLock fork_lock;

// Asked to wait, the caller does so. false: it is in the middle of an operation, which it has interrupted.
bool operation_may_begin(HakTcb* me);
// For the thread that forks: asks another one to wait. false: it is in an operation.
bool operation_ask(HakTcb* other);
void operation_ask_no_more(HakTcb* other);

HAK_INLINE void operation_enter(HakTcb* me) {
    store_relaxed(&me->inside, INSIDE);
    atomic_thread_fence(memory_order_release);  // before whatever the operation writes
}

// The caller's control block, in an operation from now on, without a call. NULL: operation_begin() may do better.
HAK_INLINE HakTcb* operation_begin_at_once(void) {
    HakTcb* me = hak_tls.tcb;
    if (HAK_UNLIKELY(me == NULL || load_relaxed(&me->inside) != OUTSIDE)) return NULL;
    operation_enter(me);
    return me;
}

// The same. NULL: it has none, or is in an operation that was interrupted.
HAK_INLINE HakTcb* operation_begin(void) {
    HakTcb* me = hak_tls.tcb;
    if (me == NULL || (HAK_UNLIKELY(load_relaxed(&me->inside) != OUTSIDE) && !operation_may_begin(me))) return NULL;
    operation_enter(me);
    return me;
}

// Whether the caller is in the middle of an operation, or of a look at the heap: a signal handler that ends the process, for one. What
// tells or checks the state of the heap at the end must leave it then.
HAK_INLINE bool operation_is_open(void) {
    const HakTcb* me = hak_tls.tcb;
    return (me && load_relaxed(&me->inside) == INSIDE) || hak_lock_is_mine(&heap_lock);
}

HAK_INLINE void operation_end(HakTcb* me) {
    store_release(&me->inside,
                  OUTSIDE);  // after whatever it wrote; pairs with nothing but the order in which a fork copies
}

#endif
