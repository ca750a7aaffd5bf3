// One event of a debug ring, in words and as JSON.
// Thread-safety: any thread. Errors: none.
#ifndef HAKSTRESS_RING_EVENT_H
#define HAKSTRESS_RING_EVENT_H

#include "report/ring_clock.h"

#include <jansson.h>

struct ring_event {
    HakRingRecord record;
    uint32_t thread;  // 0: unknown
    uint32_t os_tid;  // 0: unknown, the thread has ended
    bool ended;
};

// {"time", "event", "ptr", "a", "b", "text", "thread", "os_tid", "ended"}
json_t* ring_event_json(const struct ring_reader* reader, const struct ring_event* event);

#endif
