// What would have prevented a fault: the same schedule is run with one of the missing changes, without what was
// weakened, or with stronger orders for two operations on one word.
// Thread-safety: none: one run at a time.
// Errors: none. Other runs follow from it: prepare again afterwards.
#ifndef EXPLORE_TELL_PREVENTED_H
#define EXPLORE_TELL_PREVENTED_H

#include "tell/story.h"

// The last recorded run must be that of the schedule.
void prevented_find(const Replay* replay, const Scenario* whole, Story* story);

#endif
