// Notices that nothing makes progress.
#ifndef HAKSTRESS_WATCHDOG_H
#define HAKSTRESS_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct watchdog {
    double limit;       // seconds without progress that count as a hang
    double last_moved;  // when the count last changed
    uint64_t count;
};

void watchdog_start(struct watchdog* watchdog, double limit, double now);
// True if `count` has not changed for `limit` seconds.
bool watchdog_feed(struct watchdog* watchdog, double now, uint64_t count);

#endif
