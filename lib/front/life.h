// The allocator's beginning, and the beginning and end of threads and forks in it.
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

// Registers what the process is to call at a thread's end and around a fork, once the C library is there. No lock may be held.
void hook_into_process(void);

extern HAK_INTERNAL HakLock init_lock;

#endif
