// Yields at the steps of the protocol, so that rare interleavings become common. Seeded: each thread has its own
// stream.
// Thread-safety: any thread.
// Errors: none.
// The release build has none of this.
#ifndef HAK_OBSERVE_CHAOS_H
#define HAK_OBSERVE_CHAOS_H

#include "base/atomic.h"

#if HAK_CHECKED
void chaos_yield(void);
extern HAK_INTERNAL _Atomic int64_t hak_chaos_odds;  // 0: off
#endif

#if HAK_EXPLORED
enum { STEP_WITHOUT_NAME = 0xffff };
void explored_step(unsigned step);

HAK_INLINE void chaos_point(void) {
    explored_step(STEP_WITHOUT_NAME);
}
#elif HAK_CHECKED
HAK_INLINE void chaos_point(void) {
    if (HAK_UNLIKELY(load_relaxed(&hak_chaos_odds) != 0)) chaos_yield();
}
#else
HAK_INLINE void chaos_point(void) {
}
#endif
#endif
