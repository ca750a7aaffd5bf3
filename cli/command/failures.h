// Allocations that fail on purpose: --fail-malloc of hakstress run.
// Thread-safety: none needed. Errors: failures_read and the others return false after a message.
#ifndef HAKSTRESS_FAILURES_H
#define HAKSTRESS_FAILURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct failures {
    const char* text;      // as given; NULL: not asked for
    const char* variable;  // which option of the library
    char value[32];
    bool random;
    size_t refused, processes;  // what came of it
};

bool failures_read(const char* text, struct failures* failures);
// Before the command line that repeats the run is made: HAKMEM_SEED, unless it is set.
bool failures_choose_seed(const struct failures* failures);
bool failures_set(const struct failures* failures);
void failures_print(const struct failures* failures, FILE* out);
json_t* failures_json(const struct failures* failures);

#endif
