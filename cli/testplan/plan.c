#include "testplan/plan.h"

#include <string.h>

enum mark test_mark(const struct test* test) {
    if (!test_is_complete(test)) return MARK_OPEN;
    return strcmp(test_outcome(test), "ok") == 0 ? MARK_GOOD : MARK_BAD;
}

const char* test_verdict(const struct test* test) {
    if (!test_is_complete(test)) return test_outcome(test);
    return test_as_expected(test) ? "yes" : "NO";
}
