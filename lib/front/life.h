// A thread's beginning in the allocator, and the operations of threads that have none.
// Thread-safety: as each thread calls them for itself.
#ifndef HAK_FRONT_LIFE_H
#define HAK_FRONT_LIFE_H

#include "thread/operation.h"

// Makes the caller's control block. NULL: the thread has ended, or begins at this moment, or there is no memory for one.
HakTcb* thread_tcb_slow(void);
HakTcb* thread_operation_slow(void);

// The caller's control block; made now if need be. NULL: use the reserve.
HAK_INLINE HakTcb* thread_tcb(void) {
    HakTcb* me = hak_tls.tcb;
    return HAK_LIKELY(me != NULL) ? me : thread_tcb_slow();
}

// The same, in an operation from now on, which operation_end() ends. NULL also in the middle of another one, which a signal handler
// has interrupted: use the reserve.
HAK_INLINE HakTcb* thread_operation(void) {
    HakTcb* me = operation_begin();
    return HAK_LIKELY(me != NULL) ? me : thread_operation_slow();
}

// The reserve control block, for one operation: begin, operate, end. All slabs that it came to own are given up at the end. NULL:
// there is no memory.
HakTcb* reserve_begin(void);
void reserve_end(HakTcb* reserve);

// --- the end of threads

// Called in a round of the C library's key destructors, for a thread that armed it. first: at its beginning; its control block had seen
// `ticks` refills then.
typedef void (*ThreadEnd)(bool first, uint32_t ticks);
// The C library is there from now on: a key for the ends of threads can be made, and handlers for forks. At once if `now`, else at the
// first allocation. No lock may be held.
void process_is_loaded(ThreadEnd end, bool now);
// The calling thread's end is called in the next round of destructors as well.
void thread_arm_end_again(void);

#endif
