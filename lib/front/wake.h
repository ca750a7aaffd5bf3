// Work that a thread does on its way to memory: what another process asks for (api/request.c), and statistics that are
// due (api/stats_exit.c). A thread looks when its bin is empty, when it wants a large block, and now and then when its
// bin is full. It looks before its operation, while it holds nothing of ours. A process that does none of these does
// none of the work.
//
//   hakstress, in the memory of this process --> hak_wake <-- looked at by malloc --> wake_work (api/)
//
// Thread-safety: all functions.
// Errors: none.
#ifndef HAK_FRONT_WAKE_H
#define HAK_FRONT_WAKE_H

#include "base/atomic.h"

// The bytes of hak_wake, as whoever writes it from outside sees them.
enum { WAKE_TIMED_BYTE, WAKE_REQUEST_BYTE };
#define WAKE_TIMED (1u << 8 * WAKE_TIMED_BYTE)      // something may be due: look at the clock
#define WAKE_REQUEST (1u << 8 * WAKE_REQUEST_BYTE)  // a request waits

extern HAK_INTERNAL _Atomic uint32_t hak_wake;
extern HAK_INTERNAL void (*_Atomic wake_work)(void);  // keeps errno

HAK_COLD void wake_up(void);

HAK_INLINE bool wake_is_asked(void) {
    return !HAK_EXPLORED && HAK_UNLIKELY(load_relaxed(&hak_wake) != 0);
}

HAK_INLINE void wake_if_asked(void) {
    if (wake_is_asked()) wake_up();
}

// In the child of a fork: what was asked, was asked of the parent.
HAK_INLINE void wake_forget_requests(void) {
    if (!HAK_EXPLORED) atomic_fetch_and(&hak_wake, ~WAKE_REQUEST);
}

#endif
