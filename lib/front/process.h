// The allocator's beginning in a process: options, heap window, key of the links. Once, by the first thread that comes.
// Thread-safety: any thread.
// Errors: false: there is no memory for it, and the next call tries again.
#ifndef HAK_FRONT_PROCESS_H
#define HAK_FRONT_PROCESS_H

#include "base/atomic.h"
#include "base/lock.h"

extern HAK_INTERNAL _Atomic bool process_has_begun;
extern HAK_INTERNAL HakLock init_lock;  // for the handlers of a fork

// Reads the options from the environment, and does what some of them imply for others. The environment may not be
// there yet when the allocator begins, so this is also called at load.
void process_read_options(void);
HAK_COLD bool process_begin_slow(void);
HAK_INLINE bool process_begin(void) {
    return HAK_LIKELY(load_acquire(&process_has_begun)) ||
           process_begin_slow();  // pairs with the release in process_begin_slow
}

#endif
