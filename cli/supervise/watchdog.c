#include "supervise/watchdog.h"

void watchdog_start(struct watchdog* watchdog, double limit, double now) {
    *watchdog = (struct watchdog){.limit = limit, .last_moved = now};
}

bool watchdog_feed(struct watchdog* watchdog, double now, uint64_t count) {
    if (count != watchdog->count) {
        watchdog->count = count;
        watchdog->last_moved = now;
    }
    return now - watchdog->last_moved >= watchdog->limit;
}
