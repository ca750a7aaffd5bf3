// The heap window and its tables.
//
//   window:  | tables: owner, meta, remote, unit | unit 0 | unit 1 | unit 2 | ... | not yet mapped ...
//                                                  base     base + 2 MiB            base + units * 2 MiB
//
// A hole of address space is chosen once. Memory and tables are mapped into it from the bottom up, so nothing is
// reserved ahead of need, and one comparison tells own from foreign addresses. Tables are never unmapped: any stale
// slab number may be looked up, and a word of 0 there means "not a slab".
// Thread-safety: reading tables as said at each; growing under heap_lock.
// Errors: false or 0 if the system gives no memory.
#ifndef HAK_SUPERSLAB_HEAP_H
#define HAK_SUPERSLAB_HEAP_H

#include "base/atomic.h"
#include "base/lock.h"
#include "superslab/geometry.h"

// One slab of blocks of one size. All fields are the owner's, with these exceptions: while the slab is in the registry,
// the registry's lock guards `next` and `prev`; anybody may read `blocks` and `carved` for statistics. slab/meta.h says
// who may reach a meta.
//
//   used + free + (capacity - carved) == capacity                blocks: handed out, on the freelist, never cut yet
//   (handed out: live, in a TLS SLL, parked, in a bundle or on the remote stack)
//
//   slab:  | block 0 | block 1 | ...  carved - 1 | never touched by the allocator ... | tail < block size |
typedef struct {
    void* freelist;  // links are encoded, see thread/link.h
    // used: lower half (page runs: pages handed out, or in the owner's cache). free: upper half (page runs: 0).
    _Atomic uint32_t blocks;
    _Atomic uint16_t carved;  // blocks cut so far
    uint16_t capacity;        // blocks that fit
    uint32_t block_size;      // bytes
    SlabNumber next, prev;    // the owner's list, or the registry's
    uint16_t size_class;      // CLASS_OF_RUNS: the first slab of a SuperSlab of page runs
    uint8_t where;            // SlabPlace
    uint8_t in_registry;
    uint8_t clean;  // blocks that were never cut read as zero; page runs: all of it did when it was made
    uint8_t pad[23];
} HAK_ALIGNED(HAK_CACHE_LINE) TinySlabMeta;
_Static_assert(sizeof(TinySlabMeta) == HAK_CACHE_LINE, "one line a slab");

enum { BLOCKS_FREE_SHIFT = 16 };

HAK_INLINE uint32_t meta_used(const TinySlabMeta* meta) {
    return load_relaxed(&meta->blocks) & ((1u << BLOCKS_FREE_SHIFT) - 1);
}

HAK_INLINE uint32_t meta_free(const TinySlabMeta* meta) {
    return load_relaxed(&meta->blocks) >> BLOCKS_FREE_SHIFT;
}

// Changes both counts at once: a free costs one store.
HAK_INLINE void meta_count(TinySlabMeta* meta, int32_t used, int32_t free) {
    bump_single_writer(&meta->blocks, (uint32_t)used + ((uint32_t)free << BLOCKS_FREE_SHIFT));
}

// A SuperSlab of page runs, for its owner (slab/run_map.h).
enum { RUN_WORDS = PAGES_PER_UNIT / 64, RUN_PAGES_PER_LINK = 6 };

// A free run's place in its owner's list of that length (slab/free_runs.h).
typedef struct {
    uint32_t next, prev;
} RunLink;

typedef struct {
    uint64_t closed[RUN_WORDS];               // see closed.h
    _Atomic uint16_t length[PAGES_PER_UNIT];  // pages of the block or free run that starts there
    uint16_t live;                            // pages handed out, without those in the owner's cache
    uint16_t clean_from;                      // pages from this one on read as zero
    uint16_t gap;                             // 1: free pages are closed, and so is the last one of each block
    uint16_t next;                            // if gap: the page behind the run that was taken last
    // By page / 6: a listed run has five pages or more, and the page behind it is in use.
    RunLink link[PAGES_PER_UNIT / RUN_PAGES_PER_LINK + 1];
} RunMap;

// A unit's part of the table of metas. In a SuperSlab of page runs the meta of the first slab stands for all of it, and
// the map takes the place of the others.
typedef union {
    TinySlabMeta slab[SLABS_PER_UNIT];
    struct {
        TinySlabMeta head;
        RunMap map;
    } runs;
} UnitMeta;
_Static_assert(sizeof(UnitMeta) == SLABS_PER_UNIT * sizeof(TinySlabMeta),
               "the map fits the metas that runs do not use");

// For anybody: the slab's remote stack (slab/remote.h). It has its own cache line, because others write it.
typedef struct {
    _Atomic uint64_t word;
} HAK_ALIGNED(HAK_CACHE_LINE) RemoteHead;

typedef enum {
    UNIT_NONE,
    UNIT_FREE,
    UNIT_SLABS,
    UNIT_RUNS,
    UNIT_HUGE,
    UNIT_HUGE_REST,
    UNIT_LOST,
    UNIT_CLOSED
} UnitKind;

// One unit. heap_lock guards all fields. The holder of a huge block also reads `size` and writes `dirty` without it.
typedef struct {
    uint8_t kind;           // UnitKind
    uint8_t dirty;          // 1: may hold pages that are resident or not zero
    uint8_t huge_pages;     // 1: huge pages were asked for
    uint8_t moved;          // 1: pages were moved here; the mapping no longer merges with its neighbours
    uint8_t absent;         // 1: not mapped (in a unit that is free, or about to be)
    uint16_t cut;           // mapped pages; UNIT_HUGE: of the block's last unit; UNIT_LOST: of this unit; 0: all
    uint32_t length;        // units; valid in the first unit of a free run or huge block, and in the last of a free run
    UnitNumber next, prev;  // free runs of one length, or SuperSlabs with free slabs
    uint32_t free_slabs;    // UNIT_SLABS: bit i: slab i is free
    uint32_t dirty_slabs;   // UNIT_SLABS: bit i: slab i was used since the system gave its memory
    uint64_t freed_ms;      // free and dirty: since when; UNIT_SLABS: when the system last refused to take a slab back
    size_t size;            // UNIT_HUGE: usable bytes
    uint32_t closed_slabs;  // see closed.h
    uint32_t gap_slabs;     // UNIT_SLABS: bit i: slab i is never taken (free_slabs.h)
} HAK_ALIGNED(HAK_CACHE_LINE) Unit;
_Static_assert(sizeof(Unit) == HAK_CACHE_LINE, "one line a unit");

typedef struct {
    uintptr_t base;               // address of unit 0, which is never mapped; 0: no heap yet
    _Atomic uintptr_t slabs;      // slab numbers below this may be looked up
    _Atomic uintptr_t hit_slabs;  // the same for a free that is a hit; 0: none is (front/zero.h)
    _Atomic uint64_t* owner;      // by slab number: owner word (superslab/owner_word.h)
    union {
        TinySlabMeta* meta;   // by slab number
        UnitMeta* unit_meta;  // the same table, by unit number
    };
    RemoteHead* remote;
    Unit* unit;           // by unit number
    UnitNumber tabled;    // units that the tables cover
    UnitNumber mapped;    // units in use or free, and unit 0; from here on they were never mapped
    UnitNumber gaps;      // of these: left out because something else is mapped there
    UnitNumber absent;    // of these: free and not mapped at present
    UnitNumber capacity;  // units that fit the window
} HakHeap;

extern HAK_INTERNAL HakHeap hak_heap;
extern HAK_INTERNAL HakLock heap_lock;

// Chooses the window and maps the first part of the tables. Idempotent. false: no memory. Takes heap_lock.
bool heap_init(void);
// From now on no free is a hit.
void heap_stop_hits(void);
// As heap_init, before the first block is asked for, and touches the first page of each table. What fails is done again
// when it is needed.
void heap_prepare(void);
typedef struct {
    UnitNumber first, length;  // length 0: none
} UnitRange;

// Maps at least `units` more units at the end. Under heap_lock.
UnitRange heap_grow(UnitNumber units);
// Adds exactly `units` at the end without mapping them. Under heap_lock. 0: no room for their tables.
UnitNumber heap_extend(UnitNumber units);
// Maps units of the window again. *occupied: something else is mapped there. Under heap_lock.
bool heap_map(UnitNumber first, UnitNumber length, bool* occupied);
// Takes the unit out of use for ever, because something else is mapped there. Under heap_lock.
void heap_leave_gap(UnitNumber u);
// Counts the gaps anew, after units of any kind became UNIT_NONE. Under heap_lock.
void heap_count_gaps(void);
// In a copy of the process, where a thread may have been cut off after it mapped part of a table and before it noted
// that: unmaps that part, which nobody uses yet.
void heap_forget_tries(void);
// Bytes mapped for the tables. Under heap_lock.
size_t heap_table_bytes(void);

// Units mapped for blocks. Under heap_lock.
HAK_INLINE UnitNumber heap_units(void) {
    return hak_heap.mapped ? hak_heap.mapped - 1 - hak_heap.gaps - hak_heap.absent : 0;
}

HAK_INLINE void* slab_address(SlabNumber s) {
    return (void*)(hak_heap.base + ((uintptr_t)s << SLAB_SHIFT));
}

HAK_INLINE void* unit_address(UnitNumber u) {
    return (void*)(hak_heap.base + ((uintptr_t)u << UNIT_SHIFT));
}

// Slab number of any address; >= hak_heap.slabs if the address is foreign.
HAK_INLINE uintptr_t slab_number_of(const void* p) {
    return ((uintptr_t)p - hak_heap.base) >> SLAB_SHIFT;
}

HAK_INLINE bool heap_contains(const void* p) {
    return slab_number_of(p) < load_relaxed(&hak_heap.slabs);
}

#endif
