#include "slab/free_runs.h"

#include "base/text.h"

// --- lists

enum { STEPS = 8, STEPS_SHIFT = 3 };  // lists per doubling, above FREE_RUN_EXACT

static unsigned list_of(uint32_t pages) {
    if (pages <= FREE_RUN_EXACT) return pages < RUN_SHORT_LEAST ? 0 : pages - RUN_SHORT_LEAST;
    unsigned log = log2_floor(pages - 1), doublings = log - log2_floor(FREE_RUN_EXACT);
    return FREE_RUN_EXACT - RUN_SHORT_LEAST + 1 + doublings * STEPS + ((pages - 1) >> (log - STEPS_SHIFT)) - STEPS;
}

// The first list from `from` on that is not empty; FREE_RUN_LISTS: none.
static unsigned next_list(const HakTcb* me, unsigned from) {
    for (unsigned w = from / 64; w < FREE_RUN_WORDS; w++) {
        uint64_t some = me->free_run_some[w];
        if (w == from / 64) some &= ~UINT64_C(0) << (from % 64);
        if (some) return w * 64 + lowest_bit(some);
    }
    return FREE_RUN_LISTS;
}

static SlabNumber first_of(uint32_t reference) {
    return first_slab(reference / PAGES_PER_UNIT);
}

static RunMap* map_of(uint32_t reference) {
    return run_map_at(first_of(reference));
}

static RunLink* link_of(uint32_t reference) {
    return &map_of(reference)->link[reference % PAGES_PER_UNIT / RUN_PAGES_PER_LINK];
}

static uint32_t pages_of(uint32_t reference) {
    return run_map_free_from(map_of(reference), reference % PAGES_PER_UNIT);
}

static uint32_t reference_to(OwnedRuns runs, uint32_t page) {
    return unit_of_slab(runs.head.number) * PAGES_PER_UNIT + page;
}

void free_runs_add(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages) {
    if (pages < RUN_SHORT_LEAST) return;
    unsigned list = list_of(pages);
    uint32_t reference = reference_to(runs, page), next = me->free_run[list];
    *link_of(reference) = (RunLink){next, 0};
    if (next) link_of(next)->prev = reference;
    me->free_run[list] = reference;
    me->free_run_some[list / 64] |= UINT64_C(1) << (list % 64);
}

void free_runs_remove(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages) {
    if (pages < RUN_SHORT_LEAST) return;
    unsigned list = list_of(pages);
    RunLink link = *link_of(reference_to(runs, page));
    if (link.next) link_of(link.next)->prev = link.prev;
    if (link.prev) {
        link_of(link.prev)->next = link.next;
        return;
    }
    me->free_run[list] = link.next;
    if (link.next == 0) me->free_run_some[list / 64] &= ~(UINT64_C(1) << (list % 64));
}

// --- a SuperSlab

typedef void Change(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages);

static void change_all(HakTcb* me, OwnedRuns runs, Change* change) {
    const RunMap* map = run_map(runs);
    for (uint32_t p = 0, pages; p < PAGES_PER_UNIT; p += pages) {
        uint32_t length = load_relaxed(&map->length[p]);
        pages = length & RUN_PAGES;
        if (length & RUN_IS_FREE) change(me, runs, p, pages);
    }
}

void free_runs_add_all(HakTcb* me, OwnedRuns runs) {
    change_all(me, runs, free_runs_add);
}

void free_runs_remove_all(HakTcb* me, OwnedRuns runs) {
    change_all(me, runs, free_runs_remove);
}

// --- search

static FreeRun fit_in(uint32_t reference, uint32_t pages, uint32_t align) {
    uint32_t start = reference % PAGES_PER_UNIT, end = start + pages_of(reference);
    uint32_t page = (uint32_t)align_up(start, align);  // a unit has a larger alignment than any run
    if (page + pages > end) return (FreeRun){0, {0}};
    return (FreeRun){first_of(reference), {page, start, end}};
}

// Where the length is exact and any page will do, the first run fits. Elsewhere only a few of a list are looked at.
FreeRun free_runs_find(const HakTcb* me, uint32_t pages, uint32_t align) {
    enum { PROBES = 8 };
    for (unsigned list = next_list(me, list_of(pages)); list < FREE_RUN_LISTS; list = next_list(me, list + 1)) {
        int probes = 0;
        for (uint32_t at = me->free_run[list]; at && probes < PROBES; at = link_of(at)->next, probes++) {
            FreeRun found = fit_in(at, pages, align);
            if (found.first) return found;
        }
    }
    return (FreeRun){0, {0}};
}

// A SuperSlab has at most one such run.
bool free_runs_has_spare(const HakTcb* me, SlabNumber but) {
    for (unsigned list = next_list(me, list_of(PAGES_PER_UNIT / 2 + 1)); list < FREE_RUN_LISTS;
         list = next_list(me, list + 1)) {
        uint32_t at = me->free_run[list];
        if (first_of(at) != but || link_of(at)->next) return true;
    }
    return false;
}

// --- checks

static size_t check_list(const HakTcb* me, unsigned list, uint32_t* listed) {
    size_t wrong = 0;
    for (uint32_t at = me->free_run[list], before = 0; at; before = at, at = link_of(at)->next, ++*listed) {
        if (list_of(pages_of(at)) == list && link_of(at)->prev == before) continue;
        text_warn("hakmem: check=free_runs page %u of slab %u, %u pages: not in list %u\n", at % PAGES_PER_UNIT,
                  first_of(at), pages_of(at), list);
        return wrong + 1;
    }
    bool some = (me->free_run_some[list / 64] >> (list % 64) & 1) != 0;
    if (some == (me->free_run[list] != 0)) return wrong;
    text_warn("hakmem: check=free_runs list %u: the bit says %s\n", list, some ? "some" : "none");
    return wrong + 1;
}

static uint32_t count_long_enough(SlabNumber s) {
    const RunMap* map = run_map_at(s);
    uint32_t count = 0;
    for (uint32_t p = 0, pages; p < PAGES_PER_UNIT && (pages = run_map_pages_at(map, p)) != 0; p += pages)
        count += run_map_free_from(map, p) >= RUN_SHORT_LEAST;
    return count;
}

size_t free_runs_check(const HakTcb* me) {
    size_t wrong = 0;
    uint32_t listed = 0, there = 0;
    for (unsigned list = 0; list < FREE_RUN_LISTS; list++) wrong += check_list(me, list, &listed);
    for (SlabNumber s = me->runs; s; s = peek_own(s)->next) there += count_long_enough(s);
    if (listed == there) return wrong;
    text_warn("hakmem: check=free_runs %u runs in the lists, %u in the SuperSlabs\n", listed, there);
    return wrong + 1;
}
