// The named steps of the protocol (lib/observe/steps.h) that runs have reached.
// Thread-safety: the process's only running thread. Errors: none.
#ifndef EXPLORE_RUNTIME_STEPS_H
#define EXPLORE_RUNTIME_STEPS_H

#include "observe/steps.h"

extern uint64_t steps_reached[HAK_STEP_COUNT];  // how often, over all runs

extern void (*step_check)(unsigned step);  // what must hold before a step; set once, before the first run

const char* step_name(unsigned step);   // "A4"; "-" for a step without name
const char* step_words(unsigned step);  // what it does

#endif
