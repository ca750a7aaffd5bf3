// The latencies that a worker prints, as numbers and as JSON.
// Thread-safety: none needed. Errors: latency_parse() returns false for a line of another form.
#ifndef HAKSTRESS_LATENCY_H
#define HAKSTRESS_LATENCY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATENCY_CURVE_MAX 32

struct latency {
    uint64_t p50, p99, p999, max;  // nanoseconds
    uint64_t count;                // calls that were timed
    size_t points;
    struct {
        double percent;
        uint64_t nanoseconds;
    } curve[LATENCY_CURVE_MAX];
};

// The line "latency NAME p50=... curve=...".
bool latency_parse(const char* line, const char* name, struct latency* out);
// {"p50", "p99", "p999", "max", "count", "curve": [[50, 12], ...]}; null if nothing was timed.
json_t* latency_to_json(const struct latency* latency);

#endif
