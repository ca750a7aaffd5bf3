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
    char name[32];                 // "malloc"; of a band of sizes: "malloc<=128"
    uint64_t p50, p99, p999, max;  // nanoseconds
    uint64_t count;                // calls that were timed
    size_t points;
    struct {
        double percent;
        uint64_t nanoseconds;
    } curve[LATENCY_CURVE_MAX];
};

// The line "latency NAME p50=... curve=...", which ends the text or is followed by others.
bool latency_parse(const char* line, struct latency* out);
// The point of the curve at `percent`, in nanoseconds; 0: it has none there.
uint64_t latency_at(const struct latency* latency, double percent);
// {"p50", "p99", "p999", "p9999", "max", "count", "curve": [[50, 12], ...]}; null if nothing was timed.
json_t* latency_to_json(const struct latency* latency);

#endif
