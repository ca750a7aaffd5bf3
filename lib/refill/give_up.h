// How a control block comes to own nothing: at a thread's end, after an operation of the reserve, and, in the child of a fork, where a
// thread that does not exist there has left it.
// Thread-safety: the calling thread, for itself or in the name of what it has taken for itself. Errors: none.
#ifndef HAK_REFILL_GIVE_UP_H
#define HAK_REFILL_GIVE_UP_H

#include "thread/tcb.h"

// Publishes every slab of the control block, and forgets hints. Bundles and cached runs are flushed before.
void give_up_all(HakTcb* me);
// In the child of a fork: gives up what at most `most` control blocks own that threads have left. false: there was none.
bool give_back_left(uint32_t most);

#endif
