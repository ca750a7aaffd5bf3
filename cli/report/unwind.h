// Backtraces of another process, by libunwind.
// Thread-safety: one unwinding at a time in the whole process. Errors: an empty backtrace; `problem` says why.
#ifndef HAKSTRESS_UNWIND_H
#define HAKSTRESS_UNWIND_H

#include "observe/crash_record.h"
#include "process/procmaps.h"

#include <jansson.h>

// From the registers of a crash record. Memory is read from the process while it exists, else from the copied stack and
// the mapped files. Returns an array of frames, as code_place() makes them.
json_t* unwind_crash(const CrashRecord* record, const struct procmaps* maps, pid_t pid, const char** problem);

// Of one thread, which this process traces and has stopped.
json_t* unwind_held(const struct procmaps* maps, pid_t thread, const char** problem);
// Stops a thread that this process does not trace, and lets it go on. False: it cannot be stopped.
bool unwind_hold(pid_t thread, const char** problem);
void unwind_let_go(pid_t thread);

#endif
