// From the recorder's events to a trace: addresses become slots, and where a block goes from one thread to another it is noted who
// waits for whom.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_RECORD_MERGE_H
#define HAKSTRESS_RECORD_MERGE_H

#include "record/load.h"
#include "record/trace_write.h"

// A recording without allocations gives a trace without events. trace->command is left to the caller.
bool merge(const struct recording* recording, struct trace* trace);

#endif
