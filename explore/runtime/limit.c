#include "runtime/limit.h"

#include <stddef.h>

const char* run_limit;
void (*run_is_too_large)(const char* what);

void run_meets_limit(const char* what) {
    if (run_limit == NULL) run_limit = what;
}
