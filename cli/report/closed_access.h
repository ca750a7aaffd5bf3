// Is an access that the processor refused one to closed memory of the heap? Told from the memory of a stopped process.
// Thread-safety: none needed. Errors: NULL if the process cannot be read.
#ifndef HAKSTRESS_CLOSED_ACCESS_H
#define HAKSTRESS_CLOSED_ACCESS_H

#include "observe/ring.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct closed_access {
    pid_t thread;
    uint64_t address, pc;
    const uint64_t* registers;  // they may tell two neighbours apart
    size_t register_count;
};

// "5 bytes into the 24-byte block 0x..., which was freed", or the place in the heap. NULL: it is no such access.
json_t* closed_access_what(const struct closed_access* access, const HakRingFile* ring);
// The code that made it; NULL: not known.
json_t* closed_access_where(const struct closed_access* access);

#endif
