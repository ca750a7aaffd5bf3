#include "superslab/units.h"

#include "os/os.h"
#include "superslab/closed.h"
#include "superslab/purge.h"

// Lists of free runs by length: 1..EXACT_BINS exactly, then one list per doubling.
enum { EXACT_BINS = 32, BINS = 56, LOOK_AT = 32 };

typedef struct {
    uint64_t nonempty;  // bit b: head[b] is not 0
    UnitNumber head[BINS];
} RunBins;

static RunBins bins[2];  // by dirty
UnitTotals unit_totals;

static Unit* unit(UnitNumber u) {
    return &hak_heap.unit[u];
}

static unsigned bin_of(UnitNumber length) {
    return length <= EXACT_BINS ? length - 1 : EXACT_BINS - 6 + log2_floor(length) + 1;
}
_Static_assert(EXACT_BINS - 6 + 22 + 2 <= BINS && BINS <= 64, "every length has a bin");

static void insert_run(UnitNumber first, UnitNumber length, bool dirty) {
    RunBins* set = &bins[dirty];
    unsigned b = bin_of(length);
    Unit* run = unit(first);
    run->length = unit(first + length - 1)->length = length;
    run->prev = 0;
    run->next = set->head[b];
    if (run->next) unit(run->next)->prev = first;
    set->head[b] = first;
    set->nonempty |= UINT64_C(1) << b;
    *(dirty ? &unit_totals.dirty_units : &unit_totals.clean_units) += length;
}

static void remove_run(UnitNumber first) {
    Unit* run = unit(first);
    bool dirty = run->dirty;
    RunBins* set = &bins[dirty];
    unsigned b = bin_of(run->length);
    if (run->prev)
        unit(run->prev)->next = run->next;
    else
        set->head[b] = run->next;
    if (run->next) unit(run->next)->prev = run->prev;
    if (set->head[b] == 0) set->nonempty &= ~(UINT64_C(1) << b);
    *(dirty ? &unit_totals.dirty_units : &unit_totals.clean_units) -= run->length;
}

// One run whose units are all dirty or all clean: joined with its neighbours of the same kind.
static void give_uniform(UnitNumber first, UnitNumber length, bool dirty, uint64_t now) {
    for (UnitNumber u = first; u < first + length; u++) {
        unit(u)->kind = UNIT_FREE;
        unit(u)->dirty = dirty;
        unit(u)->freed_ms = now;
    }
    UnitNumber end = first + length;
    if (end < hak_heap.mapped && unit(end)->kind == UNIT_FREE && unit(end)->dirty == dirty) {
        UnitNumber more = unit(end)->length;
        remove_run(end);
        length += more;
    }
    if (unit(first - 1)->kind == UNIT_FREE && unit(first - 1)->dirty == dirty) {  // unit 0 is UNIT_NONE
        UnitNumber before = unit(first - 1)->length;
        remove_run(first - before);
        first -= before;
        length += before;
    }
    unit(first)->freed_ms = now;
    insert_run(first, length, dirty);
}

void units_give(UnitNumber first, UnitNumber length) {
    uint64_t now = os_clock_ms();
    for (UnitNumber u = first, end = first + length; u < end;) {
        UnitNumber from = u;
        bool dirty = unit(u)->dirty;
        while (u < end && unit(u)->dirty == dirty) u++;
        give_uniform(from, u - from, dirty, now);
    }
}

void units_add_fresh(UnitNumber first, UnitNumber length) {
    give_uniform(first, length, false, 0);
}

// How many units must be skipped at the start of a run so that the rest starts aligned.
static UnitNumber skip_to_align(UnitNumber first, UnitNumber align) {
    uintptr_t at = (uintptr_t)unit_address(first), bytes = (uintptr_t)align << UNIT_SHIFT;
    return (UnitNumber)((align_up(at, bytes) - at) >> UNIT_SHIFT);
}

static bool fits(UnitNumber first, UnitNumber length, UnitNumber align) {
    return unit(first)->length >= length + skip_to_align(first, align);
}

// Best fit among the first few runs of the smallest bin that has one, then of the next.
static UnitNumber find(const RunBins* set, UnitNumber length, UnitNumber align) {
    uint64_t candidates = set->nonempty & ~((UINT64_C(1) << bin_of(length)) - 1);
    for (; candidates; candidates &= candidates - 1) {
        UnitNumber best = 0;
        int looked = 0;
        for (UnitNumber u = set->head[lowest_bit(candidates)]; u && looked < LOOK_AT; u = unit(u)->next, looked++)
            if (fits(u, length, align) && (best == 0 || unit(u)->length < unit(best)->length)) best = u;
        if (best) return best;
    }
    return 0;
}

// Cuts [from, from + length) out of the free run that starts at `run`.
static void cut(UnitNumber run, UnitNumber from, UnitNumber length) {
    UnitNumber total = unit(run)->length, before = from - run, after = total - before - length;
    bool dirty = unit(run)->dirty;
    uint64_t freed = unit(run)->freed_ms;
    remove_run(run);
    if (before) insert_run(run, before, dirty);
    if (after) {
        unit(from + length)->freed_ms = freed;
        insert_run(from + length, after, dirty);
    }
    for (UnitNumber u = from; u < from + length; u++) unit(u)->kind = UNIT_NONE;
}

static UnitNumber take_from(const RunBins* set, UnitNumber length, UnitNumber align) {
    UnitNumber run = find(set, length, align);
    if (run == 0) return 0;
    UnitNumber from = run + skip_to_align(run, align);
    cut(run, from, length);
    return from;
}

UnitNumber units_take(UnitNumber length, UnitNumber align) {
    UnitNumber u = take_from(&bins[true], length, align);
    if (u == 0) u = take_from(&bins[false], length, align);
    if (u == 0 && heap_grow(length + align - 1)) u = take_from(&bins[false], length, align);
    // Purged runs join the clean ones, and together they may suffice.
    if (u == 0 && purge_everything_free()) u = take_from(&bins[false], length, align);
    if (u == 0 || units_open(u, length)) return u;
    units_give(u, length);
    return 0;
}

// Free units right behind `first`, `first` included; a dirty and a clean run may follow each other.
static UnitNumber free_from(UnitNumber first) {
    UnitNumber u = first;
    while (u < hak_heap.mapped && unit(u)->kind == UNIT_FREE) u += unit(u)->length;
    return u - first;
}

bool units_take_behind(UnitNumber first, UnitNumber length) {
    UnitNumber there = free_from(first);
    if (there < length) {
        if (first + there != hak_heap.mapped || !heap_grow(length - there) || free_from(first) < length) return false;
    }
    // `first` begins a free run: the unit before it belongs to the block that grows.
    for (UnitNumber u = first, left = length, piece; left > 0; u += piece, left -= piece) {
        piece = unit(u)->length < left ? unit(u)->length : left;
        cut(u, u, piece);
    }
    if (units_open(first, length)) return true;
    units_give(first, length);
    return false;
}

void units_are_fresh(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) {
        unit_totals.moved_units -= unit(u)->moved;
        unit(u)->dirty = unit(u)->huge_pages = unit(u)->moved = 0;
        unit(u)->closed_slabs = 0;
    }
}

void units_are_moved(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) {
        unit_totals.moved_units += !unit(u)->moved;
        unit(u)->dirty = unit(u)->moved = 1;
    }
}

void units_lose(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) unit(u)->kind = UNIT_LOST;
    unit_totals.lost_units += length;
}

void units_recover(void) {
    for (UnitNumber u = 1; unit_totals.lost_units && u < hak_heap.mapped; u++) {
        if (unit(u)->kind != UNIT_LOST) continue;
        if (!os_map_over(unit_address(u), UNIT_SIZE)) return;
        units_are_fresh(u, 1);
        unit_totals.lost_units--;
        units_give(u, 1);
    }
}

UnitNumber units_take_dirty_run(uint64_t before, UnitNumber* length) {
    UnitNumber oldest = 0;
    for (uint64_t left = bins[true].nonempty; left; left &= left - 1) {
        int looked = 0;
        for (UnitNumber u = bins[true].head[lowest_bit(left)]; u && looked < LOOK_AT; u = unit(u)->next, looked++)
            if (oldest == 0 || unit(u)->freed_ms < unit(oldest)->freed_ms) oldest = u;
    }
    if (oldest == 0 || unit(oldest)->freed_ms > before) return 0;
    *length = unit(oldest)->length;
    cut(oldest, oldest, *length);
    return oldest;
}
