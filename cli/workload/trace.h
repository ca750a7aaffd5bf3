// The workload "trace:FILE": replay of a trace of `hakstress record`.
// Thread-safety: only before any thread starts.
#ifndef HAKSTRESS_WORKLOAD_TRACE_H
#define HAKSTRESS_WORKLOAD_TRACE_H

#include "workload/workload.h"

#define TRACE_PREFIX "trace:"

// Checks the file. NULL: the name has another form, or there are too many of them. The name must stay where it is.
const struct workload* trace_workload(const char* name);

#endif
