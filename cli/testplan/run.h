// Runs each test as a process of this program, so that nothing in a test can harm the plan.
// Thread-safety: none; one test at a time.
#ifndef HAKSTRESS_RUN_TEST_H
#define HAKSTRESS_RUN_TEST_H

#include "testplan/test.h"

enum test_end {
    TEST_ENDED,    // its result says how
    TEST_STOPPED,  // stopped on request; the result has what it measured until then
    TEST_FAILED,   // it could not do its work; its message or one of ours was printed
};

struct test_setting {
    const char* program;  // how to name this program in messages
    const char* results;  // the directory of its results
    bool quiet;
    size_t number, of;     // the position of the test in the plan, for the progress line
    double seconds_after;  // estimated time of the tests after it
};

// From now on SIGINT, SIGTERM and SIGHUP are held back until test_run checks for them. False after a message.
bool test_catch_stops(void);
enum test_end test_run(struct test* test, const struct test_setting* setting);

#endif
