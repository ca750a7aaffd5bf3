// One test of the test plan: a run of repro or guard in its own process, the expected result, and the actual one.
// Thread-safety: none. A test without a result gives zeros and false.
#ifndef HAKSTRESS_TEST_H
#define HAKSTRESS_TEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum expectation {
    EXPECT_FAULT,  // a crash, usually at 0x6261; sometimes a failed check, or a hang
    EXPECT_STOP,   // the ownership check stops the run
    EXPECT_FAULT_OR_CLEAN,
    EXPECT_STOP_OR_CLEAN,
    EXPECT_CLEAN,  // no fault, and no drain of another thread's slab
};

struct test_spec {
    const char* title;
    const char* mode;     // repro or guard
    const char* profile;  // NULL: the profile of the mode
    double seconds;
    unsigned threads;
    const char* changes;
    enum expectation expected;
    // A faulty test: the only site that may be named. A clean one: the stage that must have served. NULL: any.
    const char* site;
};

struct test {
    const struct test_spec* spec;
    double seconds;  // at most
    uint64_t seed;
    json_t* result;  // as the run wrote it; NULL: it did not run, or left none
};

bool test_is_faulty(const struct test_spec* spec);

const char* test_outcome(const struct test* test);  // ok, fault, hang, stopped, failed; "not run"
bool test_is_complete(const struct test* test);     // it ended by itself, in any way
bool test_as_expected(const struct test* test);
double test_duration(const struct test* test);
json_int_t test_events(const struct test* test);
json_int_t test_counter(const struct test* test, const char* name);
json_int_t test_foreign_drains(const struct test* test, const char* site);  // NULL: all sites
const char* test_fault_addr(const struct test* test);                       // "-": none
const char* test_check_site(const struct test* test);                       // the failed check's site; "-": none

// "repro 30 4 --changes none"
void test_describe(const struct test* test, char* out, size_t size);
// "20.00 s", "0.0031 s"
void test_describe_duration(const struct test* test, char* out, size_t size);
// "NO CRASH", "CRASH at fault_addr=0x6261", "STOPPED by check=ownership site=hot" ...
void test_describe_result(const struct test* test, char* out, size_t size);
// "alloc_superslab 3, hot 1", or "none"
void test_describe_foreign_drains(const struct test* test, char* out, size_t size);

// What is known of the test, for the plan's own result file.
json_t* test_to_json(const struct test* test);

#endif
