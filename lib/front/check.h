// The periodic check of guard mode: hak_check() now and then, at a refill of whichever thread comes by when it is due, and at the end
// of the process; a violation is fatal. It may cost some three per cent of the time.
// Thread-safety: as hak_check. Errors: fatal.
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
