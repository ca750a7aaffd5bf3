// The process that explores is watched by one that does not: whatever a run destroys, the fault is told.
// Thread-safety: none needed.
// Errors: none.
#ifndef EXPLORE_RUN_MONITOR_H
#define EXPLORE_RUN_MONITOR_H

#include "scenario/scenario.h"

// Runs work() in a child, and returns its status. If the child dies, prints the fault with the schedule at which it
// did, and returns 1; if it is killed, says so and returns 3. Both end with the process that began them.
int monitor_run(int (*work)(int argc, char** argv), int argc, char** argv);
// In the child: what is explored from now on.
void monitor_begin(const Scenario* scenario, const char* changes, const char* weaken, bool follow);

#endif
