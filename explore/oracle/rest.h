// What must hold when every thread is done, and when every block is freed after that.
// Thread-safety: the process's only running thread, on the fiber SETUP.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_REST_H
#define EXPLORE_ORACLE_REST_H

#include "scenario/scenario.h"

// Ends the threads, checks the heap, frees every block, and checks that nothing is left.
// The scenario's bounds hold before the blocks are freed.
void rest_check(const Scenario* scenario);
// Whether no thread is in the allocator. Not where nothing need be checked.
bool rest_is_between(void);
// What must hold then.
void rest_check_between(void);

#endif
