// The histogram's error, and the lines in which a worker reports its latencies.
#include "base/histogram.h"
#include "worker/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct histogram histogram, other;

static void clear(void) {
    memset(&histogram, 0, sizeof histogram);
    memset(&other, 0, sizeof other);
}

// By the documented bound, for the first of two values: the greatest would be exact in any case.
static void check_error(uint64_t value) {
    clear();
    histogram_record(&histogram, value);
    histogram_record(&histogram, UINT64_MAX);
    const uint64_t told = histogram_at(&histogram, 50);
    const uint64_t error = told > value ? told - value : value - told;
    if (error > value / 256) fail_msg("%llu is told as %llu", (unsigned long long)value, (unsigned long long)told);
}

static void the_error_is_at_most_one_in_256(void** state) {
    (void)state;
    for (uint64_t value = 0; value < 5000; value++) check_error(value);
    for (unsigned shift = 12; shift < HISTOGRAM_LIMIT_BITS; shift++) {
        check_error((UINT64_C(1) << shift) - 1);
        check_error(UINT64_C(1) << shift);
        check_error((UINT64_C(1) << shift) + 1);
        check_error(UINT64_C(5) << (shift - 2));
        check_error((UINT64_C(2) << shift) - 1);
    }
}

static void percentiles_count_from_the_least(void** state) {
    (void)state;
    clear();
    for (uint64_t value = 1; value <= 200; value++) histogram_record(&histogram, 201 - value);
    assert_int_equal(histogram_count(&histogram), 200);
    assert_int_equal(histogram_at(&histogram, 0), 1);
    assert_int_equal(histogram_at(&histogram, 0.5), 1);
    assert_int_equal(histogram_at(&histogram, 50), 100);
    assert_int_equal(histogram_at(&histogram, 50.1), 101);
    assert_int_equal(histogram_at(&histogram, 99), 198);
    assert_int_equal(histogram_at(&histogram, 100), 200);
}

static void an_empty_one_gives_zero(void** state) {
    (void)state;
    clear();
    assert_int_equal(histogram_count(&histogram), 0);
    assert_int_equal(histogram_at(&histogram, 50), 0);
    assert_int_equal(histogram_at(&histogram, 100), 0);
}

static void the_greatest_is_exact(void** state) {
    (void)state;
    clear();
    histogram_record(&histogram, 1000003);
    assert_int_equal(histogram_at(&histogram, 100), 1000003);
    assert_true(histogram_at(&histogram, 50) <= 1000003);
    histogram_record(&histogram, HISTOGRAM_LIMIT * 8 + 1);
    assert_int_equal(histogram_at(&histogram, 100), HISTOGRAM_LIMIT * 8 + 1);
    assert_int_equal(histogram_count(&histogram), 2);
}

static void a_sum_is_as_if_all_had_gone_to_one(void** state) {
    (void)state;
    clear();
    for (uint64_t value = 0; value < 1000; value++)
        histogram_record(value % 2 == 0 ? &histogram : &other, value * value);
    static struct histogram all;
    memset(&all, 0, sizeof all);
    for (uint64_t value = 0; value < 1000; value++) histogram_record(&all, value * value);
    histogram_add(&histogram, &other);
    assert_memory_equal(&histogram, &all, sizeof all);
}

static void lines_are_parsed(void** state) {
    (void)state;
    struct latency latency;
    static const char line[] =
        "latency free p50=8 p99=94 p999=1542 max=60182 count=191537 curve=50:8,99.5:171,100:60182";
    assert_true(latency_parse(line, "free", &latency));
    assert_int_equal(latency.p50, 8);
    assert_int_equal(latency.p999, 1542);
    assert_int_equal(latency.max, 60182);
    assert_int_equal(latency.count, 191537);
    assert_int_equal(latency.points, 3);
    assert_true(latency.curve[1].percent == 99.5);
    assert_int_equal(latency.curve[1].nanoseconds, 171);
    json_t* value = latency_to_json(&latency);
    assert_int_equal(json_integer_value(json_object_get(value, "p99")), 94);
    assert_int_equal(json_array_size(json_object_get(value, "curve")), 3);
    json_decref(value);
    latency.count = 0;
    assert_true(json_is_null(latency_to_json(&latency)));
}

static void other_lines_are_refused(void** state) {
    (void)state;
    static const char* const lines[] = {
        "",
        "latency",
        "ops=3 seconds=1",
        "latency malloc p50=8 p99=94 p999=1542 max=60182 count=9 curve=50:8",
        "latency free p50=8 p99=94 p999=1542 max=60182 count=9",
        "latency free p50=8 p99=94 p999=1542 max=60182 count=9 curve=",
        "latency free p50=8 p99=94 p999=1542 max=60182 count=9 curve=50:8,",
        "latency free p50=8 p99=94 p999=1542 max=60182 count=9 curve=50:8 100:9",
        "latency free p50=x p99=94 p999=1542 max=60182 count=9 curve=50:8",
    };
    struct latency latency;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (latency_parse(lines[i], "free", &latency)) fail_msg("taken: %s", lines[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_is_at_most_one_in_256),
        cmocka_unit_test(percentiles_count_from_the_least),
        cmocka_unit_test(an_empty_one_gives_zero),
        cmocka_unit_test(the_greatest_is_exact),
        cmocka_unit_test(a_sum_is_as_if_all_had_gone_to_one),
        cmocka_unit_test(lines_are_parsed),
        cmocka_unit_test(other_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
