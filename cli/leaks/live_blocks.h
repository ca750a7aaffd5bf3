// The blocks that a stopped process has not freed, from the records of guard mode (superslab/guard_record.h,
// superslab/page_record.h), and which of them an address lies in.
// Thread-safety: none needed. Errors: live_blocks_read() returns false if there are no records, or no memory here.
#ifndef HAKSTRESS_LIVE_BLOCKS_H
#define HAKSTRESS_LIVE_BLOCKS_H

#include "process/process_memory.h"

enum block_class { BLOCK_UNREACHED, BLOCK_REACHABLE, BLOCK_INDIRECT, BLOCK_DEFINITE, BLOCK_CLASSES };

struct live_block {
    uint64_t start, size;  // as asked for
    uint64_t site;         // return address of the call that allocated it
    uint32_t stack;        // its number (stack/stack_table.h); 0: unknown
    uint8_t class;         // enum block_class
    bool inherited;        // allocated by the process that forked this one
    bool ends_behind;      // a pointer to the byte behind it counts
};

enum { BLOCK_NONE = UINT32_MAX };

struct live_blocks {
    struct live_block* blocks;  // sorted by address
    size_t count, room;
    bool failed;       // no memory
    uint32_t** pages;  // see live_blocks.c
};

// `root` is the address of the process's HakGuardRoot. Blocks allocated before `since`, a clock value as in the ring,
// are inherited.
bool live_blocks_read(struct live_blocks* live, const struct process_memory* memory, uint64_t root, uint64_t since);
void live_blocks_free(struct live_blocks* live);

// The number of the block that an address lies in, as leak checks count: a block of zero bytes has one byte.
uint32_t live_blocks_find(const struct live_blocks* live, uint64_t address);
// The first address that is no longer in the block.
uint64_t live_block_end(const struct live_block* block);

#endif
