// The statistics of compare: known values, and how often tables of an allocator against itself claim a difference.
#include "compare/statistics.h"

#include "base/random.h"
#include "recorded_noise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Under a sanitizer so many take twenty seconds.
#ifndef TABLES_TRIED
#define TABLES_TRIED 200
#endif
enum { TABLES = TABLES_TRIED, ROWS = 24, LOOKS = 3, SEED = 20240607 };

static void assert_near(double value, double wanted, double tolerance) {
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.12g is not %.12g", value, wanted);
}

static void medians_of_odd_and_even_counts(void** state) {
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};
    assert_near(statistics_median(odd, 3), 3, 0);
    assert_near(statistics_median(even, 4), 2.5, 0);
}

// Known exact values: 2 * (number of sign patterns with a sum at most this) / 2^n.
static void the_signed_rank_test_is_exact(void** state) {
    (void)state;
    const double all[] = {1, 2, 3, 4, 5};
    assert_near(statistics_signed_rank(all, 5), 2.0 / 32, 1e-15);
    const double eight[] = {1, 2, -3, 4, -5, 6, 7, 8, 9, 10};  // the sum of the negative ranks is 8, of all 42.5
    assert_near(statistics_signed_rank(eight, 10), 68.0 / 1024, 1e-15);
    const double disturbed[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1000};  // counts as the middle one, 5.5
    assert_near(statistics_signed_rank(disturbed, 10), 30.0 / 1024, 1e-15);
    const double equal[] = {1, 1, -1, 1};
    assert_near(statistics_signed_rank(equal, 4), 2 * 5.0 / 16, 1e-15);
    const double zeros[] = {0, 1, 0, 2, 3};
    assert_near(statistics_signed_rank(zeros, 5), 2.0 / 8, 1e-15);
    assert_near(statistics_signed_rank(zeros, 0), 1, 0);
    const double balanced[] = {1, -1};
    assert_near(statistics_signed_rank(balanced, 2), 1, 0);
}

// Every sign pattern of so many different values is tried. The larger half has the middle rank.
static void the_signed_rank_test_counts_every_pattern(void** state) {
    (void)state;
    enum { COUNT = 12, PATTERNS = 1 << COUNT };
    for (int pattern = 0; pattern < PATTERNS; pattern += 5) {
        double values[COUNT];
        int ranks[COUNT], all = 0, positive = 0, extreme = 0;
        for (int i = 0; i < COUNT; i++) {
            ranks[i] = 2 * (i + 1) < COUNT + 1 ? 2 * (i + 1) : COUNT + 1;
            values[i] = (pattern >> i & 1) != 0 ? i + 1 : -i - 1;
            all += ranks[i];
            positive += values[i] > 0 ? ranks[i] : 0;
        }
        int smaller = positive < all - positive ? positive : all - positive;
        for (int other = 0; other < PATTERNS; other++) {
            int sum = 0;
            for (int i = 0; i < COUNT; i++) sum += (other >> i & 1) * ranks[i];
            extreme += sum <= smaller;
        }
        assert_near(statistics_signed_rank(values, COUNT), fmin(1, 2.0 * extreme / PATTERNS), 1e-15);
    }
}

static void holm_is_stepwise_and_monotone(void** state) {
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.9};
    statistics_holm(p, 4);
    assert_near(p[0], 0.04, 1e-15);
    assert_near(p[1], 0.09, 1e-15);
    assert_near(p[2], 0.09, 1e-15);
    assert_near(p[3], 0.9, 1e-15);
}

static void an_interval_holds_its_ratio_and_is_repeatable(void** state) {
    (void)state;
    double logs[21];
    for (int i = 0; i < 21; i++) logs[i] = log(2) + 0.01 * (i - 10);
    struct estimate estimate = statistics_of_ratios(logs, 21, 1), again = statistics_of_ratios(logs, 21, 1);
    assert_near(estimate.ratio, 2, 1e-12);
    assert_true(estimate.low < 2 && estimate.high > 2);
    // By order statistics the 95 % interval of the median of 21 goes from the 6th to the 16th.
    assert_near(estimate.low, exp(logs[5]), 0.03);
    assert_near(estimate.high, exp(logs[15]), 0.03);
    assert_true(estimate.low == again.low && estimate.high == again.high);
    assert_near(estimate.p, 2.0 / (1 << 21), 1e-15);
}

static void one_value_has_no_interval(void** state) {
    (void)state;
    const double one = 0.5;
    struct estimate estimate = statistics_of_ratios(&one, 1, 1);
    assert_near(estimate.low, 0, 0);
    assert_true(isinf(estimate.high));
    assert_int_equal(statistics_claim(&estimate, 0), 0);
}

static void a_claim_needs_size_interval_and_probability(void** state) {
    (void)state;
    const struct estimate clear = {.ratio = 1.1, .low = 1.05, .high = 1.2}, small = {.ratio = 1.005, .low = 1.001},
                          wide = {.ratio = 1.1, .low = 0.9, .high = 1.3},
                          slow = {.ratio = 0.9, .low = 0.8, .high = 0.95};
    assert_int_equal(statistics_claim(&clear, 0.001), 1);
    assert_int_equal(statistics_claim(&slow, 0.001), -1);
    assert_int_equal(statistics_claim(&clear, 0.01), 0);
    assert_int_equal(statistics_claim(&small, 0.001), 0);
    assert_int_equal(statistics_claim(&wide, 0.001), 0);
}

static void a_geometric_mean_is_that_of_the_medians(void** state) {
    (void)state;
    double a[15], b[15];
    for (int i = 0; i < 15; i++) {
        a[i] = log(4) + 0.001 * (i - 7);
        b[i] = log(1) + 0.001 * (i - 7);
    }
    const double* const rows[] = {a, b};
    const size_t counts[] = {15, 15};
    struct estimate mean = statistics_geometric_mean(rows, counts, 2, 1);
    assert_near(mean.ratio, 2, 1e-12);
    assert_true(mean.low < 2 && mean.low > 1.98 && mean.high > 2 && mean.high < 2.02);
}

// A table of an allocator against itself

static double uniform(uint64_t* random) {
    return ((double)(random_of(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t* random) {
    return sqrt(-2 * log(uniform(random))) * cos(6.283185307179586 * uniform(random));
}

// Slow drift, and sometimes a run that something else disturbed.
static double synthetic_run(uint64_t* random, double drift) {
    double burst = uniform(random) < 0.1 ? 0.5 * uniform(random) : 0;
    return drift + 0.03 * normal(random) - burst;
}

static double synthetic_difference(uint64_t* random, size_t round) {
    double first = synthetic_run(random, 0.01 * (double)round),
           second = synthetic_run(random, 0.01 * (double)round + 0.005);
    return statistics_random_below(random, 2) == 0 ? first - second : second - first;  // the order is random
}

static double recorded_difference(uint64_t* random, size_t round) {
    (void)round;
    size_t at = statistics_random_below(random, sizeof recorded_noise / sizeof recorded_noise[0] - 1);
    double difference = log(recorded_noise[at] / recorded_noise[at + 1]);
    return statistics_random_below(random, 2) == 0 ? difference : -difference;
}

static bool claims_anything(double logs[ROWS][STATISTICS_PAIRS_MAX], size_t rounds) {
    double p[ROWS];
    for (int i = 0; i < ROWS; i++) p[i] = fmin(1, LOOKS * statistics_signed_rank(logs[i], rounds));
    statistics_holm(p, ROWS);
    for (int i = 0; i < ROWS; i++) {
        if (p[i] >= STATISTICS_FAMILY_ERROR) continue;  // no interval can change that
        struct estimate estimate = statistics_of_ratios(logs[i], rounds, SEED);
        if (statistics_claim(&estimate, p[i]) != 0) return true;
    }
    return false;
}

// Whatever decides when to stop: a table counts if it would claim something at any of its interim looks.
static int tables_that_claim(double (*difference)(uint64_t* random, size_t round)) {
    static double logs[ROWS][STATISTICS_PAIRS_MAX];
    uint64_t random = SEED;
    int claims = 0;
    size_t needed = statistics_pairs_needed(ROWS, LOOKS);
    const size_t looks[LOOKS] = {needed, needed * 3, STATISTICS_PAIRS_MAX};
    for (int table = 0; table < TABLES; table++) {
        for (int i = 0; i < ROWS; i++)
            for (size_t round = 0; round < looks[LOOKS - 1]; round++) logs[i][round] = difference(&random, round);
        bool claimed = false;
        for (int i = 0; i < LOOKS; i++) claimed = claimed || claims_anything(logs, looks[i]);
        claims += claimed;
    }
    return claims;
}

static void whole_tables_of_synthetic_noise_claim_at_most_one_in_a_hundred(void** state) {
    (void)state;
    assert_in_range(tables_that_claim(synthetic_difference), 0, TABLES / 100);
}

static void whole_tables_of_recorded_noise_claim_at_most_one_in_a_hundred(void** state) {
    (void)state;
    assert_in_range(tables_that_claim(recorded_difference), 0, TABLES / 100);
}

static void three_percent_are_found_on_a_quiet_row(void** state) {
    (void)state;
    uint64_t random = SEED;
    int found = 0;
    size_t rounds = statistics_pairs_needed(3, LOOKS);
    for (int trial = 0; trial < 100; trial++) {
        double logs[STATISTICS_PAIRS_MAX];
        for (size_t i = 0; i < rounds; i++) logs[i] = log(0.97) + 0.01 * normal(&random);
        struct estimate estimate = statistics_of_ratios(logs, rounds, SEED);
        found += statistics_claim(&estimate, fmin(1, estimate.p * 3 * LOOKS)) < 0;
    }
    assert_in_range(found, 90, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_of_odd_and_even_counts),
        cmocka_unit_test(the_signed_rank_test_is_exact),
        cmocka_unit_test(the_signed_rank_test_counts_every_pattern),
        cmocka_unit_test(holm_is_stepwise_and_monotone),
        cmocka_unit_test(an_interval_holds_its_ratio_and_is_repeatable),
        cmocka_unit_test(one_value_has_no_interval),
        cmocka_unit_test(a_claim_needs_size_interval_and_probability),
        cmocka_unit_test(a_geometric_mean_is_that_of_the_medians),
        cmocka_unit_test(whole_tables_of_synthetic_noise_claim_at_most_one_in_a_hundred),
        cmocka_unit_test(whole_tables_of_recorded_noise_claim_at_most_one_in_a_hundred),
        cmocka_unit_test(three_percent_are_found_on_a_quiet_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
