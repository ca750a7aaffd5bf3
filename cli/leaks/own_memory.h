// The memory of the allocator itself in another process: what lies there holds no block. That is the heap with its free
// blocks, the tables, the records, the debug ring, and the library's variables.
// Thread-safety: none needed. Errors: what cannot be read is missing.
#ifndef HAKSTRESS_OWN_MEMORY_H
#define HAKSTRESS_OWN_MEMORY_H

#include "leaks/ranges.h"
#include "observe/ring.h"
#include "process/procmaps.h"

struct own_memory {
    const char* library;  // path of the library
    const char* folder;   // in which the rings of the processes are; "": none
    const HakRingFile* ring;
    uint64_t ring_address;  // in the process, if the ring is in no folder
};

// Adds the ranges. `thread` is a stopped thread of the process.
void own_memory_find(const struct own_memory* own, pid_t thread, const struct procmaps* maps, struct ranges* ranges);

#endif
