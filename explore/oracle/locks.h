// The allocator's locks.
// Thread-safety: the process's only running thread. Errors: none.
#ifndef EXPLORE_ORACLE_LOCKS_H
#define EXPLORE_ORACLE_LOCKS_H

#include <stdbool.h>

// Whether nobody holds one of them, as it should be at the end of a run.
bool locks_are_free(void);

#endif
