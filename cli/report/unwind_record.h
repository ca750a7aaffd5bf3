// The backtrace of a crash whose process is gone, or cannot be looked at: from the crash record and the files alone.
// Thread-safety: one unwinding at a time in the whole process. Errors: an empty backtrace; `problem` says why.
#ifndef HAKSTRESS_UNWIND_RECORD_H
#define HAKSTRESS_UNWIND_RECORD_H

#include "report/crash_memory.h"

#include <jansson.h>

json_t* unwind_record(const struct crash_memory* memory, uint64_t pc, uint64_t stack_pointer, const char** problem);

#endif
