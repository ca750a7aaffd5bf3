// A thread at the end of its process (supervise/tracing.h), as a root of its memory.
// Thread-safety: none needed. Errors: none.
#ifndef HAKSTRESS_ENDED_THREAD_H
#define HAKSTRESS_ENDED_THREAD_H

#include "leaks/roots.h"
#include "supervise/tracing.h"

// `out` refers to `end`.
void ended_thread_root(const struct tracing_end* end, struct root_thread* out);

#endif
