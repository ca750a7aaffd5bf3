// The files of scenarios: in the source tree, beside the program, or installed.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_EXPLORE_SCENARIOS_H
#define HAKSTRESS_EXPLORE_SCENARIOS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { EXPLORE_SCENARIOS_MOST = 1024, SCENARIO_KEY = 96 };

struct scenario_file {
    char name[64];
    char path[PATH_MAX];  // or the name, for a random scenario, which has no file
    bool by_path;         // it was named by its path; its name alone does not find it
};

// The file of a name, of "random-N", or of a path: with a '/', or ending in ".scenario".
bool scenario_find(const char* name, struct scenario_file* out);
// All scenarios, in the order of their names. 0 after a message if there are more than EXPLORE_SCENARIOS_MOST.
size_t scenarios_all(struct scenario_file out[EXPLORE_SCENARIOS_MOST]);

// The scenario and a hash of its text: two files of one name, or one that was changed, have different ones.
void scenario_key(const struct scenario_file* file, char* out, size_t size);
// What a scenario is about: its first comment.
void scenario_about(const struct scenario_file* file, char* out, size_t size);

#endif
