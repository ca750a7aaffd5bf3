// The run cache: page runs that a thread freed into its own SuperSlabs and may soon want again. They count as used.
//
//   cached_pages == sum over the bins of pages * count <= RUN_CACHE_PAGES
//   long_pages == sum over long_run of pages <= RUN_LONG_PAGES
//   cached_pages + long_pages == sum over the thread's SuperSlabs of used - live
//   a run in a thread's cache is of a SuperSlab of that thread; where there is no owner, used == live
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
HAK_INLINE bool run_is_short(uint32_t pages) {
    return pages - RUN_SHORT_LEAST <= RUN_SHORT_MOST - RUN_SHORT_LEAST;
}

// By a number of pages: where the bin is whose runs hold that many, their length, and how many runs of exactly that
// many pages the bin may have (0: there is no such length).
typedef struct {
    uint16_t at;
    uint8_t length, most;
} RunBin;
extern HAK_INTERNAL const RunBin hak_run_bins[RUN_SHORT_MOST + 1];

HAK_INLINE RunCache* run_cache_of(HakTcb* me, RunBin bin) {
    return (RunCache*)(void*)((char*)me->run_cache + bin.at);
}

HAK_INLINE uint32_t run_cache_pages(unsigned bin) {
    return bin <= 8 - RUN_SHORT_LEAST ? bin + RUN_SHORT_LEAST : (bin + 1) * 2;
}

// A block's entry in the map of its SuperSlab.
typedef struct {
    RunMap* map;
    _Atomic uint16_t* length;
} RunEntry;

HAK_INLINE RunEntry run_entry(OwnedRuns runs, const void* block) {
    RunMap* map = run_map(runs);
    return (RunEntry){map, &map->length[run_page_of(block)]};
}

// Notes that a block is put into the cache, or taken out. Only this changes whether it counts as live. count:
// cached_pages or long_pages.
HAK_INLINE void run_set_cached(uint32_t* count, RunEntry entry, uint32_t pages, bool cached) {
    store_relaxed(entry.length, (uint16_t)(cached ? pages | RUN_IS_CACHED : pages));
    uint32_t change = cached ? pages : 0 - pages;
    entry.map->live = (uint16_t)(entry.map->live - change);
    *count += change;
}

// Takes a run of a bin; NULL: none.
HAK_INLINE void* run_cache_take_short(HakTcb* me, RunBin bin) {
    RunCache* cache = run_cache_of(me, bin);
    uint32_t count = cache->count;
    if (HAK_UNLIKELY(count == 0)) return NULL;
    void* block = cache->block[count - 1];
    if (block == NULL) __builtin_unreachable();  // the callers' NULL is that above
    cache->count = count - 1;
    run_set_cached(&me->cached_pages, run_entry(runs_own(me, run_first_slab(block)), block), bin.length, false);
    return block;
}

// Puts a block of `pages` pages into its bin. false: it has none, or that is full.
HAK_INLINE bool run_cache_put_short(HakTcb* me, RunEntry entry, void* block, uint32_t pages) {
    if (HAK_UNLIKELY(pages > RUN_SHORT_MOST)) return false;
    RunBin bin = hak_run_bins[pages];
    RunCache* cache = run_cache_of(me, bin);
    uint32_t count = cache->count;
    if (HAK_UNLIKELY(count >= bin.most || me->cached_pages + pages > RUN_CACHE_PAGES)) return false;
    cache->block[count] = block;
    cache->count = count + 1;
    run_set_cached(&me->cached_pages, entry, pages, true);
    return true;
}

// The same for more than RUN_SHORT_MOST pages.
void* run_cache_take_long(HakTcb* me, uint32_t pages);

HAK_INLINE bool run_cache_has_room_for_long(const HakTcb* me, uint32_t pages) {
    return me->long_count < LONG_RUNS && me->long_pages + pages <= RUN_LONG_PAGES;
}

// The caller has checked that there is room.
void run_cache_put_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages);

// Pages of a block that its owner may cache, with RUN_IS_CACHED if it is there; 0: no block starts there, or its memory
// must be closed now.
HAK_INLINE uint32_t run_pages_to_cache(RunEntry entry, const void* block) {
    if (HAK_UNLIKELY(closing_wanted() || (uintptr_t)block & (PAGE_SIZE_BYTES - 1))) return 0;
    return load_relaxed(entry.length);
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
