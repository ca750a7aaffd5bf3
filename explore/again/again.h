// Runs of a schedule that is given, in this process.
//
//   a string ──replay_parse──> Replay ──again_prepare──> the setup ──again_run──> the same run, as often as one likes
//
// Thread-safety: none: one run at a time.
// Errors: again_prepare: false and a message.
#ifndef EXPLORE_AGAIN_AGAIN_H
#define EXPLORE_AGAIN_AGAIN_H

#include "record/schedule.h"
#include "run/run.h"

// Makes ready for runs of `replay`: the scenario `whole` without what it leaves out, with its changes and weaker
// orders.
bool again_prepare(const Replay* replay, const Scenario* whole, char* message, size_t size);
// The scenario as it is run: without what is left out.
const Scenario* again_scenario(void);
// Runs the schedule. `run` says what came of it, and `recording` has the events.
RunEnd again_run(const Schedule* schedule);
// A run by another strategy, on what again_prepare() has made ready. Nothing is recorded.
RunEnd again_search(const Strategy* strategy);
// The hash of the recorded run.
uint32_t again_trace(void);

#endif
