// Page runs: blocks of more than 8 KiB up to 1 MiB, each a run of pages in a SuperSlab that one thread owns. The SuperSlab is owned,
// published, adopted and freed into like a slab; its first slab's owner word, meta and remote stack stand for the whole.
//
//   unit:   | page 0 | page 1 | ... | page 511 |          free bit 1: the page belongs to nobody
//   length[p] = pages of the block that starts at page p (0: none starts there), with RUN_IS_CACHED while a thread's cache has it
//   cached_pages == sum over the cache of pages * count <= RUN_CACHE_PAGES
//   used == pages of all blocks == 512 - (set bits of `free`)
//   longest == length of the longest run of set bits
//
// The map lies over the 31 unused TinySlabMeta of the unit.
// Thread-safety: the owner alone. Errors: NULL or false when no run is free; what memory that is not there means is the caller's.
#ifndef HAK_SLAB_RUN_H
#define HAK_SLAB_RUN_H

#include "slab/ownership.h"

enum { RUN_WORDS = PAGES_PER_UNIT / 64 };

typedef struct {
    uint64_t free[RUN_WORDS];
    uint64_t dirty[RUN_WORDS];  // bit 1: the page may hold something else than zeros
    _Atomic uint16_t length[PAGES_PER_UNIT];
    uint16_t longest;
} RunMap;
_Static_assert(sizeof(RunMap) <= (SLABS_PER_UNIT - 1) * sizeof(TinySlabMeta),
               "the map fits the metas that runs do not use");

typedef struct {
    void* block;
    bool zero;  // all of it reads as zero
} Run;

// Makes the map of a new SuperSlab of page runs, and its owner words but the first.
void run_map_init(SlabNumber s, bool clean);
// Before it is given back: these words name no slab any more.
void run_map_clear(SlabNumber s);
// A run of `pages` pages in one of the thread's SuperSlabs, its address a multiple of `align` pages. block NULL: none has one free.
Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align);
// Takes what others freed into the thread's SuperSlabs, of which it looks at `look_at`. true: something was there.
bool run_absorb(HakTcb* me, uint32_t look_at);
// Run lengths that are cached: 1..8 pages, then four per doubling up to RUN_CACHED_MOST. Such a length, given pages; others as is.
HAK_INLINE uint32_t run_cached_length(uint32_t pages) {
    if (pages <= 8 || pages > RUN_CACHED_MOST) return pages;
    return (uint32_t)align_up(pages, UINT64_C(1) << (log2_floor(pages - 1) - 2));
}

// The owner frees one block: into its cache of runs where there is room, else as run_free_chain does.
void run_free_local(HakTcb* me, OwnedSlab slab, void* block);
// A cached run of exactly `pages` pages; NULL: none.
void* run_cache_take(HakTcb* me, uint32_t pages);
// Gives the cached runs back to their SuperSlabs.
void run_cache_flush(HakTcb* me);
// Gives the pages of `count` chained blocks back.
void run_free_chain(HakTcb* me, OwnedSlab slab, void* first, uint32_t count);
// Pages of the block; 0: no block starts there.
uint32_t run_pages(const void* block);
// Grows or shrinks a block of an own SuperSlab where it stands.
bool run_resize(HakTcb* me, OwnedSlab slab, void* block, uint32_t pages);
bool run_has_space(OwnedSlab slab);
// The list of the owner that a SuperSlab belongs to by its longest run.
SlabNumber* run_list(HakTcb* me, OwnedSlab slab);
size_t run_check(SlabNumber s);  // as slab_check

#endif
