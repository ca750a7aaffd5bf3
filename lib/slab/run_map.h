// The map of a SuperSlab of page runs: which pages are free, where blocks start and how long they are.
//
//   unit:   | page 0 | page 1 | ... | page 511 |          free bit 1: the page belongs to nobody
//   length[p] = pages of the block that starts at page p (0: none), with RUN_IS_CACHED while a thread's cache has it;
//               its last `gap` pages are not the block's holder's, and stay closed (superslab/closed.h)
//   longest == length of the longest run of set bits
//
// Thread-safety: the owner alone, except run_pages.
// Errors: as said.
#ifndef HAK_SLAB_RUN_MAP_H
#define HAK_SLAB_RUN_MAP_H

#include "slab/ownership.h"
#include "superslab/closed.h"

enum { RUN_IS_CACHED = 0x8000 };

// A SuperSlab of page runs, in the hands of its owner. Its first slab stands for all of it.
typedef struct {
    OwnedSlab head;
} OwnedRuns;

HAK_INLINE OwnedRuns runs_of(OwnedSlab slab) {
    return (OwnedRuns){slab};
}

HAK_INLINE OwnedRuns runs_own(const HakTcb* me, SlabNumber s) {
    return runs_of(slab_own(me, s));
}

HAK_INLINE OwnedRuns runs_if_mine(const HakTcb* me, SlabNumber s) {
    return runs_of(slab_if_mine(me, s, TAG_RUNS));
}

// The map of the SuperSlab whose first slab is s. Only the owner writes it.
HAK_INLINE RunMap* run_map_at(SlabNumber s) {
    return &hak_heap.unit_meta[unit_of_slab(s)].runs.map;
}

HAK_INLINE RunMap* run_map(OwnedRuns runs) {
    return run_map_at(runs.head.number);
}

// Its pages, as closed.h takes them.
HAK_INLINE RunPages run_pages_of(SlabNumber s) {
    return (RunPages){unit_of_slab(s), run_map_at(s)->closed};
}

HAK_INLINE uint32_t run_page_of(const void* p) {
    return (uint32_t)(((uintptr_t)p - hak_heap.base) >> PAGE_SHIFT) % PAGES_PER_UNIT;
}

HAK_INLINE SlabNumber run_first_slab(const void* p) {
    return first_slab(unit_of_slab((SlabNumber)slab_number_of(p)));
}

// Pages of anybody's block; 0: no block starts there, or it is cached. The block's holder may ask: nobody else changes
// it.
uint32_t run_pages(const void* block);

// Pages of a block that is in its owner's cache; 0: none starts there. Anybody may ask; the answer was true at some
// time.
uint32_t run_cached_pages(const void* block);

// Marks all pages of a new map free. clean: they read as zero.
void run_map_init(RunMap* map, bool clean);

typedef struct {
    uint32_t page;        // PAGES_PER_UNIT: none fits
    uint32_t start, end;  // the free run around it
    uint32_t longest_other;
} RunFit;

// Finds the shortest free run that holds `pages` aligned, and the longest of all others.
RunFit run_map_fit(const RunMap* map, uint32_t pages, uint32_t align);
// The first free run from page `first` on that holds `pages` aligned.
RunFit run_map_fit_from(const RunMap* map, uint32_t first, uint32_t pages, uint32_t align);
// Whether the pages read as zero.
bool run_map_is_clean(const RunMap* map, uint32_t page, uint32_t pages);
void run_map_occupy(RunMap* map, uint32_t page, uint32_t pages);
// Frees pages. Returns the length of the free run that they are now part of.
uint32_t run_map_release(RunMap* map, uint32_t page, uint32_t pages);
// Number of free pages from `page` on.
uint32_t run_map_free_from(const RunMap* map, uint32_t page);
uint16_t run_map_longest(const RunMap* map);

#endif
