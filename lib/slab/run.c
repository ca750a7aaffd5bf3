#include "slab/run.h"

#include "base/text.h"
#include "config/zero.h"
#include "thread/link.h"

#include <string.h>

void runs_init(SlabNumber s, bool clean) {
    TinySlabMeta* meta = meta_of_new(s);
    meta->freelist = NULL;
    store_relaxed(&meta->blocks, 0u);
    store_relaxed(&meta->carved, (uint16_t)0);
    meta->capacity = 0;
    meta->block_size = 0;
    meta->next = meta->prev = 0;
    meta->size_class = CLASS_OF_RUNS;
    meta->where = PLACE_NONE;
    meta->in_registry = 0;
    meta->clean = clean;
    run_map_init(run_map_at(s), clean);
    if (closing_on()) {
        run_map_at(s)->gap = 1;
        pages_close_to_cut(run_pages_of(s));
    }
    slab_words_of_rest(s, TAG_RUNS_REST);
}

// Where there is no gap, nothing is closed, and the map's bits for that need not come into the caches.
static bool open_pages(OwnedRuns runs, uint32_t page, uint32_t pages) {
    return run_map(runs)->gap == 0 || pages_open(run_pages_of(runs.head.number), page, pages);
}

static void close_pages(OwnedRuns runs, uint32_t page, uint32_t pages) {
    if (run_map(runs)->gap) pages_close(run_pages_of(runs.head.number), page, pages);
}

static void count_pages(OwnedRuns runs, int change) {
    meta_count(meta_of(runs.head), change, 0);
    run_map(runs)->live = (uint16_t)(run_map(runs)->live + change);
}

static void* page_address(OwnedRuns runs, uint32_t page) {
    return (char*)slab_address(runs.head.number) + (size_t)page * PAGE_SIZE_BYTES;
}

static void occupy(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages, uint32_t longest) {
    run_map_occupy(run_map(runs), page, pages);
    count_pages(runs, (int)pages);
    runs_set_longest(me, runs, longest);
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

// A block in use has no link. Pages that other threads freed, or of a unit that held slabs, may begin with one.
static void clear_link(void* run) {
    if (link_looks_free(run)) link_clear(run);
}

// Where freed memory is closed, places are taken in turn: what was just freed stays closed for a while.
static RunFit find_place(const RunMap* map, uint32_t pages, uint32_t align) {
    RunFit fit = {.page = PAGES_PER_UNIT};
    if (map->gap) fit = run_map_fit_from(map, map->next, pages, align);
    return fit.page == PAGES_PER_UNIT ? run_map_fit(map, pages, align) : fit;
}

Run runs_take(HakTcb* me, OwnedRuns runs, uint32_t pages, uint32_t align) {
    RunMap* map = run_map(runs);
    uint32_t whole = pages + map->gap;
    if (map->longest < whole) return (Run){NULL, false};
    RunFit fit = find_place(map, whole, align);
    if (fit.page == PAGES_PER_UNIT || !open_pages(runs, fit.page, pages)) return (Run){NULL, false};
    bool zero = run_map_is_clean(map, fit.page, pages);
    store_relaxed(&map->length[fit.page], (uint16_t)whole);
    map->next = (uint16_t)(fit.page + whole);
    uint32_t rest = larger(fit.page - fit.start, fit.end - fit.page - whole);
    occupy(me, runs, fit.page, whole, larger(rest, fit.longest_other));
    if (!zero) clear_link(page_address(runs, fit.page));
    return (Run){page_address(runs, fit.page), zero};
}

static HAK_COLD void invalid(const void* block) {
    fatal("invalid_free", "run", "%p is not the start of a block in use: freed twice, or never handed out", block);
}

static uint32_t pages_in_use(OwnedRuns runs, const void* block) {
    uint32_t pages = load_relaxed(&run_map(runs)->length[run_page_of(block)]);
    if (HAK_UNLIKELY(pages == 0 || (pages & RUN_IS_CACHED) || ((uintptr_t)block & (PAGE_SIZE_BYTES - 1))))
        invalid(block);
    return pages;
}

void runs_free(HakTcb* me, OwnedRuns runs, void* block) {
    RunMap* map = run_map(runs);
    uint32_t page = run_page_of(block), pages = pages_in_use(runs, block);
    store_relaxed(&map->length[page], (uint16_t)0);
    close_pages(runs, page, pages);
    uint32_t joined = run_map_release(map, page, pages);
    count_pages(runs, -(int)pages);
    if (joined > map->longest) runs_set_longest(me, runs, joined);
}

void runs_free_chain(HakTcb* me, OwnedRuns runs, void* first) {
    for (void* next; first; first = next) {
        pages_in_use(runs, first);  // one that was freed twice may be closed
        next = link_read(first);
        if (zero_is(ZERO_FREE)) link_clear(first);  // the link was in the block that was cleared
        runs_free(me, runs, first);
        tcb_count(me, HAK_C_free_run);
    }
}

static bool grow(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t old, uint32_t pages) {
    RunMap* map = run_map(runs);
    uint32_t grown = page + old, more = pages - old;
    if (page + pages > PAGES_PER_UNIT) return false;
    uint32_t room = run_map_free_from(map, grown);
    if (room < more || !open_pages(runs, grown - map->gap, more)) return false;
    occupy(me, runs, grown, more, map->longest);
    if (room == map->longest) runs_set_longest(me, runs, run_map_longest(map));
    return true;
}

static void shrink(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t old, uint32_t pages) {
    RunMap* map = run_map(runs);
    if (zero_is(ZERO_FREE)) memset(page_address(runs, page + pages - map->gap), 0, (old - pages) * PAGE_SIZE_BYTES);
    close_pages(runs, page + pages - map->gap, old - pages);
    run_map_release(map, page + pages, old - pages);
    count_pages(runs, -(int)(old - pages));
    runs_set_longest(me, runs, run_map_longest(map));
}

bool runs_resize(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages) {
    RunMap* map = run_map(runs);
    uint32_t page = run_page_of(block), old = load_relaxed(&map->length[page]);
    pages += map->gap;
    if (pages > old && !grow(me, runs, page, old, pages)) return false;
    if (pages < old) shrink(me, runs, page, old, pages);
    store_relaxed(&map->length[page], (uint16_t)pages);
    return true;
}

size_t runs_check(SlabNumber s) {
    const RunMap* map = run_map_at(s);
    size_t wrong = 0;
    uint32_t free_pages = 0, block_pages = 0, cached_pages = 0;
    uint32_t used = meta_used(peek_any(s)), cached = used - map->live;
    for (int w = 0; w < RUN_WORDS; w++) free_pages += (uint32_t)__builtin_popcountll(map->free[w]);
    for (uint32_t p = 0; p < PAGES_PER_UNIT; p++) {
        uint32_t length = load_relaxed(&map->length[p]), pages = length & (RUN_IS_CACHED - 1u);
        block_pages += pages;
        if (length & RUN_IS_CACHED) cached_pages += pages;
    }
    if (free_pages + used != PAGES_PER_UNIT || block_pages != used || run_map_longest(map) != map->longest) {
        text_warn("hakmem: check=runs slab %u: %u pages free, %u used, %u in blocks, longest run %u (%u noted)\n", s,
                  free_pages, used, block_pages, run_map_longest(map), map->longest);
        wrong++;
    }
    if (cached_pages != cached) {
        text_warn("hakmem: check=runs slab %u: %u pages in the cache, %u counted\n", s, cached_pages, cached);
        wrong++;
    }
    return wrong;
}
