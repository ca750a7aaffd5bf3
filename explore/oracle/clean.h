// What the allocator takes for zero is zero: calloc hands it out as it is.
// Thread-safety: the process's only running thread.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_CLEAN_H
#define EXPLORE_ORACLE_CLEAN_H

// When no thread is in the allocator.
void clean_check(void);

#endif
