// The allocator's beginning, and the beginning and end of threads and forks in it.
// Thread-safety: as each thread calls them for itself.
#ifndef HAK_FRONT_LIFE_H
#define HAK_FRONT_LIFE_H

#include "thread/tls.h"

// The caller's control block; made now if need be. NULL: the thread has ended, or there is no memory for one: use the reserve.
HakTcb* thread_tcb_slow(void);

HAK_INLINE HakTcb* thread_tcb(void) {
    HakTcb* me = hak_tls.tcb;
    return HAK_LIKELY(me != NULL) ? me : thread_tcb_slow();
}

// The reserve control block, for one operation: begin, operate, end. All slabs that it came to own are given up at the end.
HakTcb* reserve_begin(void);
void reserve_end(HakTcb* reserve);

#endif
