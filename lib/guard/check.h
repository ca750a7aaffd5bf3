// The periodic scan of guard mode: hak_check() now and then, at a refill of whichever thread comes by when it is due, and at the end
// of the process; a violation is fatal. It may cost some three per cent of the time.
// Thread-safety: as hak_check. Errors: fatal.
#ifndef HAK_GUARD_CHECK_H
#define HAK_GUARD_CHECK_H

#include "thread/tcb.h"

// After a refill of the calling thread, in guard mode.
void check_now_and_then(const HakTcb* me);

#endif
