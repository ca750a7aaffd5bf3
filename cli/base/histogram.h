// A log-linear histogram of whole numbers, like HdrHistogram: 128 buckets for each doubling, exact below 256.
// For a number below HISTOGRAM_LIMIT, the result of histogram_at() is off by at most 1/256 of it. Greater numbers are
// counted as HISTOGRAM_LIMIT - 1, but the greatest of all is kept exactly. A zeroed histogram is empty. Nothing here
// allocates.
// Thread-safety: histogram_record() from any number of threads; the others after recording has ended.
#ifndef HAKSTRESS_HISTOGRAM_H
#define HAKSTRESS_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_LINEAR_BITS 7
#define HISTOGRAM_LIMIT_BITS 42
#define HISTOGRAM_LIMIT (UINT64_C(1) << HISTOGRAM_LIMIT_BITS)
#define HISTOGRAM_BUCKETS ((HISTOGRAM_LIMIT_BITS - HISTOGRAM_LINEAR_BITS + 1) << HISTOGRAM_LINEAR_BITS)

struct histogram {
    _Atomic uint64_t greatest;
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram* histogram, uint64_t value);
void histogram_add(struct histogram* sum, const struct histogram* part);
uint64_t histogram_count(const struct histogram* histogram);
// The value that `percent` (0 to 100) of the recorded values do not exceed. 100 gives the greatest. 0 if there are
// none.
uint64_t histogram_at(const struct histogram* histogram, double percent);

#endif
