// What the owner words say of a unit is what the table of units says.
// Thread-safety: the process's only running thread.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_WORDS_H
#define EXPLORE_ORACLE_WORDS_H

// When no thread is in the allocator, and none was cut off there.
void words_check(void);

#endif
