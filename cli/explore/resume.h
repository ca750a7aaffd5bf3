// A file that remembers what was explored, so that a search that was interrupted goes on from there.
//
//   first line: what was asked for, and of which build; a file of another one is refused
//   then a line for each part of a scenario that is done:
//     KEY PART done schedules pruned ends bound seconds words steps CHECKSUM .
//   and for one that is not: KEY PART at POSITION CHECKSUM .
//
// KEY is scenario_key(). The last line of a part counts. A line without the dot at its end was not written to its end,
// and counts as none. A file with a line that has changed since is refused.
//
// Thread-safety: none. Errors: a message and false.
#ifndef HAKSTRESS_EXPLORE_RESUME_H
#define HAKSTRESS_EXPLORE_RESUME_H

#include "explore/worker.h"

enum resume_state { RESUME_NEW, RESUME_AT, RESUME_DONE };

struct resume_part {
    const char* scenario;  // its key
    uint64_t part;
};

// Opens or makes the file. question: one line.
bool resume_open(const char* path, const char* question);
// How far the part is: DONE: *result is its result; AT: `position` is where it stood. path NULL: it is new.
enum resume_state resume_read(const char* path, const struct resume_part* part, struct explore_result* result,
                              char position[EXPLORE_REPLAY_MOST]);
// Notes what a worker has done of a part.
bool resume_add(const char* path, const struct resume_part* part, const struct explore_worker* worker);

#endif
