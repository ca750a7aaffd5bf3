// The tests of the plan as it was specified, by name, and the check list that they prove.
#ifndef HAKSTRESS_SPECIFIED_H
#define HAKSTRESS_SPECIFIED_H

#include "testplan/plan.h"

enum specified_test {
    BEFORE_REPRO,
    BEFORE_GUARD,
    FIRST_TWO_REPRO,
    FIRST_TWO_GUARD,
    ALL_REPRO,
    ALL_GUARD,
    ALL_FAST0,
    SPECIFIED_TESTS,
};

struct check_line {
    char line[160];
    char proof[512];
    enum mark mark;
};

#define CHECK_LINES_MAX 12

// Returns the number of lines.
size_t checklist_make(const struct test* tests, struct check_line lines[CHECK_LINES_MAX]);

#endif
