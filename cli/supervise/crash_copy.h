// Takes a crash record from outside, of a thread that is dying and stopped by ptrace.
// Thread-safety: none needed. Errors: what cannot be read is missing from the record.
#ifndef HAKSTRESS_CRASH_COPY_H
#define HAKSTRESS_CRASH_COPY_H

#include "child/crash_record.h"
#include "supervise/tracing.h"

void crash_copy(struct crash_record* record, pid_t thread, const struct tracing_signal* signal);

#endif
