// Page runs: blocks of more than 16 KiB up to 1 MiB, each a run of pages in a SuperSlab that one thread owns. The SuperSlab is owned,
// published, adopted and freed into like a slab; its first slab's owner word, meta and remote stack stand for the whole.
//
//   unit:   | page 0 | page 1 | ... | page 511 |          free bit 1: the page belongs to nobody
//   length[p] = pages of the block that starts at page p (0: none starts there), with RUN_IS_CACHED while a thread's cache has it
//   cached_pages == sum over the cache of pages * count == sum over the thread's SuperSlabs of cached
//   cached_pages - long_pages <= RUN_CACHE_PAGES, long_pages == sum over long_run of pages <= RUN_LONG_PAGES
//   used == pages of all blocks == 512 - (set bits of `free`)
//   cached <= used; where they are equal, the SuperSlab is idle. A thread has at most one idle SuperSlab
//   a run in a thread's cache is of a SuperSlab of that thread; where there is no owner, cached == 0
//   longest == length of the longest run of set bits
//
// The map lies over the 31 unused TinySlabMeta of the unit.
// Thread-safety: the owner alone. Errors: NULL or false when no run is free; what memory that is not there means is the caller's.
#ifndef HAK_SLAB_RUN_H
#define HAK_SLAB_RUN_H

#include "slab/ownership.h"

enum {
    RUN_WORDS = PAGES_PER_UNIT / 64,
    RUN_CACHE_PAGES = 512,
    RUN_CACHE_PAGES_EACH = 128,
    RUN_LONG_PAGES = 256,
    RUN_IS_CACHED = 0x8000
};

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

HAK_INLINE RunMap* run_map(SlabNumber s) {
    return (RunMap*)&hak_heap.meta[s + 1];
}

HAK_INLINE uint32_t run_page_of(const void* p) {
    return (uint32_t)(((uintptr_t)p - hak_heap.base) >> PAGE_SHIFT) % PAGES_PER_UNIT;
}

HAK_INLINE SlabNumber run_first_slab(const void* p) {
    return first_slab(unit_of_slab((SlabNumber)slab_number_of(p)));
}

// The owner writes the entry of a block; others read it.
HAK_INLINE _Atomic uint16_t* run_length_of(const void* block) {
    return &run_map(run_first_slab(block))->length[run_page_of(block)];
}

// Makes the map of a new SuperSlab of page runs, and its owner words but the first.
void run_map_init(SlabNumber s, bool clean);
// Before it is given back: these words name no slab any more.
void run_map_clear(SlabNumber s);
// A run of `pages` pages in one of the thread's SuperSlabs, its address a multiple of `align` pages. block NULL: none has one free.
Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align);
// Takes what others freed into the thread's SuperSlabs, of which it looks at `look_at`. true: something was there.
bool run_absorb(HakTcb* me, uint32_t look_at);
// Lengths of runs: 1..8 pages, then four per doubling up to RUN_SHORT_MOST; any above. The least of them that is not below `pages`.
HAK_INLINE uint32_t run_length(uint32_t pages) {
    if (pages <= 8 || pages > RUN_SHORT_MOST) return pages;
    return (uint32_t)align_up(pages, UINT64_C(1) << (log2_floor(pages - 1) - 2));
}

// The next length above that of a short run, which is not the longest.
HAK_INLINE uint32_t run_next_length(uint32_t pages) {
    return run_length(pages + 1);
}

// A run is short, and has a bin: 5..8 pages: bins 0..3; 10, 12, 14, 16: 4..7. Shorter ones are only made for what must be aligned.
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

// A block goes into the cache, or out of it. Nobody else changes `cached`.
HAK_INLINE void run_set_cached(HakTcb* me, SlabNumber s, const void* block, uint32_t pages, bool cached) {
    store_relaxed(&run_map(s)->length[run_page_of(block)], (uint16_t)(cached ? pages | RUN_IS_CACHED : pages));
    uint32_t change = cached ? pages : 0 - pages;
    hak_heap.meta[s].cached = (uint16_t)(hak_heap.meta[s].cached + change);
    me->cached_pages += change;
    me->runs_used++;
}

// Of more than RUN_SHORT_MOST pages: one of the last few freed, if it has that length. Shorter ones are not put.
void* run_cache_take_long(HakTcb* me, uint32_t pages);
bool run_cache_put_long(HakTcb* me, OwnedSlab slab, void* block, uint32_t pages);

// A cached run of exactly `pages` pages, a short one; NULL: none.
HAK_INLINE void* run_cache_take_short(HakTcb* me, uint32_t pages) {
    RunCache* cache = &me->run_cache[run_cache_bin(pages)];
    if (cache->count == 0) return NULL;
    void* block = cache->block[--cache->count];
    run_set_cached(me, run_first_slab(block), block, pages, false);
    return block;
}

HAK_INLINE bool run_cache_put_short(HakTcb* me, OwnedSlab slab, void* block, uint32_t pages) {
    RunCache* cache = &me->run_cache[run_cache_bin(pages)];
    if (cache->count == RUN_CACHE_BLOCKS || (cache->count + 1) * pages > RUN_CACHE_PAGES_EACH ||
        me->cached_pages - me->long_pages + pages > RUN_CACHE_PAGES)
        return false;
    cache->block[cache->count++] = block;
    run_set_cached(me, slab.number, block, pages, true);
    return true;
}

// Pages of a block that its owner may put into its cache; 0: no block starts there.
HAK_INLINE uint32_t run_pages_to_cache(OwnedSlab slab, const void* block) {
    return (uintptr_t)block & (PAGE_SIZE_BYTES - 1) ? 0
                                                    : load_relaxed(&run_map(slab.number)->length[run_page_of(block)]);
}

// Nothing of the SuperSlab is used but what the cache has.
HAK_INLINE bool run_is_idle(OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    return meta_used(meta) == meta->cached;
}

// After something of the SuperSlab was freed: gives it back if it is idle, or the idle one that the thread kept, if another can serve the
// thread's next run.
void run_settle(HakTcb* me, OwnedSlab slab);
// Gives the cached runs back to their SuperSlabs.
void run_cache_flush(HakTcb* me);
// Those longer than RUN_SHORT_MOST, and those of the idle SuperSlab, which stays the thread's. false: there was none.
bool run_cache_flush_some(HakTcb* me);
// Those of one SuperSlab, which is not settled.
void run_cache_drop(HakTcb* me, OwnedSlab slab);
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
