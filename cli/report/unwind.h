// Backtraces of another process, by libunwind.
// Thread-safety: one unwinding at a time in the whole process. Errors: an empty backtrace; `problem` says why.
#ifndef HAKSTRESS_UNWIND_H
#define HAKSTRESS_UNWIND_H

#include "child/crash_record.h"
#include "process/procmaps.h"

#include <jansson.h>

// From the registers of a crash record. Memory is read from the process while it is there, else from the copied stack and the
// mapped files. Gives an array of frames: pc, symbol, offset, file, line, module, module_offset, allocator (is it the allocator's code?).
json_t* unwind_crash(const struct crash_record* record, const struct procmaps* maps, pid_t pid, const char** problem);

// One frame. `called` is 1 for a return address: it may lie one past the end of a function whose last instruction is the call.
json_t* code_place(const struct procmaps* maps, uint64_t pc, unsigned called);
// "FUNCTION (FILE:LINE)", as much of it as is known, else "MODULE+OFFSET"; "" for NULL and for what is no code.
void code_place_text(const json_t* frame, char* out, size_t size);

// Of one thread, which is stopped by ptrace for as long as it takes.
json_t* unwind_thread(const struct procmaps* maps, pid_t thread, const char** problem);

#endif
