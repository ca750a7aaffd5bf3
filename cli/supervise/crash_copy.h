// Takes a crash record from outside, of a thread that is dying and stopped by ptrace.
// Thread-safety: none needed. Errors: what cannot be read is missing from the record.
#ifndef HAKSTRESS_CRASH_COPY_H
#define HAKSTRESS_CRASH_COPY_H

#include "observe/crash_record.h"
#include "supervise/tracing.h"

// Of a thread of a core dump.
void crash_copy_registers(CrashRecord* record, const struct user_regs_struct* registers);
void crash_copy(CrashRecord* record, pid_t thread, const struct tracing_signal* signal);

#endif
