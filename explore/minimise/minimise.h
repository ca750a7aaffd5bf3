// Makes a schedule that ends in a fault short: fewer switches, fewer operations.
//
//   leave out deviations ─> leave out operations ─┬─> search with fewer preemptions ─> leave out deviations
//             ^   some operation could be left out │
//             └────────────────────────────────────┘
//
// Where an operation is left out, the moments after it move. If the fault is gone then, a bounded search may find it in
// the shorter scenario.
// Thread-safety: none: one run at a time.
// Errors: false: the given schedule does not end in a fault here.
#ifndef EXPLORE_MINIMISE_MINIMISE_H
#define EXPLORE_MINIMISE_MINIMISE_H

#include "minimise/goal.h"

// The last run is that of the shortest schedule, and `recording` has it.
bool minimise(Replay* replay, const Scenario* whole, const MinimiseLimits* limits);

#endif
