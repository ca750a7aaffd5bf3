// A thread's beginning in the allocator, and the operations of threads without a TCB.
// Thread-safety: each thread, for itself.
// Errors: NULL, as said.
#ifndef HAK_FRONT_LIFE_H
#define HAK_FRONT_LIFE_H

#include "thread/operation.h"

// Makes the caller's TCB. NULL: the thread has ended, or is about to get one, or there is no memory for one.
HakTcb* thread_tcb_slow(void);
HakTcb* thread_operation_slow(void);

// The caller's TCB; makes it if need be. NULL: use the reserve TCB.
HAK_INLINE HakTcb* thread_tcb(void) {
    HakTcb* me = hak_tls.tcb;
    return HAK_LIKELY(me != NULL) ? me : thread_tcb_slow();
}

// The same, and begins an operation, which operation_end() ends. NULL also if the caller interrupted one: use the
// reserve TCB.
HAK_INLINE HakTcb* thread_operation(void) {
    HakTcb* me = operation_begin();
    return HAK_LIKELY(me != NULL) ? me : thread_operation_slow();
}

// The reserve TCB, for one operation: begin, operate, end. All slabs that it has then are given up. NULL: there is no
// memory.
HakTcb* reserve_begin(void);
void reserve_end(HakTcb* reserve);

// --- the end of threads

// Called in a round of the C library's key destructors, for a thread that armed it. first: it was armed at the thread's
// beginning, after `ticks` refills of the TCB.
typedef void (*ThreadEnd)(bool first, uint32_t ticks);
// From now on the C library can make a key for the ends of threads, and register handlers for forks. That is done at
// once if `now`, otherwise at the first allocation. No lock may be held.
void process_is_loaded(ThreadEnd end, bool now);
// Set once there is a key. Who loads true finds the key made.
extern HAK_INTERNAL _Atomic bool have_end_key;
// Has the calling thread's end called in the next round of destructors, too.
void thread_arm_end_again(void);

#endif
