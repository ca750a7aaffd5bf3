// Leaving operations out of a scenario's programs, and moving a schedule's moments accordingly.
//
//   program of A:   1     2          3        moments of A:  1..4 | 5..20 | 21..30
//   without 2:      1                2                       1..4 |         5..14    a deviation at 25 is then at 9
//
// Thread-safety: none: one run at a time.
// Errors: false: there is no room for more operations that are left out.
#ifndef EXPLORE_MINIMISE_OPERATIONS_H
#define EXPLORE_MINIMISE_OPERATIONS_H

#include "record/schedule.h"
#include "scenario/scenario.h"

#include <stdbool.h>

// Number in the whole program of operation `kept` (from 1) of those that are left. 0: there are not so many.
uint32_t operation_number(const Replay* replay, const Scenario* whole, unsigned thread, uint32_t kept);
bool operation_is_left_out(const Replay* replay, unsigned thread, uint32_t number);
// Leaves out operation `number` of the whole program of a thread, and with it the deviations within it. The last
// recorded run must be that of `of`, which has at least the operations of `replay`.
bool operation_leave_out(Replay* replay, const Replay* of, const Scenario* whole, unsigned thread, uint32_t number);

#endif
