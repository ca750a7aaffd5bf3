// The memory map of a process, parsed from the text of /proc/PID/maps.
// Thread-safety: none needed. Errors: invalid lines are left out.
#ifndef HAKSTRESS_PROCMAPS_H
#define HAKSTRESS_PROCMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
    uint64_t start, end, offset;
    char permissions[5];
    char path[256];  // "" for anonymous memory
};

struct procmaps {
    struct mapping* mappings;  // sorted by address
    size_t count;
};

bool procmaps_parse(struct procmaps* maps, const char* text, size_t bytes);
bool procmaps_read(struct procmaps* maps, pid_t pid);
void procmaps_free(struct procmaps* maps);
const struct mapping* procmaps_find(const struct procmaps* maps, uint64_t address);  // NULL: nothing is mapped there

#endif
