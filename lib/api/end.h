// A thread's end: what it keeps goes back, and its TCB into the pool.
// Thread-safety: the calling thread, for itself.
// Errors: none.
#ifndef HAK_API_END_H
#define HAK_API_END_H

#include "base/compiler.h"

// Called in a round of the destructors of the thread's keys, see front/life.h.
void thread_end_round(bool first, uint32_t ticks);

#endif
