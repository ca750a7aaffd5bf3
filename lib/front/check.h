// The periodic check of guard mode: hak_check() at every 256th refill of a thread; a violation is fatal.
// Thread-safety: the calling thread's own slabs, and what all share under its lock. Errors: fatal.
#ifndef HAK_FRONT_CHECK_H
#define HAK_FRONT_CHECK_H

#include "thread/tcb.h"

#if HAK_CHECKED
void guard_tick(HakTcb* me);
#else
HAK_INLINE void guard_tick(HakTcb* me) {
    (void)me;
}
#endif

#endif
