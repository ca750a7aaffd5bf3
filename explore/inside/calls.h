// What a scenario can do that no public function does alone. Compiled with the allocator, so that every access is seen.
// Thread-safety: as the functions that they call.
// Errors: nothing is done if the thread has no control block, or interrupted an operation.
#ifndef EXPLORE_INSIDE_CALLS_H
#define EXPLORE_INSIDE_CALLS_H

#include <stdbool.h>

// Gives the calling thread's bundles back.
void inside_flush(void);
// Gives back what is idle, if a scan is due.
void inside_scan(void);
// Whether the thread still looks for page runs that others have freed.
bool inside_looks_for_runs(void);

#endif
