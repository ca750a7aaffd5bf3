#include "base/histogram.h"

#define LINEAR (UINT64_C(1) << HISTOGRAM_LINEAR_BITS)

static uint64_t get(const _Atomic uint64_t* from) {
    return atomic_load_explicit(from, memory_order_relaxed);
}

// Buckets [0, 2 * LINEAR) have a width of one, the next LINEAR a width of two, the next four, and so on.
static unsigned bucket_of(uint64_t value) {
    if (value < 2 * LINEAR) return (unsigned)value;
    const unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_LINEAR_BITS;
    return (unsigned)((shift << HISTOGRAM_LINEAR_BITS) + (value >> shift));
}

static uint64_t middle_of(unsigned bucket) {
    if (bucket < 2 * LINEAR) return bucket;
    const unsigned shift = (bucket >> HISTOGRAM_LINEAR_BITS) - 1;
    return ((bucket - ((uint64_t)shift << HISTOGRAM_LINEAR_BITS)) << shift) + (UINT64_C(1) << shift) / 2;
}

static void raise_to(_Atomic uint64_t* greatest, uint64_t value) {
    uint64_t seen = get(greatest);
    while (value > seen &&
           !atomic_compare_exchange_weak_explicit(greatest, &seen, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

void histogram_record(struct histogram* histogram, uint64_t value) {
    const uint64_t within = value < HISTOGRAM_LIMIT ? value : HISTOGRAM_LIMIT - 1;
    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(within)], 1, memory_order_relaxed);
    raise_to(&histogram->greatest, value);
}

void histogram_add(struct histogram* sum, const struct histogram* part) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        const uint64_t count = get(&part->buckets[i]);
        if (count != 0) atomic_fetch_add_explicit(&sum->buckets[i], count, memory_order_relaxed);
    }
    raise_to(&sum->greatest, get(&part->greatest));
}

uint64_t histogram_count(const struct histogram* histogram) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) sum += get(&histogram->buckets[i]);
    return sum;
}

uint64_t histogram_at(const struct histogram* histogram, double percent) {
    const uint64_t count = histogram_count(histogram), greatest = get(&histogram->greatest);
    if (count == 0 || percent >= 100) return greatest;
    // the smallest number of values that makes up this share
    uint64_t wanted = (uint64_t)(percent / 100 * (double)count);
    if ((double)wanted < percent / 100 * (double)count || wanted == 0) wanted++;
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum += get(&histogram->buckets[i]);
        if (sum < wanted) continue;
        const uint64_t middle = middle_of(i);
        return middle < greatest ? middle : greatest;  // the bucket of the greatest value begins below it
    }
    return greatest;
}
