// The periodic scan of guard mode: hak_check() when it is due, at a refill of any thread, and at the end of the
// process. A violation is fatal. It may cost about three per cent of the time.
// Thread-safety: as hak_check.
// Errors: a violation is fatal.
#ifndef HAK_GUARD_CHECK_H
#define HAK_GUARD_CHECK_H

#include "thread/tcb.h"

// After a refill of the calling thread, in guard mode.
void check_now_and_then(const HakTcb* me);

#endif
