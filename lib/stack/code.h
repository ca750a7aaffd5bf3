// The unwind tables of the program or library that a place in the code belongs to.
// Thread-safety: any thread, and signal handlers: no lock, no malloc.
// Errors: false where there are none, or where the C library cannot tell without a lock (glibc before 2.35).
#ifndef HAK_STACK_CODE_H
#define HAK_STACK_CODE_H

#include "stack/cfi.h"

bool code_tables(uintptr_t pc, CfiTables* tables);

#endif
