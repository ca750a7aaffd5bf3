#include "superslab/units.h"

#include "base/text.h"
#include "count/counters.h"
#include "os/os.h"
#include "superslab/closed.h"
#include "superslab/unit_list.h"

// Lists of free runs by length: one each for 1..EXACT_BINS, then one per doubling.
enum { EXACT_BINS = 32, BINS = 56, PROBES = 32 };

typedef struct {
    uint64_t nonempty;  // bit b: head[b] is not 0
    UnitNumber head[BINS];
} RunBins;

typedef enum { CLEAN, DIRTY, ABSENT, STATES } RunState;

static RunBins bins[STATES];
UnitTotals unit_totals;

static Unit* unit(UnitNumber u) {
    return &hak_heap.unit[u];
}

static RunState state_of(UnitNumber u) {
    return unit(u)->absent ? ABSENT : unit(u)->dirty ? DIRTY : CLEAN;
}

// hak_heap.absent is not counted here, but where units are mapped and unmapped.
static void count_free(RunState state, int64_t units) {
    if (state == ABSENT) unit_totals.holes += units > 0 ? 1 : UINT64_MAX;
    if (state == DIRTY) unit_totals.dirty_units += (uint64_t)units;
    if (state == CLEAN) unit_totals.clean_units += (uint64_t)units;
}

static unsigned bin_of(UnitNumber length) {
    return length <= EXACT_BINS ? length - 1 : EXACT_BINS - 6 + log2_floor(length) + 1;
}
_Static_assert(EXACT_BINS - 6 + 22 + 2 <= BINS && BINS <= 64, "every length has a bin");

static void insert_run(UnitNumber first, UnitNumber length, RunState state) {
    RunBins* set = &bins[state];
    unsigned b = bin_of(length);
    Unit* run = unit(first);
    run->length = unit(first + length - 1)->length = length;
    unit_list_push((UnitList){&set->head[b], NULL}, first);
    set->nonempty |= UINT64_C(1) << b;
    count_free(state, length);
}

static void remove_run(UnitNumber first) {
    Unit* run = unit(first);
    RunState state = state_of(first);
    RunBins* set = &bins[state];
    unsigned b = bin_of(run->length);
    unit_list_remove((UnitList){&set->head[b], NULL}, first);
    if (set->head[b] == 0) set->nonempty &= ~(UINT64_C(1) << b);
    count_free(state, -(int64_t)run->length);
}

static bool is_free(UnitNumber u, RunState state) {
    return unit(u)->kind == UNIT_FREE && state_of(u) == state;
}

// Adds a run of units in one state, and joins it with neighbours in that state.
static void give_uniform(UnitNumber first, UnitNumber length, RunState state, uint64_t when) {
    if (state != ABSENT) units_close(first, length);
    for (UnitNumber u = first; u < first + length; u++) {
        unit(u)->kind = UNIT_FREE;
        unit(u)->freed_ms = when;
    }
    UnitNumber end = first + length;
    if (end < hak_heap.mapped && is_free(end, state)) {
        UnitNumber more = unit(end)->length;
        remove_run(end);
        length += more;
    }
    if (is_free(first - 1, state)) {  // unit 0 is UNIT_NONE
        UnitNumber before = unit(first - 1)->length;
        remove_run(first - before);
        first -= before;
        length += before;
    }
    unit(first)->freed_ms = when;
    insert_run(first, length, state);
}

static void give_at(UnitNumber first, UnitNumber length, uint64_t when) {
    for (UnitNumber u = first, end = first + length; u < end;) {
        UnitNumber from = u;
        RunState state = state_of(u);
        while (u < end && state_of(u) == state) u++;
        give_uniform(from, u - from, state, when);
    }
}

void units_give(UnitNumber first, UnitNumber length) {
    give_at(first, length, os_clock_ms());
}

void units_give_refused(UnitNumber first, UnitNumber length, uint64_t when) {
    give_at(first, length, when);
}

// How many units to skip at the start of a run so that the rest is aligned.
static UnitNumber skip_to_align(UnitNumber first, UnitNumber align) {
    uintptr_t at = (uintptr_t)unit_address(first), bytes = (uintptr_t)align << UNIT_SHIFT;
    return (UnitNumber)((align_up(at, bytes) - at) >> UNIT_SHIFT);
}

static bool fits(UnitNumber first, UnitNumber length, UnitNumber align) {
    return unit(first)->length >= length + skip_to_align(first, align);
}

// Best fit among the first PROBES runs of the smallest bin that has one that fits, then of the next bin.
static UnitNumber find(const RunBins* set, UnitNumber length, UnitNumber align) {
    uint64_t candidates = set->nonempty & ~((UINT64_C(1) << bin_of(length)) - 1);
    for (; candidates; candidates &= candidates - 1) {
        UnitNumber best = 0;
        int probed = 0;
        for (UnitNumber u = set->head[lowest_bit(candidates)]; u && probed < PROBES; u = unit(u)->next, probed++)
            if (fits(u, length, align) && (best == 0 || unit(u)->length < unit(best)->length)) best = u;
        if (best) return best;
    }
    return 0;
}

// Takes [from, from + length) out of the free run that starts at `run`.
static void cut(UnitNumber run, UnitNumber from, UnitNumber length) {
    UnitNumber total = unit(run)->length, before = from - run, after = total - before - length;
    RunState state = state_of(run);
    uint64_t freed = unit(run)->freed_ms;
    remove_run(run);
    if (before) insert_run(run, before, state);
    if (after) {
        unit(from + length)->freed_ms = freed;
        insert_run(from + length, after, state);
    }
    for (UnitNumber u = from; u < from + length; u++) unit(u)->kind = UNIT_NONE;
}

static UnitNumber take_from(RunState state, UnitNumber length, UnitNumber align) {
    UnitNumber run = find(&bins[state], length, align);
    if (run == 0) return 0;
    UnitNumber from = run + skip_to_align(run, align);
    cut(run, from, length);
    return from;
}

UnitNumber units_take_dirty(UnitNumber length, UnitNumber align) {
    return take_from(DIRTY, length, align);
}

UnitNumber units_take_clean(UnitNumber length, UnitNumber align) {
    return take_from(CLEAN, length, align);
}

// After units could not be mapped together. false: something else is mapped there, and the unit is a gap from now on.
static bool map_or_leave(UnitNumber u) {
    bool occupied = false;
    if (!unit(u)->absent) return true;
    bool mapped = heap_map(u, 1, &occupied);
    if (mapped || occupied) units_are_present(u, 1);
    if (!mapped && occupied) heap_leave_gap(u);
    return mapped || !occupied;
}

// If that fails, the units are free again, except those that others have mapped.
bool units_map_absent(UnitNumber first, UnitNumber length) {
    bool occupied = false, ok = true;
    for (UnitNumber u = first, end = first + length; ok && u < end;) {
        UnitNumber from = u;
        while (u < end && unit(u)->absent) u++;
        if (u > from) ok = heap_map(from, u - from, &occupied);
        if (u > from && ok) units_are_present(from, u - from);
        while (u < end && !unit(u)->absent) u++;
    }
    for (UnitNumber u = first; !ok && u < first + length; u++)
        if (!occupied || map_or_leave(u)) units_give(u, 1);
    return ok;
}

UnitNumber units_take_absent(UnitNumber length, UnitNumber align) {
    UnitNumber u = hak_heap.absent < length ? 0 : take_from(ABSENT, length, align);
    return u && units_map_absent(u, length) ? u : 0;
}

UnitNumber units_take_unmapped(UnitNumber length) {
    UnitNumber u = take_from(ABSENT, length, 1);
    if (u) return u;
    UnitNumber fresh = heap_extend(length);
    if (fresh == 0) return 0;
    units_are_absent(fresh, length);
    units_give(fresh, length);
    return take_from(ABSENT, length, 1);
}

bool units_grow(UnitNumber length) {
    UnitRange fresh = heap_grow(length);
    if (fresh.length == 0) return false;
    give_uniform(fresh.first, fresh.length, CLEAN, 0);
    return true;
}

UnitNumber units_free_from(UnitNumber first) {
    UnitNumber u = first;
    while (u < hak_heap.mapped && unit(u)->kind == UNIT_FREE) u += unit(u)->length;
    return u - first;
}

bool units_take_at(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first, left = length, piece; left > 0; u += piece, left -= piece) {
        piece = unit(u)->length < left ? unit(u)->length : left;
        cut(u, u, piece);
    }
    return units_map_absent(first, length);
}

void units_are_fresh(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) {
        unit_totals.moved_units -= unit(u)->moved;
        unit(u)->dirty = unit(u)->huge_pages = unit(u)->moved = 0;
    }
    units_are_open(first, length);
}

void units_are_moved(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) {
        unit_totals.moved_units += !unit(u)->moved;
        unit(u)->dirty = unit(u)->moved = 1;
    }
}

void units_are_absent(UnitNumber first, UnitNumber length) {
    units_are_fresh(first, length);
    for (UnitNumber u = first; u < first + length; u++) unit(u)->absent = 1;
    hak_heap.absent += length;
}

void units_are_present(UnitNumber first, UnitNumber length) {
    for (UnitNumber u = first; u < first + length; u++) unit(u)->absent = 0;
    hak_heap.absent -= length;
}

static bool unmap(UnitNumber first, UnitNumber length, size_t bytes) {
    if (!os_unmap(unit_address(first), bytes)) return false;
    for (UnitNumber u = first; u < first + length; u++)
        if (unit(u)->dirty) counter_add_shared(HAK_C_purged_bytes, UNIT_SIZE);
    units_are_absent(first, length);
    return true;
}

bool units_unmap(UnitNumber first, UnitNumber length) {
    return unmap(first, length, (size_t)length << UNIT_SHIFT);
}

void units_unmap_or_lose(UnitNumber first, UnitNumber length, size_t bytes) {
    if (unmap(first, length, bytes)) {
        units_give(first, length);
        return;
    }
    UnitNumber last = first + length - 1;
    for (UnitNumber u = first; u <= last; u++) unit(u)->kind = UNIT_LOST;
    unit_totals.lost_units += length;
    unit(last)->cut = (uint16_t)(bytes >> PAGE_SHIFT & (PAGES_PER_UNIT - 1));
}

void units_recover(void) {
    for (UnitNumber u = 1; unit_totals.lost_units && u < hak_heap.mapped; u++) {
        if (unit(u)->kind != UNIT_LOST) continue;
        if (!unmap(u, 1, unit(u)->cut ? (size_t)unit(u)->cut << PAGE_SHIFT : UNIT_SIZE)) return;
        unit(u)->cut = 0;
        unit_totals.lost_units--;
        units_give(u, 1);
    }
}

bool units_unmap_runs(bool dirty) {
    RunBins* set = &bins[dirty ? DIRTY : CLEAN];
    bool some = false, ok = true;
    while (ok && set->nonempty && unit_totals.holes < HOLES_MOST) {
        UnitNumber u = set->head[log2_floor(set->nonempty)], length = unit(u)->length;
        cut(u, u, length);
        ok = units_unmap(u, length);
        units_give(u, length);
        some |= ok;
    }
    return some;
}

UnitNumber units_take_dirty_run(uint64_t before, UnitNumber* length) {
    UnitNumber oldest = 0;
    for (uint64_t left = bins[DIRTY].nonempty; left; left &= left - 1) {
        int probed = 0;
        for (UnitNumber u = bins[DIRTY].head[lowest_bit(left)]; u && probed < PROBES; u = unit(u)->next, probed++)
            if (oldest == 0 || unit(u)->freed_ms < unit(oldest)->freed_ms) oldest = u;
    }
    if (oldest == 0 || unit(oldest)->freed_ms > before) return 0;
    *length = unit(oldest)->length;
    cut(oldest, oldest, *length);
    return oldest;
}

static bool is_in_its_list(UnitNumber first, UnitNumber before, RunState state, unsigned bin) {
    const Unit* run = unit(first);
    if (!is_free(first, state) || run->prev != before || bin_of(run->length) != bin) return false;
    UnitNumber end = first + run->length;
    return !is_free(first - 1, state) && (end >= hak_heap.mapped || !is_free(end, state));
}

size_t units_check(void) {
    const uint64_t counted[STATES] = {unit_totals.clean_units, unit_totals.dirty_units, hak_heap.absent};
    size_t wrong = 0;
    for (RunState state = 0; state < STATES; state++) {
        uint64_t units = 0, runs = 0;
        bool right = true;
        for (unsigned b = 0; b < BINS; b++) {
            UnitNumber before = 0, u = bins[state].head[b];
            right &= (bins[state].nonempty >> b & 1) == (u != 0);
            for (; u && right; before = u, u = unit(u)->next, runs++) {
                right = is_in_its_list(u, before, state, b);
                units += unit(u)->length;
            }
        }
        if (right && units == counted[state] && (state != ABSENT || runs == unit_totals.holes)) continue;
        text_warn("hakmem: check=units lists of state %d: %lu units in %lu runs, %lu counted%s\n", (int)state,
                  (unsigned long)units, (unsigned long)runs, (unsigned long)counted[state],
                  right ? "" : ", one run in a wrong list or not joined");
        wrong++;
    }
    return wrong;
}

void units_forget_free(void) {
    for (int state = 0; state < STATES; state++) bins[state] = (RunBins){0};
    unit_totals = (UnitTotals){0};
    hak_heap.absent = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        if (unit(u)->kind == UNIT_FREE) unit(u)->kind = UNIT_NONE;
        unit_totals.lost_units += unit(u)->kind == UNIT_LOST;
        unit_totals.moved_units += unit(u)->moved && unit(u)->kind != UNIT_NONE;
    }
    heap_count_gaps();
}
