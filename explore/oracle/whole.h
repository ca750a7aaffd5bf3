// What a lock guards is whole whenever the lock is free.
// Thread-safety: the process's only running thread.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_WHOLE_H
#define EXPLORE_ORACLE_WHOLE_H

// Once, before the first run.
void whole_start(void);

#endif
