// A page for every block (HAKMEM_PAGES, checked build): the address space for it, and the records of the blocks there.
// It is apart from the heap window.
//
//   region | extent of 256 pages | extent | extent ... not mapped yet      made from the bottom up
//   extent | slot | slot | ...          all of one length; or part of a huge block, which takes whole extents
//   slot   HAKMEM_PAGES=end    | closed | block, its end at the end of a page | closed page |
//          HAKMEM_PAGES=start  | closed page | block, its start at the start of a page | closed |
//
// Another process that can read this one's memory finds the record of an address by arithmetic alone. It begins at
// hak_guard_root (superslab/guard_record.h), whose `pages` leads to the root here:
//
//   extent = (address - root.base) >> (root.page_shift + 8)    the address is foreign if extent >= root.extents
//   chunk = root.chunk[extent >> 8]                            a pointer; NULL: nothing is recorded
//   e = chunk->extent[extent & 255]                            e.stride == 0: nothing is recorded
//   if e.back: extent -= e.back, chunk and e anew              the inside of a huge block; again e.back: nothing
//   page = (address - root.base >> root.page_shift) - extent * 256       nothing is recorded if page >= e.pages
//   record = &chunk->record[extent & 255][page / e.stride]
//
// A record outlives its block, until its slot is handed out again.
// Thread-safety: `word` of a record changes atomically and says whose the rest is (guard/pages.c). An extent's members
// change only while no block is there. Chunks are never unmapped.
// Errors: none.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_PAGE_RECORD_H
#define HAK_SUPERSLAB_PAGE_RECORD_H

#include "superslab/guard_record.h"

enum {
    HAK_PAGES_EXTENT = 256,  // pages in an extent
    HAK_PAGES_SLOTS = 128,   // slots in an extent, at most
    HAK_PAGES_CHUNK = 256,   // extents in a chunk
    HAK_PAGES_CHUNKS = 16384,
    HAK_PAGES_SHARDS = 16,
};

typedef struct HakPageRecord {
    HakGuardRecord guard;
    _Atomic uint64_t start;               // address of the block
    _Atomic(struct HakPageRecord*) next;  // in a list of freed slots
    uint8_t by_protection;                // 1: it is closed by its access rights; 0: by guards in the page table
    uint8_t pad[3];
    uint32_t generation;  // forks before its last opening
    uint8_t pad2[8];
} HakPageRecord;

typedef struct {
    _Atomic uint32_t stride;  // pages in a slot, or in all of a huge block; 0: unused
    _Atomic uint32_t pages;   // that belong to slots
    _Atomic uint32_t back;    // extents from here to the first one of the huge block
    _Atomic uint32_t state;   // superslab/page_extent.h
    uint8_t shard;            // that hands out its slots
    uint8_t free;             // 1: free for any use; its members are of its last use
    uint8_t by_rights;        // 1: its slots are closed by access rights, and `state` is kept
    uint8_t pad[13];
} HakPageExtent;

typedef struct {
    HakPageExtent extent[HAK_PAGES_CHUNK];
    HakPageRecord record[HAK_PAGES_CHUNK][HAK_PAGES_SLOTS];
} HakPageChunk;

// What became of the blocks that were asked for.
typedef struct {
    _Atomic uint64_t covered;  // they got pages of their own
    _Atomic uint64_t passed;   // they are guarded as without HAKMEM_PAGES
    uint8_t pad[48];
} HakPageCount;

#define HAK_PAGES_MAGIC UINT64_C(0x3153454741504b48)
#define HAK_PAGES_VERSION 1u

typedef struct HakPageRoot {
    uint64_t magic;
    uint32_t version;
    uint32_t record_bytes;     // sizeof(HakPageRecord)
    _Atomic uint64_t base;     // address of the first extent
    _Atomic uint32_t extents;  // made so far
    uint32_t page_shift;       // log2 of the bytes of a page
    uint32_t at_start;         // 1: HAKMEM_PAGES=start
    uint32_t by_guards;        // 1: the system can close pages in the page table (MADV_GUARD_INSTALL)
    _Atomic uint64_t yielded;  // blocks whose closed neighbours were opened, because mappings ran out
    uint64_t pad[2];
    HakPageCount count[HAK_PAGES_SHARDS];
    _Atomic(HakPageChunk*) chunk[HAK_PAGES_CHUNKS];
} HakPageRoot;

_Static_assert(sizeof(HakPageRecord) == sizeof(HakGuardRecord) + 32 && sizeof(HakPageExtent) == 32 &&
                   offsetof(HakPageRoot, count) == 64 && sizeof(HakPageCount) == 64 &&
                   offsetof(HakPageRoot, base) == 16,
               "readers in other processes rely on the layout");

#endif
