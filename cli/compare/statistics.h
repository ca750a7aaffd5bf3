// Statistics of paired measurements. They use only what is passed in, no clock and no allocation, so unit tests can
// feed them known values. Why these methods: docs/decisions/0011-what-compare-may-claim.md.
// Thread-safety: none needed. Errors: none; too few values give an interval without bounds and p = 1.
#ifndef HAKSTRESS_COMPARE_STATISTICS_H
#define HAKSTRESS_COMPARE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

enum { STATISTICS_PAIRS_MAX = 200, STATISTICS_RESAMPLES = 10000 };

#define STATISTICS_FAMILY_ERROR 0.01      // chance of any claim in a table of an allocator against itself
#define STATISTICS_LEAST_DIFFERENCE 0.01  // smaller ones are not claimed, see the decision

struct estimate {
    double ratio, low, high;  // the median ratio and its 95 % bootstrap interval
    double p;                 // exact, two-sided signed-rank test of "no difference"
    size_t pairs;
};

// All of them sort or overwrite their arguments.
double statistics_median(double* values, size_t count);

// From the logarithms of the ratios of all rounds, in any order.
struct estimate statistics_of_ratios(const double* logs, size_t count, uint64_t seed);

// The same for two runs that are not paired, from the logarithms of the ratios of each: the ratio of their medians.
// Both have values. There is no test: p is 1.
struct estimate statistics_of_change(double* now, size_t now_count, double* then, size_t then_count, uint64_t seed);

// The exact probability, under random signs, of a rank sum at least as extreme as this one. Equal values share their
// mean rank; zeros are left out.
double statistics_signed_rank(const double* differences, size_t count);

// Holm's step-down correction, in place.
void statistics_holm(double* p, size_t count);

// The least number of pairs that allows a claim about one of `rows` rows at all, with some margin, if the table is
// tested at `looks` interim looks.
size_t statistics_pairs_needed(size_t rows, size_t looks);

// +1 or -1: the ratio is claimed to be above or below 1; 0: no difference shown.
int statistics_claim(const struct estimate* estimate, double p_corrected);

// The geometric mean of the medians of several rows, with its 95 % bootstrap interval over rounds. logs[i] has
// counts[i] values.
struct estimate statistics_geometric_mean(const double* const* logs, const size_t* counts, size_t rows, uint64_t seed);

// A number below `bound`, for resampling and for the order of runs. The same seed gives the same numbers on every
// machine (base/random.h).
size_t statistics_random_below(uint64_t* state, size_t bound);

#endif
