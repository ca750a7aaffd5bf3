// A file that remembers what was explored completely, so that a search that was interrupted goes on from there.
//
//   first line: what was asked for, and of which build; a file of another one is refused
//   then a line for each part of a scenario that is done: NAME PART schedules pruned ends bound seconds words steps
//
// Thread-safety: none. Errors: a message and false.
#ifndef HAKSTRESS_EXPLORE_RESUME_H
#define HAKSTRESS_EXPLORE_RESUME_H

#include "explore/worker.h"

// Opens or makes the file. question: one line.
bool resume_open(const char* path, const char* question);
// Whether the part is done; then *result is its result. path NULL: no.
bool resume_has(const char* path, const char* scenario, uint64_t part, struct explore_result* result);
// Notes a part, if it is complete.
void resume_add(const char* path, const char* scenario, uint64_t part, const struct explore_result* result);

#endif
