// What a run has no room for.
// Thread-safety: the process's only running thread.
// Errors: as said.
#ifndef EXPLORE_RUNTIME_LIMIT_H
#define EXPLORE_RUNTIME_LIMIT_H

// The run goes on, and a search is not complete. NULL: there was nothing. The first counts.
extern const char* run_limit;
void run_meets_limit(const char* what);

// The run cannot go on: the scenario is too large. Ends it with a fault; set by run.c.
extern void (*run_is_too_large)(const char* what);

#endif
