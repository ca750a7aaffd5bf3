#include "compare/statistics.h"

#include "base/random.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_TAIL 0.025

static int by_value(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

static double middle_of(const double* sorted, size_t count) {
    if (count == 0) return NAN;
    double upper = sorted[count / 2];
    return count % 2 != 0 ? upper : (sorted[count / 2 - 1] + upper) / 2;
}

double statistics_median(double* values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return middle_of(values, count);
}

// By multiplication; bound is at most 2^32.
size_t statistics_random_below(uint64_t* state, size_t bound) {
    return (size_t)(((random_of(state) >> 32) * bound) >> 32);
}

// The bootstrap

// The value at position `wanted` of a resample, from how often each of the sorted values was drawn.
static double drawn_at(const double* sorted, const unsigned char* drawn, size_t wanted) {
    size_t i = 0;
    for (size_t seen = drawn[0]; seen <= wanted; seen += drawn[++i]) {}
    return sorted[i];
}

// The median of as many values drawn with replacement. Counting the draws on sorted values avoids sorting each
// resample.
static double resampled_median(const double* sorted, size_t count, uint64_t* random) {
    unsigned char drawn[STATISTICS_PAIRS_MAX] = {0};
    for (size_t i = 0; i < count; i++) drawn[statistics_random_below(random, count)]++;
    double upper = drawn_at(sorted, drawn, count / 2);
    return count % 2 != 0 ? upper : (drawn_at(sorted, drawn, count / 2 - 1) + upper) / 2;
}

static void take_interval(double* resamples, struct estimate* estimate) {
    qsort(resamples, STATISTICS_RESAMPLES, sizeof *resamples, by_value);
    estimate->low = exp(resamples[(size_t)(INTERVAL_TAIL * STATISTICS_RESAMPLES)]);
    estimate->high = exp(resamples[STATISTICS_RESAMPLES - 1 - (size_t)(INTERVAL_TAIL * STATISTICS_RESAMPLES)]);
}

struct estimate statistics_of_ratios(const double* logs, size_t count, uint64_t seed) {
    static double resamples[STATISTICS_RESAMPLES];
    double sorted[STATISTICS_PAIRS_MAX];
    if (count > STATISTICS_PAIRS_MAX) count = STATISTICS_PAIRS_MAX;
    struct estimate estimate = {.ratio = NAN, .low = 0, .high = INFINITY, .p = 1, .pairs = count};
    if (count == 0) return estimate;
    memcpy(sorted, logs, count * sizeof *logs);
    estimate.ratio = exp(statistics_median(sorted, count));
    estimate.p = statistics_signed_rank(logs, count);
    if (count < 2) return estimate;
    for (size_t i = 0; i < STATISTICS_RESAMPLES; i++) resamples[i] = resampled_median(sorted, count, &seed);
    take_interval(resamples, &estimate);
    return estimate;
}

struct estimate statistics_of_change(double* now, size_t now_count, double* then, size_t then_count, uint64_t seed) {
    static double resamples[STATISTICS_RESAMPLES];
    struct estimate estimate = {.p = 1, .pairs = now_count < then_count ? now_count : then_count};
    estimate.ratio = exp(statistics_median(now, now_count) - statistics_median(then, then_count));
    for (size_t i = 0; i < STATISTICS_RESAMPLES; i++)
        resamples[i] = resampled_median(now, now_count, &seed) - resampled_median(then, then_count, &seed);
    take_interval(resamples, &estimate);
    return estimate;
}

struct estimate statistics_geometric_mean(const double* const* logs, const size_t* counts, size_t rows, uint64_t seed) {
    static double resamples[STATISTICS_RESAMPLES];
    struct estimate estimate = {.low = 0, .high = INFINITY, .p = 1, .pairs = rows};
    double sum = 0;
    bool few = rows == 0;
    memset(resamples, 0, sizeof resamples);
    for (size_t row = 0; row < rows; row++) {
        double sorted[STATISTICS_PAIRS_MAX];
        memcpy(sorted, logs[row], counts[row] * sizeof *sorted);
        sum += statistics_median(sorted, counts[row]) / (double)rows;
        few = few || counts[row] < 2;
        for (size_t i = 0; i < STATISTICS_RESAMPLES; i++)
            resamples[i] += resampled_median(sorted, counts[row], &seed) / (double)rows;
    }
    estimate.ratio = rows > 0 ? exp(sum) : NAN;
    if (!few) take_interval(resamples, &estimate);
    return estimate;
}

// The signed-rank test

struct ranked {
    double size;
    bool positive;
};

static int by_size(const void* a, const void* b) {
    const struct ranked *x = a, *y = b;
    return (x->size > y->size) - (x->size < y->size);
}

// Twice the rank of each value, so that the mean rank of equal values is whole. The values of the larger half get its
// middle rank: the rounds that something else disturbed are there, and must not outweigh the others.
static void double_ranks(const struct ranked* ranked, size_t count, size_t* ranks) {
    for (size_t from = 0; from < count;) {
        size_t to = from;
        while (to < count && ranked[to].size == ranked[from].size) to++;
        for (size_t i = from; i < to; i++) ranks[i] = from + to + 1 < count + 1 ? from + to + 1 : count + 1;
        from = to;
    }
}

// choices[s]: how many choices among the ranks have a sum of at most s. Returns the greatest s that is filled; greater
// ones up to `most` have as many.
static size_t count_choices(const size_t* ranks, size_t count, size_t most, double* choices) {
    size_t top = 0;
    choices[0] = 1;
    for (size_t i = 0; i < count; i++) {
        size_t before = top;
        top = top + ranks[i] < most ? top + ranks[i] : most;
        memset(&choices[before + 1], 0, (top - before) * sizeof *choices);
        for (size_t s = top + 1; s-- > ranks[i];) choices[s] += choices[s - ranks[i]];
    }
    for (size_t s = 1; s <= top; s++) choices[s] += choices[s - 1];
    return top;
}

// P(sum <= at most) where each rank is in the sum with probability 1/2. The ranks ascend, and about half of them are
// equal, the last ones: of those only the number matters that is in the sum.
static double probability_up_to(const size_t* ranks, size_t count, size_t most) {
    static double choices[STATISTICS_PAIRS_MAX * (STATISTICS_PAIRS_MAX + 1) + 1];
    size_t lower = count, last = count > 0 ? ranks[count - 1] : 0;
    while (lower > 0 && ranks[lower - 1] == last) lower--;
    size_t equal = count - lower, top = count_choices(ranks, lower, most, choices);
    double sum = 0, ways = 1;  // of choosing n of the equal ones
    for (size_t n = 0; n <= equal && n * last <= most; n++) {
        size_t left = most - n * last;
        sum += ways * choices[left < top ? left : top];
        ways *= (double)(equal - n) / (double)(n + 1);
    }
    return ldexp(sum, -(int)count);
}

double statistics_signed_rank(const double* differences, size_t count) {
    struct ranked ranked[STATISTICS_PAIRS_MAX];
    size_t ranks[STATISTICS_PAIRS_MAX], used = 0, positive = 0, all = 0;
    for (size_t i = 0; i < count && used < STATISTICS_PAIRS_MAX; i++)
        if (differences[i] != 0) ranked[used++] = (struct ranked){fabs(differences[i]), differences[i] > 0};
    qsort(ranked, used, sizeof *ranked, by_size);
    double_ranks(ranked, used, ranks);
    for (size_t i = 0; i < used; i++) {
        all += ranks[i];
        positive += ranked[i].positive ? ranks[i] : 0;
    }
    size_t smaller = positive < all - positive ? positive : all - positive;
    return fmin(1, 2 * probability_up_to(ranks, used, smaller));
}

// Many rows

void statistics_holm(double* p, size_t count) {
    double before = 0;
    bool* done = calloc(count + 1, sizeof *done);
    for (size_t step = 0; done != NULL && step < count; step++) {
        size_t least = count;
        for (size_t i = 0; i < count; i++)
            if (!done[i] && (least == count || p[i] < p[least])) least = i;
        done[least] = true;
        before = fmax(before, fmin(1, p[least] * (double)(count - step)));
        p[least] = before;
    }
    for (size_t i = 0; done == NULL && i < count; i++) p[i] = 1;  // without memory nothing may be claimed
    free(done);
}

size_t statistics_pairs_needed(size_t rows, size_t looks) {
    const double room = 8;  // so that a single deviating round does not prevent the claim
    double chance = STATISTICS_FAMILY_ERROR / (room * (double)rows * (double)looks);
    return (size_t)ceil(1 - log2(chance));
}

int statistics_claim(const struct estimate* estimate, double p_corrected) {
    if (!(p_corrected < STATISTICS_FAMILY_ERROR)) return 0;
    if (estimate->low > 1 && estimate->ratio > 1 + STATISTICS_LEAST_DIFFERENCE) return 1;
    if (estimate->high < 1 && estimate->ratio < 1 / (1 + STATISTICS_LEAST_DIFFERENCE)) return -1;
    return 0;
}
