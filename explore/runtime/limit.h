// What a run had no room for, so that a search is not complete though the run goes on.
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_LIMIT_H
#define EXPLORE_RUNTIME_LIMIT_H

extern const char* run_limit;  // NULL: nothing. The first counts
void run_meets_limit(const char* what);

#endif
