#include "slab/run.h"

#include "base/text.h"
#include "config/zero.h"
#include "slab/free_runs.h"
#include "thread/link.h"
#include "thread/operation.h"

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

// --- free runs

// The free runs of a SuperSlab in its owner's list are in lists, too.
static bool is_listed(OwnedRuns runs) {
    return meta_of(runs.head)->where != PLACE_NONE;
}

static void add_free(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages) {
    if (pages == 0) return;
    run_map_mark_free(run_map(runs), page, pages, true);
    if (is_listed(runs)) free_runs_add(me, runs, page, pages);
}

static void remove_free(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages) {
    if (pages == 0) return;
    if (is_listed(runs)) free_runs_remove(me, runs, page, pages);
    run_map_mark_free(run_map(runs), page, pages, false);
}

// Takes `pages` pages out of a free run.
static void occupy(HakTcb* me, OwnedRuns runs, RunFit fit, uint32_t pages) {
    remove_free(me, runs, fit.start, fit.end - fit.start);
    add_free(me, runs, fit.start, fit.page - fit.start);
    add_free(me, runs, fit.page + pages, fit.end - fit.page - pages);
    count_pages(runs, (int)pages);
}

// Frees pages, which join the free runs before and behind them.
static void release(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages) {
    const RunMap* map = run_map(runs);
    uint32_t before = run_map_free_to(map, page), behind = run_map_free_from(map, page + pages);
    remove_free(me, runs, page - before, before);
    remove_free(me, runs, page + pages, behind);
    add_free(me, runs, page - before, before + pages + behind);
    count_pages(runs, -(int)pages);
}

// --- blocks

// A block in use has no link. In a unit that held slabs, pages may begin with one. Of other units no page does, and is
// not looked at: it may be in no cache, or not even in memory.
static void clear_link(void* block) {
    if (link_looks_free(block)) link_clear(block);
}

// Where freed memory is closed, places are taken in turn: what was just freed stays closed for a while.
static RunFit in_turn(const RunMap* map, RunFit fit, uint32_t pages, uint32_t align) {
    RunFit next = run_map_fit_from(map, map->next, pages, align);
    return next.page == PAGES_PER_UNIT ? fit : next;
}

Run runs_take(HakTcb* me, OwnedRuns runs, RunFit fit, uint32_t pages, uint32_t align) {
    operation_must_be_open(me, "runs_take");
    RunMap* map = run_map(runs);
    uint32_t whole = pages + map->gap;
    if (map->gap) fit = in_turn(map, fit, whole, align);
    if (!open_pages(runs, fit.page, pages)) return (Run){NULL, false};
    bool zero = run_map_soil(map, fit.page, fit.page + whole);
    occupy(me, runs, fit, whole);
    store_relaxed(&map->length[fit.page], (uint16_t)whole);
    map->next = (uint16_t)(fit.page + whole);
    void* block = page_address(runs, fit.page);
    if (!meta_of(runs.head)->clean) clear_link(block);
    return (Run){block, zero};
}

static HAK_COLD void invalid(const void* block) {
    fatal("invalid_free", "run", "%p is not the start of a block in use: freed twice, or never handed out", block);
}

static uint32_t pages_in_use(OwnedRuns runs, const void* block) {
    uint32_t pages = load_relaxed(&run_map(runs)->length[run_page_of(block)]);
    if (HAK_UNLIKELY(pages == 0 || pages > RUN_PAGES || ((uintptr_t)block & (PAGE_SIZE_BYTES - 1)))) invalid(block);
    return pages;
}

void runs_free(HakTcb* me, OwnedRuns runs, void* block) {
    operation_must_be_open(me, "runs_free");
    uint32_t page = run_page_of(block), pages = pages_in_use(runs, block);
    store_relaxed(&run_map(runs)->length[page], (uint16_t)0);
    close_pages(runs, page, pages);
    release(me, runs, page, pages);
}

void runs_free_chain(HakTcb* me, OwnedRuns runs, void* first) {
    for (void* next; first; first = next) {
        pages_in_use(runs, first);  // one that was freed twice may be closed
        next = link_read(first);
        link_clear(first);
        runs_free(me, runs, first);
        tcb_count(me, HAK_C_free_run);
    }
}

static bool grow(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t old, uint32_t pages) {
    const RunMap* map = run_map(runs);
    uint32_t grown = page + old, more = pages - old;
    uint32_t room = run_map_free_from(map, grown);
    if (room < more || !open_pages(runs, grown - map->gap, more)) return false;
    occupy(me, runs, (RunFit){grown, grown, grown + room}, more);
    run_map_soil(run_map(runs), grown, grown + more);
    return true;
}

static void shrink(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t old, uint32_t pages) {
    RunMap* map = run_map(runs);
    if (zero_is(ZERO_FREE)) memset(page_address(runs, page + pages - map->gap), 0, (old - pages) * PAGE_SIZE_BYTES);
    close_pages(runs, page + pages - map->gap, old - pages);
    release(me, runs, page + pages, old - pages);
}

bool runs_resize(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages) {
    operation_must_be_open(me, "runs_resize");
    RunMap* map = run_map(runs);
    uint32_t page = run_page_of(block), old = load_relaxed(&map->length[page]);
    pages += map->gap;
    if (pages > old && !grow(me, runs, page, old, pages)) return false;
    if (pages < old) shrink(me, runs, page, old, pages);
    store_relaxed(&map->length[page], (uint16_t)pages);
    return true;
}

// What runs_check adds up.
typedef struct {
    uint32_t free_pages, block_pages, cached_pages;
    bool whole;  // something starts at each page where something ends, and no free run is next to another one
} MapSums;

static MapSums sum_up(const RunMap* map) {
    MapSums sums = {0, 0, 0, true};
    for (uint32_t p = 0, pages; sums.whole && p < PAGES_PER_UNIT; p += pages) {
        uint32_t length = load_relaxed(&map->length[p]);
        pages = length & RUN_PAGES;
        uint32_t* sum = length & RUN_IS_FREE ? &sums.free_pages : &sums.block_pages;
        *sum += pages;
        if (length & RUN_IS_CACHED) sums.cached_pages += pages;
        sums.whole = pages != 0 && p + pages <= PAGES_PER_UNIT;
        if (sums.whole && (length & RUN_IS_FREE))
            sums.whole = run_map_free_to(map, p + pages) == pages && run_map_free_from(map, p + pages) == 0;
    }
    return sums;
}

size_t runs_check(SlabNumber s) {
    MapSums sums = sum_up(run_map_at(s));
    size_t wrong = 0;
    uint32_t used = meta_used(peek_any(s)), cached = used - run_map_at(s)->live;
    if (!sums.whole || sums.free_pages + used != PAGES_PER_UNIT || sums.block_pages != used) {
        text_warn("hakmem: check=runs slab %u: %u pages free, %u used, %u in blocks%s\n", s, sums.free_pages, used,
                  sums.block_pages, sums.whole ? "" : ", and a gap or two free runs side by side");
        wrong++;
    }
    if (sums.cached_pages != cached) {
        text_warn("hakmem: check=runs slab %u: %u pages in the cache, %u counted\n", s, sums.cached_pages, cached);
        wrong++;
    }
    return wrong;
}
