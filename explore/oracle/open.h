// An owner changes what it owns within an operation: a fork by another thread takes all else for whole
// (thread/operation.h).
// Thread-safety: the process's only running thread.
// Errors: a fault of the run.
#ifndef EXPLORE_ORACLE_OPEN_H
#define EXPLORE_ORACLE_OPEN_H

// Once, before the first run.
void open_start(void);

#endif
