// The C library's lock of its list of streams, which fflush(NULL) takes, and a fork.
// Thread-safety: the process's only running thread.
// Errors: a fault, if a thread unlocks what it has not locked.
#ifndef EXPLORE_RUNTIME_STREAMS_H
#define EXPLORE_RUNTIME_STREAMS_H

#include <stdbool.h>

// What the allocator calls, too.
void explored_list_lock(void);
void explored_list_unlock(void);
// In the child of a fork.
void streams_reset(void);
bool streams_are_locked(void);

#endif
