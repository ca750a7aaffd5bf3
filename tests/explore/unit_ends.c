// The states in which runs have ended: each is new once, and again where more is judged than what is in memory.
#include "unit/unit.h"

#include "oracle/blocks.h"
#include "run/ends.h"
#include "runtime/memory.h"
#include "runtime/system.h"

Run run;
Thread threads[THREADS_AND_SETUP];
unsigned thread_count = 1;
Block blocks[BLOCKS_MOST_ALL];
unsigned block_count = 1;

Hash memory_hash(void) {
    return (Hash){1, 1};
}

Hash threads_tls_hash(void) {
    return (Hash){2, 2};
}

uint64_t system_hash(void) {
    return 3;
}

static int begin(void** state) {
    (void)state;
    run = (Run){0};
    blocks[0] = (Block){.at = (char*)0x1000};
    ends_forget();
    assert_true(ends_is_new());
    assert_false(ends_is_new());
    return 0;
}

static void how_threads_came_there_does_not_matter(void** state) {
    (void)state;
    run.calls++;
    run.steps[0]++;
    blocks[0].at = (char*)0x2000;
    assert_false(ends_is_new());
}

static void how_threads_came_there_matters_where_it_is_judged(void** state) {
    (void)state;
    run.is_judged = true;
    assert_true(ends_is_new());
    run.calls++;
    assert_true(ends_is_new());
    run.steps[HAK_STEP_COUNT - 1]++;
    assert_true(ends_is_new());
    blocks[0].at = (char*)0x2000;
    assert_true(ends_is_new());
    assert_false(ends_is_new());
}

static void an_end_after_a_stale_load_hides_none_without(void** state) {
    (void)state;
    ends_forget();
    run.limits.stale_most = 1;
    run.stale_used = 1;
    assert_true(ends_is_new());
    run.stale_used = 0;
    assert_true(ends_is_new());
    assert_false(ends_is_new());
    run.stale_used = 1;
    assert_false(ends_is_new());
    assert_int_equal(ends_count(), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(how_threads_came_there_does_not_matter, begin),
        cmocka_unit_test_setup(how_threads_came_there_matters_where_it_is_judged, begin),
        cmocka_unit_test_setup(an_end_after_a_stale_load_hides_none_without, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
