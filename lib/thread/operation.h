// An operation: what a thread does on a slow path with its control block, its slabs and bins. It may be interrupted at any
// instruction by a signal handler, or be cut off in the child of another thread's fork.
//
//   inside == 1   the control block and the slabs of the thread may be half changed: a handler of the thread uses the reserve,
//                 and the child of a fork never touches them again (TCB_LOST)
//   inside == 0   they are whole: the child hands them to its next thread (TCB_LEFT)
//
// A fork waits a moment for others to leave their operations, and they let it go first. Both are courtesies: what counts is the
// mark as the child sees it. The child sees a prefix of what the thread wrote, so marks are written in that order.
// Thread-safety: the calling thread, for itself. Errors: NULL: use the reserve (front/life.h).
#ifndef HAK_THREAD_OPERATION_H
#define HAK_THREAD_OPERATION_H

#include "thread/tls.h"

// Held by the thread that forks, from before it looks at the marks of others.
extern HAK_INTERNAL HakLock fork_lock;

// Somebody forks: waits until it is over, but not for ever.
void operation_give_way(HakTcb* me);

HAK_INLINE void operation_enter(HakTcb* me) {
    store_relaxed(&me->inside, 1u);
    atomic_thread_fence(memory_order_release);  // before whatever the operation writes
    if (HAK_UNLIKELY(load_relaxed(&fork_lock.word) != 0)) operation_give_way(me);
}

// The caller's control block, in an operation from now on. NULL: it has none, or is in an operation that was interrupted.
HAK_INLINE HakTcb* operation_begin(void) {
    HakTcb* me = hak_tls.tcb;
    if (HAK_UNLIKELY(me == NULL || load_relaxed(&me->inside) != 0)) return NULL;
    operation_enter(me);
    return me;
}

// Whether the caller is in the middle of an operation, or of a look at the heap: a signal handler that ends the process, for one. What
// tells or checks the state of the heap at the end must leave it then.
HAK_INLINE bool operation_is_open(void) {
    const HakTcb* me = hak_tls.tcb;
    return (me && load_relaxed(&me->inside) != 0) || hak_lock_is_mine(&heap_lock);
}

HAK_INLINE void operation_end(HakTcb* me) {
    store_release(&me->inside, 0u);  // after whatever it wrote; pairs with nothing but the order in which a fork copies
}

#endif
