// Runs tests, each as a process of this program, so that nothing that happens in one can harm the plan.
// Thread-safety: none; one test at a time.
#ifndef HAKSTRESS_RUN_TEST_H
#define HAKSTRESS_RUN_TEST_H

#include "testplan/test.h"

enum test_end {
    TEST_ENDED,    // its result says how
    TEST_STOPPED,  // somebody asked for it; what it has measured until then is in its result
    TEST_FAILED,   // it could not do its work; its message, or one of ours, was printed
};

struct test_setting {
    const char* program;  // how to name this program in what is printed
    const char* results;  // the directory of its results
    bool quiet;
    size_t number, of;     // the place of the test in the plan, for the progress line
    double seconds_after;  // about how long the tests after it will take
};

// From now on SIGINT, SIGTERM and SIGHUP wait for test_run to see them. False after a message.
bool test_catch_stops(void);
enum test_end test_run(struct test* test, const struct test_setting* setting);

#endif
