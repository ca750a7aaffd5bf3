#include "slab/run.h"

#include "base/text.h"
#include "observe/fatal.h"
#include "slab/slab.h"
#include "superslab/superslab.h"
#include "thread/link.h"

#include <string.h>

enum { LOOK_AT = 8 };

// --- bit runs

// First page >= from whose bit is `value`; PAGES_PER_UNIT: none.
static uint32_t next_bit(const uint64_t* bits, uint32_t from, bool value) {
    for (uint32_t w = from / 64; w < RUN_WORDS; w++) {
        uint64_t word = value ? bits[w] : ~bits[w];
        if (w == from / 64) word &= ~UINT64_C(0) << (from % 64);
        if (word) return w * 64 + lowest_bit(word);
    }
    return PAGES_PER_UNIT;
}

// First page of the run of set bits that ends just before `end`.
static uint32_t run_start(const uint64_t* bits, uint32_t end) {
    uint32_t from = end;
    while (from > 0) {
        uint32_t w = (from - 1) / 64, top = (from - 1) % 64;
        uint64_t clear = ~bits[w] & (~UINT64_C(0) >> (63 - top));
        if (clear) return w * 64 + log2_floor(clear) + 1;
        from = w * 64;
    }
    return 0;
}

static void write_bits(uint64_t* bits, uint32_t from, uint32_t count, bool value) {
    while (count) {
        uint32_t w = from / 64, at = from % 64, n = 64 - at < count ? 64 - at : count;
        uint64_t mask = (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << at;
        bits[w] = value ? bits[w] | mask : bits[w] & ~mask;
        from += n;
        count -= n;
    }
}

static uint16_t longest_run(const RunMap* map) {
    uint32_t longest = 0;
    for (uint32_t from = 0; (from = next_bit(map->free, from, true)) < PAGES_PER_UNIT;) {
        uint32_t end = next_bit(map->free, from, false);
        if (end - from > longest) longest = end - from;
        from = end;
    }
    return (uint16_t)longest;
}

// --- SuperSlabs of runs

void run_map_init(SlabNumber s, bool clean) {
    RunMap* map = run_map(s);
    memset(map, 0, sizeof *map);
    write_bits(map->free, 0, PAGES_PER_UNIT, true);
    write_bits(map->dirty, 0, PAGES_PER_UNIT, !clean);
    map->longest = PAGES_PER_UNIT;
    for (SlabNumber i = 1; i < SLABS_PER_UNIT; i++) store_relaxed(owner_word(s + i), TAG_RUNS_REST);
}

void run_map_clear(SlabNumber s) {
    for (SlabNumber i = 1; i < SLABS_PER_UNIT; i++) store_relaxed(owner_word(s + i), WORD_NOT_A_SLAB);
}

static unsigned bucket_of(uint16_t longest) {
    return longest ? log2_floor(longest) : 0;
}

SlabNumber* run_list(HakTcb* me, OwnedSlab slab) {
    return &me->runs[bucket_of(run_map(slab.number)->longest)];
}

bool run_has_space(OwnedSlab slab) {
    return run_map(slab.number)->longest != 0;
}

// The list depends on the longest run: out of the old list before it changes, into the new one after.
static void set_longest(HakTcb* me, OwnedSlab slab, uint16_t longest) {
    RunMap* map = run_map(slab.number);
    if (meta_of(slab)->where == PLACE_NONE || bucket_of(map->longest) == bucket_of(longest)) {
        map->longest = longest;
        return;
    }
    slab_place(me, slab, PLACE_NONE);
    map->longest = longest;
    slab_place(me, slab, PLACE_PARTIAL);
}

static void count_pages(OwnedSlab slab, int change) {
    meta_count(meta_of(slab), change, 0);
}

static void* page_address(SlabNumber s, uint32_t page) {
    return (char*)slab_address(s) + (size_t)page * PAGE_SIZE_BYTES;
}

// --- taking

typedef struct {
    uint32_t page;        // PAGES_PER_UNIT: none fits
    uint32_t start, end;  // the free run around it
    uint32_t longest_other;
} Fit;

// The tightest free run that holds `pages` aligned, and the longest of all others. A unit is aligned to more than any run. One that fits exactly
// ends the search, unless it may be the longest.
static Fit best_fit(const RunMap* map, uint32_t pages, uint32_t align) {
    Fit best = {.page = PAGES_PER_UNIT};
    uint32_t best_length = UINT32_MAX;
    for (uint32_t from = 0; (from = next_bit(map->free, from, true)) < PAGES_PER_UNIT;) {
        uint32_t end = next_bit(map->free, from, false), at = (uint32_t)align_up(from, align), length = end - from;
        if (length == pages && at == from && pages < map->longest) return (Fit){at, from, end, map->longest};
        if (at + pages <= end && length < best_length) {
            if (best.page != PAGES_PER_UNIT && best_length > best.longest_other) best.longest_other = best_length;
            best = (Fit){at, from, end, best.longest_other};
            best_length = length;
        } else if (length > best.longest_other)
            best.longest_other = length;
        from = end;
    }
    return best;
}

static bool all_clear(const uint64_t* bits, uint32_t from, uint32_t count) {
    return next_bit(bits, from, true) >= from + count;
}

static void occupy(HakTcb* me, OwnedSlab slab, uint32_t page, uint32_t pages, uint32_t longest) {
    RunMap* map = run_map(slab.number);
    write_bits(map->free, page, pages, false);
    write_bits(map->dirty, page, pages, true);
    count_pages(slab, (int)pages);
    set_longest(me, slab, (uint16_t)longest);
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static Run take_from(HakTcb* me, SlabNumber s, uint32_t pages, uint32_t align) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, s, TAG_RUNS, &result);
    RunMap* map = run_map(s);
    if (slab.number == 0 || map->longest < pages) return (Run){NULL, false};
    Fit fit = best_fit(map, pages, align);
    if (fit.page == PAGES_PER_UNIT) return (Run){NULL, false};
    bool zero = all_clear(map->dirty, fit.page, pages);
    store_relaxed(&map->length[fit.page], (uint16_t)pages);
    uint32_t rest = larger(fit.page - fit.start, fit.end - fit.page - pages);
    occupy(me, slab, fit.page, pages, larger(rest, fit.longest_other));
    return (Run){page_address(s, fit.page), zero};
}

Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align) {
    for (unsigned bucket = log2_floor(pages); bucket < RUN_BUCKETS; bucket++) {
        int looked = 0;
        for (SlabNumber s = me->runs[bucket], next; s && looked < LOOK_AT; s = next, looked++) {
            next = hak_heap.meta[s].next;
            Run run = take_from(me, s, pages, align);
            if (run.block) return run;
        }
    }
    return (Run){NULL, false};
}

// --- giving back

static HAK_COLD void invalid(const void* block) {
    fatal("invalid_free", "run", "%p is not the start of a block in use: freed twice, or never handed out", block);
}

static void free_one(HakTcb* me, OwnedSlab slab, void* block) {
    RunMap* map = run_map(slab.number);
    uint32_t page = run_page_of(block), pages = load_relaxed(&map->length[page]);
    if (HAK_UNLIKELY(pages == 0 || (pages & RUN_IS_CACHED) || ((uintptr_t)block & (PAGE_SIZE_BYTES - 1))))
        invalid(block);
    store_relaxed(&map->length[page], (uint16_t)0);
    write_bits(map->free, page, pages, true);
    count_pages(slab, -(int)pages);
    uint32_t start = run_start(map->free, page), end = next_bit(map->free, page, false);
    if (end - start > map->longest) set_longest(me, slab, (uint16_t)(end - start));
}

void run_free_chain(HakTcb* me, OwnedSlab slab, void* first, uint32_t count) {
    while (count-- > 0) {
        void* next = count ? link_read(first) : NULL;
        free_one(me, slab, first);
        tcb_count(me, HAK_C_free_run);
        first = next;
    }
}

// --- the cache

// A run that left the cache goes back to its SuperSlab.
static void give_pages_back(HakTcb* me, void* block) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, run_first_slab(block), TAG_RUNS, &result);
    free_one(me, slab, block);
    run_settle(me, slab);
}

// The i-th of the long runs leaves the cache.
static void* take_long(HakTcb* me, uint32_t i) {
    LongRun run = me->long_run[i];
    me->long_count--;
    me->long_pages -= run.pages;
    memmove(&me->long_run[i], &me->long_run[i + 1], (me->long_count - i) * sizeof run);
    run_set_cached(me, run_first_slab(run.block), run.block, run.pages, false);
    return run.block;
}

void* run_cache_take_long(HakTcb* me, uint32_t pages) {
    for (uint32_t i = me->long_count; i-- > 0;)
        if (me->long_run[i].pages == pages) return take_long(me, i);
    return NULL;
}

// In place of the oldest, if there are too many or they are too large.
bool run_cache_put_long(HakTcb* me, OwnedSlab slab, void* block, uint32_t pages) {
    if (pages <= RUN_SHORT_MOST || pages > RUN_LONG_PAGES) return false;
    while (me->long_count == LONG_RUNS || me->long_pages + pages > RUN_LONG_PAGES)
        give_pages_back(me, take_long(me, 0));
    me->long_run[me->long_count++] = (LongRun){block, pages};
    me->long_pages += pages;
    run_set_cached(me, slab.number, block, pages, true);
    return true;
}

static void flush_long(HakTcb* me) {
    while (me->long_count) give_pages_back(me, take_long(me, 0));
}

void run_cache_flush(HakTcb* me) {
    flush_long(me);
    for (unsigned bin = 0; bin < RUN_CACHE_BINS && me->cached_pages; bin++)
        for (void* block; (block = run_cache_take_short(me, run_cache_pages(bin))) != NULL;) give_pages_back(me, block);
}

void run_cache_drop(HakTcb* me, OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    for (unsigned bin = 0; bin < RUN_CACHE_BINS && meta->cached; bin++) {
        RunCache* cache = &me->run_cache[bin];
        uint32_t pages = run_cache_pages(bin), kept = 0;
        for (uint32_t i = 0; i < cache->count; i++) {
            void* block = cache->block[i];
            if (run_first_slab(block) == slab.number) {
                run_set_cached(me, slab.number, block, pages, false);
                free_one(me, slab, block);
            } else
                cache->block[kept++] = block;
        }
        cache->count = kept;
    }
    for (uint32_t i = me->long_count; i-- > 0;)
        if (run_first_slab(me->long_run[i].block) == slab.number) free_one(me, slab, take_long(me, i));
}

// --- idle SuperSlabs

// Half of the SuperSlab in one piece: there is room for nearly whatever comes next.
static bool is_spare(SlabNumber s) {
    return run_map(s)->longest >= PAGES_PER_UNIT / 2;
}

static bool has_other_spare(const HakTcb* me, SlabNumber but) {
    for (int b = RUN_BUCKETS - 2; b < RUN_BUCKETS; b++) {
        SlabNumber first = me->runs[b];
        if (first && (first != but || hak_heap.meta[first].next)) return true;
    }
    return false;
}

static void give_idle_back(HakTcb* me, OwnedSlab slab) {
    run_cache_drop(me, slab);
    slab_dispose(me, slab);
}

// The idle SuperSlab that was kept, if it is still the thread's and idle.
static OwnedSlab idle_one(HakTcb* me) {
    OwnedSlab slab = slab_if_mine(me, me->idle_runs, TAG_RUNS);
    return slab.number && run_is_idle(slab) ? slab : (OwnedSlab){0};
}

bool run_cache_flush_some(HakTcb* me) {
    uint32_t before = me->cached_pages;
    flush_long(me);
    OwnedSlab idle = idle_one(me);
    if (idle.number) run_cache_drop(me, idle);
    return me->cached_pages != before;
}

void run_settle(HakTcb* me, OwnedSlab slab) {
    OwnedSlab kept = idle_one(me);
    bool another = kept.number && kept.number != slab.number;
    if (!run_is_idle(slab)) {
        if (another && is_spare(slab.number)) give_idle_back(me, kept);
    } else if (another || has_other_spare(me, slab.number)) {
        give_idle_back(me, slab);
    } else {
        me->idle_runs = slab.number;
    }
}

// --- what others freed

bool run_absorb(HakTcb* me, uint32_t look_at) {
    bool some = false;
    for (unsigned bucket = 0; bucket < RUN_BUCKETS; bucket++)
        for (SlabNumber s = me->runs[bucket], next; s && look_at > 0; s = next, look_at--) {
            next = hak_heap.meta[s].next;
            ClaimResult result;
            OwnedSlab slab = slab_claim(me, s, TAG_RUNS, &result);
            if (slab.number == 0 || !remote_has_blocks(slab)) continue;
            slab_absorb(me, slab);
            if (run_is_idle(slab)) run_settle(me, slab);  // gives back no other one: `next` stays
            some = true;
        }
    return some;
}

// --- sizes

uint32_t run_pages(const void* block) {
    uint16_t length = load_relaxed(run_length_of(block));
    return length & RUN_IS_CACHED ? 0 : length;
}

bool run_resize(HakTcb* me, OwnedSlab slab, void* block, uint32_t pages) {
    RunMap* map = run_map(slab.number);
    uint32_t page = run_page_of(block), old = load_relaxed(&map->length[page]);
    if (pages > old) {
        if (page + pages > PAGES_PER_UNIT || next_bit(map->free, page + old, false) < page + pages) return false;
        uint32_t grown = page + old, end = next_bit(map->free, grown, false);
        bool was_longest = end - grown == map->longest;
        occupy(me, slab, grown, pages - old, map->longest);
        if (was_longest) set_longest(me, slab, longest_run(map));
    } else if (pages < old) {
        write_bits(map->free, page + pages, old - pages, true);
        count_pages(slab, -(int)(old - pages));
        set_longest(me, slab, longest_run(map));
    }
    store_relaxed(&map->length[page], (uint16_t)pages);
    return true;
}

size_t run_check(SlabNumber s) {
    const RunMap* map = run_map(s);
    size_t wrong = 0;
    uint32_t free_pages = 0, block_pages = 0, cached_pages = 0;
    uint32_t used = meta_used(&hak_heap.meta[s]), cached = hak_heap.meta[s].cached;
    for (int w = 0; w < RUN_WORDS; w++) free_pages += (uint32_t)__builtin_popcountll(map->free[w]);
    for (uint32_t p = 0; p < PAGES_PER_UNIT; p++) {
        uint32_t length = load_relaxed(&map->length[p]), pages = length & (RUN_IS_CACHED - 1u);
        block_pages += pages;
        if (length & RUN_IS_CACHED) cached_pages += pages;
    }
    if (free_pages + used != PAGES_PER_UNIT || block_pages != used || longest_run(map) != map->longest) {
        text_warn("hakmem: check=runs slab %u: %u pages free, %u used, %u in blocks, longest run %u (%u noted)\n", s,
                  free_pages, used, block_pages, longest_run(map), map->longest);
        wrong++;
    }
    if (cached_pages != cached) {
        text_warn("hakmem: check=runs slab %u: %u pages in the cache, %u counted\n", s, cached_pages, cached);
        wrong++;
    }
    return wrong;
}
