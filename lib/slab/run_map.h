// The map of a SuperSlab of page runs: where blocks and free runs start, and how long they are.
//
//   unit:   | free run | block | block | free run | block | ...       no free run is next to another one
//   length[p] = pages of what starts at page p; with RUN_IS_CACHED: a block in a thread's cache; with RUN_IS_FREE: a
//               free run, whose last page has the same; 0: another page.
//               The last `gap` pages of a block are not its holder's, and stay closed (superslab/closed.h)
//
// Thread-safety: the owner alone, except run_pages and run_cached_pages.
// Errors: as said.
#ifndef HAK_SLAB_RUN_MAP_H
#define HAK_SLAB_RUN_MAP_H

#include "slab/ownership.h"
#include "superslab/closed.h"

enum { RUN_IS_CACHED = 0x8000, RUN_IS_FREE = 0x4000, RUN_PAGES = RUN_IS_FREE - 1 };

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

// Pages of anybody's block; 0: none starts there, or it is cached. The block's holder may ask: nobody else changes
// it.
uint32_t run_pages(const void* block);

// Pages of a block that is in its owner's cache; 0: none starts there. Anybody may ask; the answer was true at some
// time.
uint32_t run_cached_pages(const void* block);

// Pages of the block or free run that starts at `page`.
HAK_INLINE uint32_t run_map_pages_at(const RunMap* map, uint32_t page) {
    return load_relaxed(&map->length[page]) & (uint32_t)RUN_PAGES;
}

// Pages of the free run that starts at `page`, or that ends before it; 0: none does.
HAK_INLINE uint32_t run_map_free_from(const RunMap* map, uint32_t page) {
    uint32_t length = page < PAGES_PER_UNIT ? load_relaxed(&map->length[page]) : 0;
    return length & RUN_IS_FREE ? length & RUN_PAGES : 0;
}
HAK_INLINE uint32_t run_map_free_to(const RunMap* map, uint32_t page) {
    return page ? run_map_free_from(map, page - 1) : 0;
}

// Notes that a free run is there, or not any more. The caller says what is there instead.
HAK_INLINE void run_map_mark_free(RunMap* map, uint32_t page, uint32_t pages, bool is_free) {
    uint16_t length = is_free ? (uint16_t)(pages | RUN_IS_FREE) : 0;
    store_relaxed(&map->length[page], length);
    store_relaxed(&map->length[page + pages - 1], length);
}

// Begins the map of a new SuperSlab, all of which is free. clean: it reads as zero.
void run_map_init(RunMap* map, bool clean);

typedef struct {
    uint32_t page;        // where a block fits; PAGES_PER_UNIT: nowhere
    uint32_t start, end;  // the free run around it
} RunFit;

// The first place from page `first` on that holds `pages` aligned.
RunFit run_map_fit_from(const RunMap* map, uint32_t first, uint32_t pages, uint32_t align);
// Notes that the pages up to `end` are used. Returns whether they read as zero from `page` on.
HAK_INLINE bool run_map_soil(RunMap* map, uint32_t page, uint32_t end) {
    bool clean = page >= map->clean_from;
    if (end > map->clean_from) map->clean_from = (uint16_t)end;
    return clean;
}

#endif
