// Whether guard mode is on.
// Thread-safety: any thread; the first call decides, by the options.
// Errors: none.
#ifndef HAK_GUARD_GUARD_MODE_H
#define HAK_GUARD_GUARD_MODE_H

#include "base/atomic.h"

#if HAK_CHECKED
typedef enum { GUARD_UNDECIDED, GUARD_OFF, GUARD_ON } GuardMode;
extern HAK_INTERNAL _Atomic uint32_t hak_guard_mode;
extern HAK_INTERNAL _Atomic bool guard_has_gaps;  // blocks without a record were handed out
bool guard_decide(void);

HAK_INLINE bool guard_on(void) {
    return HAK_UNLIKELY(load_relaxed(&hak_guard_mode) != GUARD_OFF) && guard_decide();
}
#else
#define guard_on() false  // a macro, so that the code behind it need not exist
#endif

#endif
