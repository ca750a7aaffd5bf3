// Finds the live block at an address.
// Thread-safety: none. Errors: false, if there is no memory.
#ifndef HAKSTRESS_RECORD_BLOCKS_H
#define HAKSTRESS_RECORD_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_SLOT UINT32_MAX

struct block_entry {
    uint64_t address;  // 0: none
    uint32_t slot;
};

struct blocks {
    struct block_entry* entries;
    size_t room, count;  // room is a power of two
};

bool blocks_put(struct blocks* blocks, uint64_t address, uint32_t slot);
// Removes the block; NO_SLOT: there is none.
uint32_t blocks_take(struct blocks* blocks, uint64_t address);
void blocks_free(struct blocks* blocks);

#endif
