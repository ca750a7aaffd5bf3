// The resident memory of this process over time, sampled by a separate process. A thread would make the C library's
// malloc take its locks, and a workload of one thread would no longer be one. There are at most RSS_POINTS points: when
// they are full, every second one is dropped and the interval doubles. Only one series at a time, before any thread is
// started.
// Errors: rss_begin() returns an errno.
#ifndef HAKSTRESS_WORKER_RSS_H
#define HAKSTRESS_WORKER_RSS_H

#include <stddef.h>
#include <stdint.h>

#define RSS_POINTS 200

struct rss_point {
    double seconds;  // since rss_begin()
    uint64_t kib;
};

int rss_begin(uint64_t step_ms);
// The series; its last point is taken now. It stays until the process ends.
const struct rss_point* rss_end(size_t* count);

#endif
