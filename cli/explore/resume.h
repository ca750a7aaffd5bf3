// A file that remembers what was explored, so that a search that was interrupted goes on from there.
//
//   first line: what was asked for, and of which build; a file of another one is refused
//   then a line for each part of a scenario that is done: NAME PART schedules pruned ends bound seconds words steps
//   and for one that is not: NAME PART at POSITION; the last line of a part counts
//
// Thread-safety: none. Errors: a message and false.
#ifndef HAKSTRESS_EXPLORE_RESUME_H
#define HAKSTRESS_EXPLORE_RESUME_H

#include "explore/worker.h"

// Opens or makes the file. question: one line.
bool resume_open(const char* path, const char* question);
// Whether the part is done; then *result is its result. path NULL: no.
bool resume_has(const char* path, const char* scenario, uint64_t part, struct explore_result* result);
// Where the part stood when it was interrupted. false: it was not begun.
bool resume_position(const char* path, const char* scenario, uint64_t part, char* position, size_t size);
// Notes what a worker has done of a part.
void resume_add(const char* path, const char* scenario, uint64_t part, const struct explore_worker* worker);

#endif
