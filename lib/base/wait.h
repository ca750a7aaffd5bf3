// How a thread waits in the kernel. Raw system calls: errno keeps its value.
// Thread-safety: all functions.
// Errors: none: a wait that ends early does no harm, since its caller looks again.
// The explored build has its own (explore/runtime/wait.c), which decide who waits how long.
#ifndef HAK_BASE_WAIT_H
#define HAK_BASE_WAIT_H

#include "base/atomic.h"

// Sleeps until the word is woken, unless it differs from `value` in its lower half. 50 milliseconds at most.
void wait_while(_Atomic uint64_t* word, uint64_t value);
// Wakes one thread that sleeps on the word.
void wait_wake_one(_Atomic uint64_t* word);
void wait_yield(void);

#endif
