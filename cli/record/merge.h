// Turns the recorder's events into a trace. Addresses become slots. If a block goes from one thread to another, the
// trace says who waits for whom.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_RECORD_MERGE_H
#define HAKSTRESS_RECORD_MERGE_H

#include "record/load.h"
#include "record/trace_write.h"

// A recording without allocations gives a trace without events. The caller sets trace->command.
bool merge(const struct recording* recording, struct trace* trace);

#endif
