// What the workers have covered, all together: steps, their branches, pairs of steps.
// Thread-safety: none. Errors: none; names beyond the most are left out.
#ifndef HAKSTRESS_EXPLORE_COVERAGE_H
#define HAKSTRESS_EXPLORE_COVERAGE_H

#include "base/json.h"

#include <stdio.h>

// A worker's line "item 0|1 NAME".
void coverage_take(const char* line);
// What is covered, a line for each kind, and then what is not.
void coverage_print(FILE* out);
json_t* coverage_json(void);

#endif
