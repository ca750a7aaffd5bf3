// The records of guard mode: one for each block that was handed out. They are apart from the blocks, so that stray
// writes of the program do not reach them. Another process that can read this one's memory finds the record of an
// address from `hak_guard_root` by arithmetic alone:
//
//   base = root.base                                   0: nothing is recorded
//   unit = (address - base) >> 21                      the address is foreign if unit >= 2^22
//   chunk = root.chunk[unit >> 11]                     a pointer; NULL: nothing is recorded
//   table = chunk->unit[unit & 2047]                   a pointer; NULL: nothing is recorded
//   slab = (address - base) >> 16 & 31
//   size = table->slab[slab].block_size                0: nothing is recorded, or the inside of a huge block, see below
//   index = ((address - base) & 0xffff) / size         nothing is recorded if index >= 2048
//   record = table->record[slab][index]                of the block at  address - ((address - base) & 0xffff) % size
//
// `size` is the block size of a size class, 4096 in page runs, or 2^21 in the first slab of a huge block. The record of
// a page run belongs to its first page: from inside it, go back page by page to a live one. From inside a huge block,
// go back unit by unit to its first slab. Records outlive their blocks, until the slab is made anew.
// Thread-safety: `word` changes atomically and says whose the rest is (guard.c). Tables are never unmapped.
// Errors: if there is no memory for a block's record, the block is not guarded.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_GUARD_RECORD_H
#define HAK_SUPERSLAB_GUARD_RECORD_H

#include "base/atomic.h"

// The state of a block.
typedef enum {
    HAK_GUARD_NONE,         // not handed out since the slab was made, or not guarded
    HAK_GUARD_LIVE,         // the program's
    HAK_GUARD_CHANGING,     // a thread is in malloc, realloc or free with it
    HAK_GUARD_QUARANTINED,  // freed and kept back for a while; all of it is poisoned, or closed
    HAK_GUARD_FREE,         // freed, and the allocator's again; a block of a class is poisoned behind its first 8 bytes
    HAK_GUARD_CHECKED,      // the program's, and hak_check looks at it (blocks on pages of their own alone)
} HakGuardState;

// The function family that it came from.
typedef enum { HAK_GUARD_MALLOC = 1, HAK_GUARD_NEW, HAK_GUARD_NEW_ARRAY } HakGuardFamily;

typedef struct {
    _Atomic uint64_t word;               // state | family << 8 | bytes asked for << 16
    uint32_t alloc_thread, free_thread;  // thread numbers; 0: a thread without a TCB
    uint32_t alloc_stack, free_stack;    // numbers in the table of stacks (stack/stack_table.h); 0: none
    uint64_t alloc_site, free_site;      // return addresses of the calls, with which the stacks begin
    uint64_t alloc_clock, free_clock;    // as in the debug ring
    uint64_t unused;                     // to 64 bytes
} HakGuardRecord;

enum {
    HAK_GUARD_UNIT_SLABS = 32,
    HAK_GUARD_SLAB_RECORDS = 2048,  // guarded blocks take 32 bytes or more
    HAK_GUARD_CHUNK = 2048,         // units in a chunk, and chunks
    HAK_GUARD_PAGE = 4096,
    HAK_GUARD_HUGE = 1 << 21,
};

typedef struct {
    _Atomic uint32_t block_size;
    _Atomic uint32_t used;  // records from here on are untouched
} HakGuardSlab;

typedef struct {
    HakGuardSlab slab[HAK_GUARD_UNIT_SLABS];
    uint8_t pad[HAK_GUARD_PAGE - HAK_GUARD_UNIT_SLABS * sizeof(HakGuardSlab)];
    HakGuardRecord record[HAK_GUARD_UNIT_SLABS][HAK_GUARD_SLAB_RECORDS];
} HakGuardUnit;

typedef struct {
    _Atomic(HakGuardUnit*) unit[HAK_GUARD_CHUNK];
} HakGuardChunk;

#define HAK_GUARD_MAGIC UINT64_C(0x3144524147484b48)
#define HAK_GUARD_VERSION 3u

typedef struct {
    uint64_t magic;
    uint32_t version;
    uint32_t record_bytes;  // sizeof(HakGuardRecord)
    _Atomic uint64_t base;  // address of unit 0
    _Atomic(HakGuardChunk*) chunk[HAK_GUARD_CHUNK];
    _Atomic(struct HakPageRoot*) pages;  // blocks on pages of their own (superslab/page_record.h); NULL: none
    // Where the address of the newest TCB is, from which next_all leads to all others (thread/tcb.h); NULL: no TCB yet.
    _Atomic(const void*) threads;
} HakGuardRoot;

_Static_assert(sizeof(HakGuardRecord) == 64 && sizeof(HakGuardSlab) == 8 && offsetof(HakGuardUnit, record) == 4096 &&
                   offsetof(HakGuardRoot, chunk) == 24,
               "readers in other processes rely on the layout");

HAK_INLINE HakGuardState guard_state(uint64_t word) {
    return (HakGuardState)(word & 0xff);
}

HAK_INLINE HakGuardFamily guard_family(uint64_t word) {
    return (HakGuardFamily)(word >> 8 & 0xff);
}

HAK_INLINE size_t guard_size(uint64_t word) {
    return (size_t)(word >> 16);
}

HAK_INLINE uint64_t guard_word(HakGuardState state, HakGuardFamily family, size_t size) {
    return (uint64_t)state | (uint64_t)family << 8 | (uint64_t)size << 16;
}

HAK_INLINE uint64_t guard_with_state(uint64_t word, HakGuardState state) {
    return (word & ~UINT64_C(0xff)) | (uint64_t)state;
}

#if HAK_CHECKED
extern HAK_INTERNAL HakGuardRoot hak_guard_root;

typedef struct {
    HakGuardRecord* record;  // NULL: none
    char* block;             // the block that the record is of
    HakGuardSlab* slab;
    uint32_t block_size;  // of the slab, as above
    uint32_t index;
} GuardPlace;

// The record of any address.
GuardPlace guard_place(const void* p);

// Forgets the records of a slab's former blocks when it is made. block_size 0: a SuperSlab of page runs, named by its
// first slab. The owner calls this.
void guard_slab_made(uint32_t slab, uint32_t block_size);
// As guard_place, for a block that is being handed out. Makes the tables if they are missing.
GuardPlace guard_place_new(const void* block);
// Notes that the units from `unit` on are a huge block.
void guard_huge_made(uint32_t unit, uint32_t units);
#else
HAK_INLINE void guard_slab_made(uint32_t slab, uint32_t block_size) {
    (void)slab, (void)block_size;
}
#endif
#endif
