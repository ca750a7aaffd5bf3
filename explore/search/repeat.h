// Runs of a schedule that is given.
// Thread-safety: none: one run at a time.
// Errors: none.
#ifndef EXPLORE_SEARCH_REPEAT_H
#define EXPLORE_SEARCH_REPEAT_H

#include "run/run.h"

// Runs the schedule until the run learns nothing more: what it learns of the words and lines that threads share may be
// needed at its beginning. failures: as the scenario has it.
RunEnd repeat_learned(const Schedule* schedule, uint32_t failures);
// Runs it once.
RunEnd repeat_once(const Schedule* schedule, uint32_t failures);
// The hash of the recorded run.
uint32_t repeat_trace(void);

#endif
