// Runs of a scenario.
//
//   run_prepare: the setup, and the snapshot ──> run_once ──> run_once ──> ...
//
// Thread-safety: none: one run at a time.
// Errors: run_prepare: false and a message. run_once: RUN_FAULT; `run` says what.
#ifndef EXPLORE_RUN_RUN_H
#define EXPLORE_RUN_RUN_H

#include "runtime/scheduler.h"
#include "scenario/scenario.h"

// Once in a process.
void run_start(void);
// changes: as HAKMEM_CHANGES has it.
bool run_prepare(const Scenario* scenario, const char* changes, char* message, size_t size);
// From the next run_prepare() on: goes on past data races and damaged contents, to a crash (RunLimits.follow).
void run_will_follow(bool follow);
// The same for threads that run these functions, without a setup and a check at the end: for tests of the explorer.
void run_prepare_functions(void (*const* functions)(void), unsigned count);
RunEnd run_once(const RunLimits* limits);

#endif
