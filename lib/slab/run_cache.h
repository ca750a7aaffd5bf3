// The run cache: page runs that a thread freed into its own SuperSlabs and may soon want again. They count as used.
//
//   cached_pages == sum over the cache of pages * count == sum over the thread's SuperSlabs of cached
//   cached_pages - long_pages <= RUN_CACHE_PAGES, long_pages == sum over long_run of pages <= RUN_LONG_PAGES
//   a run in a thread's cache is of a SuperSlab of that thread; where there is no owner, cached == 0
//
// Thread-safety: the calling thread, for itself.
// Errors: NULL or false: there is none, or no room.
#ifndef HAK_SLAB_RUN_CACHE_H
#define HAK_SLAB_RUN_CACHE_H

#include "slab/run.h"

enum { RUN_CACHE_PAGES = 512, RUN_CACHE_PAGES_EACH = 128, RUN_LONG_PAGES = 256 };

// Lengths of runs: 1..8 pages, then four per doubling up to RUN_SHORT_MOST; above, any. Returns the least that is at
// least `pages`.
HAK_INLINE uint32_t run_length(uint32_t pages) {
    if (pages <= 8 || pages > RUN_SHORT_MOST) return pages;
    return (uint32_t)align_up(pages, UINT64_C(1) << (log2_floor(pages - 1) - 2));
}

// The next length above that of a short run, except the longest.
HAK_INLINE uint32_t run_next_length(uint32_t pages) {
    return run_length(pages + 1);
}

// A short run has a bin. 5..8 pages: bins 0..3; 10, 12, 14, 16: bins 4..7. Shorter runs exist only for alignment.
_Static_assert(RUN_SHORT_LEAST* PAGE_SIZE_BYTES > SMALL_MAX, "what is smaller is a block of a class");
_Static_assert(RUN_SHORT_MOST / 2 - 1 == RUN_CACHE_BINS - 1, "the longest cached run has the last bin");
HAK_INLINE bool run_is_short(uint32_t pages) {
    return pages - RUN_SHORT_LEAST <= RUN_SHORT_MOST - RUN_SHORT_LEAST;
}

HAK_INLINE unsigned run_cache_bin(uint32_t pages) {
    return pages <= 8 ? pages - RUN_SHORT_LEAST : pages / 2 - 1;
}

HAK_INLINE uint32_t run_cache_pages(unsigned bin) {
    return bin <= 8 - RUN_SHORT_LEAST ? bin + RUN_SHORT_LEAST : (bin + 1) * 2;
}

// Notes that a block is put into the cache, or taken out. Only this changes `cached`.
HAK_INLINE void run_set_cached(HakTcb* me, OwnedRuns runs, const void* block, uint32_t pages, bool cached) {
    RunMap* map = run_map(runs);
    store_relaxed(&map->length[run_page_of(block)], (uint16_t)(cached ? pages | RUN_IS_CACHED : pages));
    uint32_t change = cached ? pages : 0 - pages;
    map->cached = (uint16_t)(map->cached + change);
    me->cached_pages += change;
    me->runs_used++;
}

// Takes a short cached run of exactly `pages` pages; NULL: none.
HAK_INLINE void* run_cache_take_short(HakTcb* me, uint32_t pages) {
    RunCache* cache = &me->run_cache[run_cache_bin(pages)];
    if (cache->count == 0) return NULL;
    void* block = cache->block[--cache->count];
    run_set_cached(me, runs_own(me, run_first_slab(block)), block, pages, false);
    return block;
}

HAK_INLINE bool run_cache_put_short(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages) {
    RunCache* cache = &me->run_cache[run_cache_bin(pages)];
    if (cache->count == RUN_CACHE_BLOCKS || (cache->count + 1) * pages > RUN_CACHE_PAGES_EACH ||
        me->cached_pages - me->long_pages + pages > RUN_CACHE_PAGES)
        return false;
    cache->block[cache->count++] = block;
    run_set_cached(me, runs, block, pages, true);
    return true;
}

// The same for more than RUN_SHORT_MOST pages.
void* run_cache_take_long(HakTcb* me, uint32_t pages);

HAK_INLINE bool run_cache_has_room_for_long(const HakTcb* me, uint32_t pages) {
    return me->long_count < LONG_RUNS && me->long_pages + pages <= RUN_LONG_PAGES;
}

// The caller has checked that there is room.
void run_cache_put_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages);

// Pages of a block that its owner may cache; 0: no block starts there, or its memory must be closed now.
HAK_INLINE uint32_t run_pages_to_cache(OwnedRuns runs, const void* block) {
    if (closing_on() || run_map(runs)->gap) return 0;
    return (uintptr_t)block & (PAGE_SIZE_BYTES - 1) ? 0 : load_relaxed(&run_map(runs)->length[run_page_of(block)]);
}

// The SuperSlab in `idle_runs`, if it is still the thread's and idle.
HAK_INLINE OwnedRuns runs_idle_one(const HakTcb* me) {
    OwnedRuns runs = runs_if_mine(me, me->idle_runs);
    return runs.head.number && runs_is_idle(runs) ? runs : (OwnedRuns){{0}};
}

// Takes the long run that was freed longest ago; NULL: none.
void* run_cache_take_oldest_long(HakTcb* me);
// Takes any short run; NULL: none.
void* run_cache_take_any_short(HakTcb* me);
// Gives the cached runs of one SuperSlab back to it.
void run_cache_drop(HakTcb* me, OwnedRuns runs);

#endif
