// A plan: its tests, in order, and the tables that show their results.
#ifndef HAKSTRESS_PLAN_H
#define HAKSTRESS_PLAN_H

#include "testplan/document.h"
#include "testplan/test.h"

#define PLAN_TESTS_MAX 16

struct plan {
    const char* title;
    const struct test_spec* specs;
    size_t count;
    // `tests` are the tests of `specs`, in their order; some may have no result.
    void (*print)(const struct test* tests, struct document* document);
    // What the tests prove beyond their own results: a new array; NULL: nothing.
    json_t* (*proofs)(const struct test* tests);
};

extern const struct plan plan_specified;  // the test plan as it was specified
extern const struct plan plan_each;       // each change missing by itself

// The mark of a test's result: good without a fault, bad with one, open if it did not complete.
enum mark test_mark(const struct test* test);
// "yes", "NO", or why it is not known.
const char* test_verdict(const struct test* test);

#endif
