// The resident memory of this process over time, looked at by a process of its own: a thread would make the C library's malloc take
// its locks, and a workload of one thread would no longer be one. At most RSS_POINTS points: when they are full, every second one goes
// and the steps are twice as long. Only one series at a time, before any thread is started.
// Errors: rss_begin() gives an errno.
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
// The series, its last point of now. It stays until the process ends.
const struct rss_point* rss_end(size_t* count);

#endif
