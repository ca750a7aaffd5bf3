// What paired measurements say. No data but what is passed in, no clock, no allocator: unit tests feed it known values.
// Why these methods: docs/decisions/0011-what-compare-may-claim.md.
// Thread-safety: none needed. Errors: none; too few values give an interval without bounds and p = 1.
#ifndef HAKSTRESS_COMPARE_STATISTICS_H
#define HAKSTRESS_COMPARE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

enum { STATISTICS_PAIRS_MAX = 200, STATISTICS_RESAMPLES = 10000 };

#define STATISTICS_FAMILY_ERROR 0.01      // of a whole table of an allocator against itself, to claim anything
#define STATISTICS_LEAST_DIFFERENCE 0.01  // smaller ones are not claimed, see the decision

struct estimate {
    double ratio, low, high;  // the median ratio and its 95 % bootstrap interval
    double p;                 // exact, two-sided signed-rank test of "no difference"
    size_t pairs;
};

// All sort or fill what they are given.
double statistics_median(double* values, size_t count);

// From the logarithms of the ratios of each round, in any order.
struct estimate statistics_of_ratios(const double* logs, size_t count, uint64_t seed);

// The exact probability, under random signs, of a rank sum at least as far out as this one. Equal values share their mean rank; zeros are
// left out.
double statistics_signed_rank(const double* differences, size_t count);

// Holm's step-down correction, in place.
void statistics_holm(double* p, size_t count);

// The least number of pairs with which one of `rows` rows can be claimed at all, with some room, when the table is looked at
// `looks` times.
size_t statistics_pairs_needed(size_t rows, size_t looks);

// +1 or -1: the ratio is claimed to lie above or below 1; 0: no difference shown.
int statistics_claim(const struct estimate* estimate, double p_corrected);

// The geometric mean of the medians of several rows, with its 95 % bootstrap interval over rounds. logs[i] holds counts[i] values.
struct estimate statistics_geometric_mean(const double* const* logs, const size_t* counts, size_t rows, uint64_t seed);

// A generator for resampling and for the order of runs: the same seed gives the same numbers everywhere.
uint64_t statistics_random(uint64_t* state);
size_t statistics_random_below(uint64_t* state, size_t bound);

#endif
