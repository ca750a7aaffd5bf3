// What must hold when every thread is done, and when every block is freed after that.
// Thread-safety: the process's only running thread, on the fiber SETUP.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_REST_H
#define EXPLORE_ORACLE_REST_H

#include <stdint.h>

// Ends the threads, checks the heap, frees every block, and checks that nothing is left.
// slabs_most: bound on slabs in use before the blocks are freed; 0: none.
void rest_check(uint64_t slabs_most);

#endif
