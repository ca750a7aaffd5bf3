#include "superslab/closed.h"

#include "base/text.h"
#include "os/os.h"
#include "superslab/page_bits.h"

static _Atomic bool stopped;
static _Atomic uint32_t places;  // runs of closed slabs and pages; not those that only the holder of a run knows

bool closing_goes_on(void) {
    return !load_relaxed(&stopped);
}

static bool may_close_more(void) {
    return closing_on() && load_relaxed(&places) < CLOSED_MOST;
}

static bool may_split(void) {
    return load_relaxed(&places) < CLOSED_MOST;
}

static void change_places(uint32_t before, uint32_t after) {
    add_relaxed(&places, after - before);
}

// --- when the system refuses

static bool may_be_closed(UnitNumber u) {
    const Unit* unit = &hak_heap.unit[u];
    return !unit->absent && (unit->closed_slabs != 0 || unit->kind == UNIT_RUNS);
}

// Opens all units, and keeps their bits: memory that is opened once more stays as it is. A mapping without access lies
// in adjacent units that may be closed. So no mapping is split, and the number of mappings does not stand in the way.
static void open_everything(void) {
    bool mine = hak_lock_is_mine(&heap_lock);
    if (!mine) hak_lock(&heap_lock);
    for (UnitNumber u = 1, end; u < hak_heap.mapped; u = end + 1) {
        for (end = u; end < hak_heap.mapped && may_be_closed(end); end++) {}
        if (end > u) os_protect(unit_address(u), (size_t)(end - u) << UNIT_SHIFT, true);
    }
    if (!mine) hak_unlock(&heap_lock);
}

static HAK_COLD bool open_after_refusal(void* at, size_t bytes) {
    open_everything();
    if (!os_protect(at, bytes, true)) return false;  // no memory: more mappings would not help
    if (!load_relaxed(&stopped))
        text_warn("hakmem: the system allows no more mappings: from now on, freed memory is not closed\n");
    store_relaxed(&stopped, true);
    return true;
}

// The system's pages may be larger than ours. Then closing leaves open what shares one with something else, and opening
// also opens what does, whose bits go on saying closed.
static void close_within(void* at, size_t bytes) {
    uintptr_t page = os_page_bytes(), from = align_up((uintptr_t)at, page);
    uintptr_t end = align_down((uintptr_t)at + bytes, page);
    if (from < end) os_protect((void*)from, end - from, false);
}

static bool is_whole_pages(const void* at, size_t bytes) {
    return ((uintptr_t)at | bytes) % os_page_bytes() == 0;
}

// Opens a place in unit u. Part of a mapping may need another mapping, which the whole of it does not.
static bool open_place(void* at, size_t bytes, UnitNumber u) {
    uintptr_t page = os_page_bytes(), from = align_down((uintptr_t)at, page);
    bytes = align_up((uintptr_t)at + bytes, page) - from;
    at = (void*)from;
    return os_protect(at, bytes, true) || os_protect(unit_address(u), UNIT_SIZE, true) || open_after_refusal(at, bytes);
}

// --- units and slabs

// Neighbours in memory join into one mapping only if they have what the system keeps for the pages of a mapping in
// common. They do if the mapping had a page before it was split.
static void touch(UnitNumber u) {
    volatile char* first = unit_address(u);
    *first = *first;
}

void unit_close_to_cut(UnitNumber u) {
    if (!closing_on()) return;
    touch(u);
    units_close(u, 1);
}

static uint32_t* mask_of(UnitNumber u) {
    return &hak_heap.unit[u].closed_slabs;
}

static uint32_t bit_of(SlabNumber s) {
    return 1u << (s % SLABS_PER_UNIT);
}

// Runs of closed slabs that begin in [first, end].
static uint32_t places_in(UnitNumber first, UnitNumber end) {
    uint32_t count = 0;
    for (UnitNumber u = first; u <= end && u < hak_heap.mapped; u++) {
        uint32_t mask = *mask_of(u), before = *mask_of(u - 1) >> (SLABS_PER_UNIT - 1);
        count += (uint32_t)__builtin_popcount(mask & ~(mask << 1 | before));
    }
    return count;
}

// What ends here may have gone on in the unit behind.
static void set_masks(UnitNumber first, UnitNumber length, uint32_t mask) {
    uint32_t before = places_in(first, first + length);
    for (UnitNumber u = first; u < first + length; u++) *mask_of(u) = mask;
    change_places(before, places_in(first, first + length));
}

static bool all_have_mask(UnitNumber first, UnitNumber length, uint32_t mask) {
    UnitNumber u = first;
    while (u < first + length && *mask_of(u) == mask) u++;
    return u == first + length;
}

// The bits are set first and cleared last: a copy of the process must not take for open what is closed. If closing
// fails half-way, the bits say closed all the same.
void units_close(UnitNumber first, UnitNumber length) {
    if (!may_close_more() || all_have_mask(first, length, UINT32_MAX)) return;
    set_masks(first, length, UINT32_MAX);
    os_protect(unit_address(first), (size_t)length << UNIT_SHIFT, false);
}

bool units_open(UnitNumber first, UnitNumber length) {
    if (all_have_mask(first, length, 0)) return true;
    size_t bytes = (size_t)length << UNIT_SHIFT;
    if (!os_protect(unit_address(first), bytes, true) && !open_after_refusal(unit_address(first), bytes)) return false;
    set_masks(first, length, 0);
    return true;
}

void units_are_open(UnitNumber first, UnitNumber length) {
    set_masks(first, length, 0);
}

void slab_close(SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    if (!may_close_more() || (*mask_of(u) & bit_of(s))) return;
    set_masks(u, 1, *mask_of(u) | bit_of(s));
    os_protect(slab_address(s), SLAB_SIZE, false);
}

bool slab_open(SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    if ((*mask_of(u) & bit_of(s)) == 0) return true;
    if (!may_split()) return units_open(u, 1);
    if (!open_place(slab_address(s), SLAB_SIZE, u)) return false;
    set_masks(u, 1, *mask_of(u) & ~bit_of(s));
    return true;
}

void tail_close(UnitNumber last, size_t pages) {
    enum { SLAB_PAGES = SLAB_SIZE / PAGE_SIZE_BYTES };
    if (pages == 0 || !may_close_more()) return;
    set_masks(last, 1, UINT32_MAX << (pages / SLAB_PAGES));
    os_protect((char*)unit_address(last) + (pages << PAGE_SHIFT), UNIT_SIZE - (pages << PAGE_SHIFT), false);
}

// --- page runs

static void* page_at(RunPages of, uint32_t page) {
    return (char*)unit_address(of.unit) + ((size_t)page << PAGE_SHIFT);
}

static void set_pages(RunPages of, uint32_t page, uint32_t pages, bool closed) {
    uint32_t before = page_bits_runs(of.closed);
    page_bits_write(of.closed, page, pages, closed);
    change_places(before, page_bits_runs(of.closed));
}

// Sets the bits also where nothing is closed any more: the holder of the run may have closed it.
void pages_close(RunPages of, uint32_t page, uint32_t pages) {
    bool may = may_close_more();
    if (!closing_wanted() || page_bits_next(of.closed, page, false) >= page + pages) return;
    set_pages(of, page, pages, true);
    if (may) close_within(page_at(of, page), (size_t)pages << PAGE_SHIFT);
}

bool pages_open(RunPages of, uint32_t page, uint32_t pages) {
    if (page_bits_next(of.closed, page, true) >= page + pages) return true;
    if (!may_split()) {
        page = 0;
        pages = PAGES_PER_UNIT;
    }
    if (!open_place(page_at(of, page), (size_t)pages << PAGE_SHIFT, of.unit)) return false;
    set_pages(of, page, pages, false);
    return true;
}

void pages_close_to_cut(RunPages of) {
    touch(of.unit);
    pages_close(of, 0, PAGES_PER_UNIT);
}

void pages_become_slabs(RunPages of) {
    uint32_t runs = page_bits_runs(of.closed);
    if (runs == 0) return;
    change_places(runs, 0);
    set_masks(of.unit, 1, UINT32_MAX);
}

bool run_close(void* run, uint32_t pages, uint32_t kept) {
    char* from = (char*)run + ((size_t)kept << PAGE_SHIFT);
    size_t bytes = (size_t)(pages - kept) << PAGE_SHIFT;
    if (pages <= kept || !is_whole_pages(from, bytes) || !may_close_more()) return false;
    if (os_protect(from, bytes, false)) return true;
    os_protect(from, bytes, true);  // part of it may have been closed
    return false;
}

bool run_open(void* run, uint32_t pages) {
    return os_protect(run, os_page_bytes(), true) || os_protect(run, (size_t)pages << PAGE_SHIFT, true) ||
           open_after_refusal(run, os_page_bytes());
}
