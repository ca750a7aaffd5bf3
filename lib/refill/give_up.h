// Makes a TCB own nothing: at a thread's end, after an operation of the reserve TCB, and, in the child of a fork, for a
// TCB that is LEFT.
// Thread-safety: the calling thread, for its own TCB or for one that it has taken.
// Errors: none.
#ifndef HAK_REFILL_GIVE_UP_H
#define HAK_REFILL_GIVE_UP_H

#include "thread/tcb.h"

// Publishes every slab of the TCB and forgets its hints. Bundles and cached runs must be flushed before.
void give_up_all(HakTcb* me);
// In the child of a fork: does so for at most `most` TCBs that are LEFT. false: there was none.
bool give_back_left(uint32_t most);

#endif
