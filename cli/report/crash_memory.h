// Memory of a crashed process, as far as it can be had: from the copied stack, from the process while it exists, and
// from the files that it had mapped.
// Thread-safety: none needed. Errors: false: the word cannot be had.
#ifndef HAKSTRESS_CRASH_MEMORY_H
#define HAKSTRESS_CRASH_MEMORY_H

#include "observe/crash_record.h"
#include "process/procmaps.h"

#include <stdbool.h>

struct crash_memory {
    const CrashRecord* record;
    const struct procmaps* maps;
    int process;  // /proc/PID/mem, or -1
};

bool crash_memory_word(const struct crash_memory* memory, uint64_t address, uint64_t* value);

#endif
