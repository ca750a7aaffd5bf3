// Says what an address in the heap of another process is, from that process's own tables. The process is stopped
// meanwhile. Whatever damaged it may have damaged the tables too, so every walk through them is bounded.
//
//   heap_view_open -> heap_view_find(address) -> struct heap_place -> heap_place_json
//
// Thread-safety: none needed. Errors: a view that could not be opened has the reason in `problem`; every place is then
// HEAP_UNKNOWN.
#ifndef HAKSTRESS_HEAP_VIEW_H
#define HAKSTRESS_HEAP_VIEW_H

#include "observe/ring.h"
#include "process/process_memory.h"
#include "process/procmaps.h"
#include "superslab/heap.h"

#include <jansson.h>

struct control_block {
    uint64_t address;
    uint32_t number;
};

struct heap_view {
    const char* problem;  // why the heap cannot be read; NULL: it can
    struct process_memory memory;
    const struct procmaps* maps;
    HakHeap heap;
    uint64_t link_key;
    struct control_block* control_blocks;
    size_t control_block_count;
    uint32_t copied_slab;   // the slab whose bytes are in `copy`; 0: none
    unsigned char* copy;    // of one slab, for walks along its links
    bool copy_is_complete;  // otherwise its words are read one by one
};

enum heap_kind {
    HEAP_UNKNOWN,        // the tables could not be read
    HEAP_FOREIGN,        // not the allocator's memory
    HEAP_CONTROL_BLOCK,  // of a thread
    HEAP_TABLE,
    HEAP_FREE_UNIT,  // 2 MiB that are unused
    HEAP_FREE_SLAB,
    HEAP_BLOCK,  // of a slab
    HEAP_SLAB,   // a whole slab of blocks
    HEAP_TAIL,   // of a slab, after its last block
    HEAP_RUN,    // a page run
    HEAP_FREE_PAGE,
    HEAP_HUGE,     // a huge block
    HEAP_NOTHING,  // for blocks of zero bytes: never accessible
};

enum block_state {
    BLOCK_UNKNOWN,
    BLOCK_NEVER_USED,  // not cut from its slab yet
    BLOCK_ON_FREE_LIST,
    BLOCK_ON_REMOTE_STACK,
    BLOCK_LIVE_OR_CACHED,  // the program's, or in a thread's cache
};

struct heap_place {
    enum heap_kind kind;
    uint64_t address;
    bool in_window;            // the address belongs to the allocator's part of the address space
    const char* table;         // HEAP_TABLE: which table
    uint32_t superslab, slab;  // numbers; 0: none
    bool owned, owner_is_known;
    uint32_t owner;       // thread number (HEAP_CONTROL_BLOCK: of that thread)
    uint32_t size_class;  // 0: not a slab of blocks
    uint64_t block, block_size, index, offset;
    enum block_state state;
    bool cached;  // HEAP_RUN: in its owner's cache
    uint32_t used, free_count, carved, capacity, remote;
    const char* list_damage;  // why the walk along the free list stopped early
    bool purged;              // free, and given back to the system
    bool accessible;          // mapped and readable
    bool mapped;
};

void heap_view_open(struct heap_view* view, const HakRingFile* ring, pid_t pid, const struct procmaps* maps);
// The same of a core dump.
void heap_view_open_memory(struct heap_view* view, const HakRingFile* ring, const struct process_memory* memory,
                           const struct procmaps* maps);
void heap_view_close(struct heap_view* view);

struct heap_place heap_view_find(struct heap_view* view, uint64_t address);
// For a whole slab: HEAP_SLAB, or what else it is.
struct heap_place heap_view_slab(struct heap_view* view, uint32_t slab);
// The address of a slab; 0: unknown.
uint64_t heap_view_slab_address(const struct heap_view* view, uint32_t slab);

// The thread whose control block has these bits 12 to 43 in its address. False: none was found.
bool heap_view_thread_of_bits(const struct heap_view* view, uint32_t bits, uint32_t* number);
bool heap_view_thread_of(const struct heap_view* view, uint64_t control_block, uint32_t* number);

// In words and as numbers: {"kind", "text", "slab", "class", ...}.
json_t* heap_place_json(const struct heap_place* place);

#endif
