// What guard mode recorded about a block, read from the memory of another process (superslab/guard_record.h).
// Thread-safety: none needed. Errors: false if nothing is known about the address.
#ifndef HAKSTRESS_BLOCK_RECORD_H
#define HAKSTRESS_BLOCK_RECORD_H

#include "superslab/guard_record.h"
#include "process/process_memory.h"

struct block_record {
    uint64_t block;
    HakGuardRecord record;
};

// For the block that contains `address`, or was the last to contain it. `root` is the address of the process's
// HakGuardRoot; 0: none.
bool block_record_find(const struct process_memory* memory, uint64_t root, uint64_t address, struct block_record* out);

// Freed, and not handed out again since.
bool block_record_is_dead(const struct block_record* record);

#endif
