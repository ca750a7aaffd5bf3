// Does what the operations of a scenario say.
// Thread-safety: the process's only running thread.
// Errors: faults of the run.
#ifndef EXPLORE_RUN_PERFORM_H
#define EXPLORE_RUN_PERFORM_H

#include "scenario/scenario.h"

// The operation, by the current thread. number: of it in the thread's program, from 1; 0: of the setup.
void perform(const Scenario* scenario, const Op* op, uint32_t number);

#endif
