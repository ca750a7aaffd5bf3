// Making a fault's schedule short and telling its story, and repeating a schedule: workers of their own do it.
// Thread-safety: none. Errors: as said, after a message of the worker's.
#ifndef HAKSTRESS_EXPLORE_TELL_H
#define HAKSTRESS_EXPLORE_TELL_H

#include "explore/scenarios.h"
#include "explore/worker.h"

#include <signal.h>

struct story_files {
    const char *text, *json, *html;  // paths; NULL: not wanted
};

// A schedule that a worker is to run.
struct explore_wish {
    const char* program;
    const char* replay;  // SCENARIO@BUILD:SCHEDULE
    const struct scenario_file* scenario;
    bool force;  // also if it is of another build
    struct story_files story;
    const volatile sig_atomic_t* stopped;
};

struct explore_repeats {
    char check[32];  // "none": no fault
    char text[1024];
    uint64_t done;  // runs
    uint64_t same;  // of these, those that had the same events as the string, and the same check
    int status;     // of the worker that failed; 0 or 1: none did
};

// Makes the schedule as short as it can within so many seconds, and tells it. STATUS_FAULT: *fault is the short one.
// Otherwise it is as it was, and it was said why, unless that is STATUS_STOPPED.
int explore_shorten(const struct explore_wish* wish, double seconds, struct explore_fault* fault);
// Runs the schedule `times` times, each in a process of its own. The first one tells the story.
void explore_repeat(const struct explore_wish* wish, uint64_t times, struct explore_repeats* repeats);

#endif
