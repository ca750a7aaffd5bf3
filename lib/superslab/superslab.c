#include "superslab/superslab.h"

#include "config/options.h"
#include "observe/counters.h"
#include "os/os.h"
#include "superslab/closed.h"
#include "superslab/purge.h"
#include "superslab/units.h"

SuperSlabTotals superslab_totals;

// SuperSlabs with free slabs, the one that most recently got a slab back first: its memory is the warmest.
static UnitNumber with_free, with_free_last;

// The least number of free dirty slabs since the last look for surplus ones.
static uint32_t least_dirty;

// Huge pages are worth their memory where much is in use already, and used up: then another 2 MiB is a small part of it. Of page runs,
// by one thread: each has SuperSlabs of its own.
enum { ADAPTIVE_SLABS = 16 * SLABS_PER_UNIT, ADAPTIVE_RUNS = 8 };

static bool slabs_are_mappings(void) {
    return hak_option(use_superslab) == 0;
}

static void list_push(UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    unit->prev = 0;
    unit->next = with_free;
    if (with_free)
        hak_heap.unit[with_free].prev = u;
    else
        with_free_last = u;
    with_free = u;
}

static void list_remove(UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    if (unit->prev)
        hak_heap.unit[unit->prev].next = unit->next;
    else
        with_free = unit->next;
    if (unit->next)
        hak_heap.unit[unit->next].prev = unit->prev;
    else
        with_free_last = unit->prev;
}

static void want_huge_pages(UnitNumber u, bool much_in_use) {
    int64_t mode = hak_option(thp);
    Unit* unit = &hak_heap.unit[u];
    bool worth_it = mode == 2 || (mode == 1 && much_in_use);
    if (worth_it && !unit->huge_pages && !unit->dirty && !slabs_are_mappings())
        unit->huge_pages = os_want_huge_pages(unit_address(u), UNIT_SIZE, true);
}

static UnitNumber make(UnitKind kind, bool much_in_use) {
    UnitNumber u = units_take(1, 1);
    if (u == 0) return 0;
    Unit* unit = &hak_heap.unit[u];
    counter_add_shared(HAK_C_superslab_made, 1);
    if (unit->dirty) counter_add_shared(HAK_C_superslab_reused, 1);
    want_huge_pages(u, much_in_use);
    unit->kind = (uint8_t)kind;
    superslab_totals.superslabs++;
    return u;
}

static void unmake(UnitNumber u) {
    hak_heap.unit[u].kind = UNIT_NONE;
    superslab_totals.superslabs--;
    counter_add_shared(HAK_C_superslab_released, 1);
    units_give(u, 1);
    purge_tick();
}

// Takes the lowest free slab of u, one that is warm if there is one. Under heap_lock.
static SlabNumber take_slab_of(UnitNumber u, bool* clean) {
    Unit* unit = &hak_heap.unit[u];
    uint32_t warm = unit->free_slabs & unit->dirty_slabs;
    unsigned i = lowest_bit(warm ? warm : unit->free_slabs);
    uint32_t bit = 1u << i;
    bool was_dirty = (unit->dirty_slabs & bit) != 0;
    // A slab that could not be unmapped is dirty and still there.
    if (slabs_are_mappings() && !was_dirty && !os_map_at(slab_address(first_slab(u) + i), SLAB_SIZE)) return 0;
    if (!slab_open(first_slab(u) + i)) return 0;
    superslab_totals.free_dirty_slabs -= was_dirty;
    if (superslab_totals.free_dirty_slabs < least_dirty) least_dirty = superslab_totals.free_dirty_slabs;
    *clean = !was_dirty;
    unit->dirty_slabs |= bit;
    unit->free_slabs &= ~bit;
    if (unit->free_slabs == 0) list_remove(u);
    superslab_totals.slabs++;
    counter_add_shared(HAK_C_slab_taken, 1);
    return first_slab(u) + i;
}

SlabNumber superslab_take_slab(bool* clean) {
    hak_lock(&heap_lock);
    SlabNumber s = with_free ? take_slab_of(with_free, clean) : 0;
    hak_unlock(&heap_lock);
    return s;
}

static void unmake_slabs(UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    list_remove(u);
    superslab_totals.free_dirty_slabs -= (uint32_t)__builtin_popcount(unit->dirty_slabs);
    unit->dirty = unit->dirty_slabs != 0;
    if (slabs_are_mappings()) {
        // With slabs that may be mapped the unit can serve nobody else: it stays a SuperSlab without slabs.
        if (!units_unmap(u, 1)) {
            unit->dirty_slabs = 0;
            list_push(u);
            return;
        }
    }
    unmake(u);
}

SlabNumber superslab_make(bool used_up, bool* clean) {
    hak_lock(&heap_lock);
    SlabNumber s = 0;
    UnitNumber u = make(UNIT_SLABS, used_up && superslab_totals.slabs >= ADAPTIVE_SLABS);
    if (u && slabs_are_mappings() && !os_unmap(unit_address(u), UNIT_SIZE)) {
        unmake(u);
        u = 0;
    }
    if (u) {
        Unit* unit = &hak_heap.unit[u];
        unit->free_slabs = UINT32_MAX;
        unit->freed_ms = 0;
        unit->dirty_slabs = unit->dirty && !slabs_are_mappings() ? UINT32_MAX : 0;
        superslab_totals.free_dirty_slabs += unit->dirty_slabs ? SLABS_PER_UNIT : 0;
        list_push(u);
        s = take_slab_of(u, clean);
        if (s == 0) unmake_slabs(u);
    }
    hak_unlock(&heap_lock);
    return s;
}

void superslab_give_slab(SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    uint32_t bit = 1u << (s % SLABS_PER_UNIT);
    hak_lock(&heap_lock);
    Unit* unit = &hak_heap.unit[u];
    if (slabs_are_mappings() && os_unmap(slab_address(s), SLAB_SIZE)) unit->dirty_slabs &= ~bit;
    if (unit->free_slabs) list_remove(u);
    unit->free_slabs |= bit;
    list_push(u);
    superslab_totals.slabs--;
    superslab_totals.free_dirty_slabs += (unit->dirty_slabs & bit) != 0;
    counter_add_shared(HAK_C_slab_released, 1);
    if (unit->free_slabs == UINT32_MAX)
        unmake_slabs(u);
    else
        purge_tick();
    hak_unlock(&heap_lock);
}

SlabNumber superslab_make_runs(uint32_t beside, bool* clean) {
    hak_lock(&heap_lock);
    UnitNumber u = make(UNIT_RUNS, beside >= ADAPTIVE_RUNS);
    if (u) {
        *clean = !hak_heap.unit[u].dirty;
        hak_heap.unit[u].dirty = 1;
    }
    hak_unlock(&heap_lock);
    return first_slab(u);
}

void superslab_give_runs(SlabNumber s) {
    hak_lock(&heap_lock);
    unmake(unit_of_slab(s));
    hak_unlock(&heap_lock);
}

// Locked memory stays locked where the system can do that. Otherwise fresh memory takes its place: free memory need not be locked.
static bool give_memory_back(void* at) {
    return os_purge(at, SLAB_SIZE) || os_purge_locked(at, SLAB_SIZE) || os_map_over(at, SLAB_SIZE);
}

static bool purge_slab(UnitNumber u, uint32_t bit) {
    Unit* unit = &hak_heap.unit[u];
    SlabNumber s = first_slab(u) + lowest_bit(bit);
    if (!give_memory_back(slab_address(s))) return false;
    // Else the system might fill the gap to make a huge page again.
    if (unit->huge_pages) unit->huge_pages = !os_want_huge_pages(unit_address(u), UNIT_SIZE, false);
    slab_close(s);
    unit->dirty_slabs &= ~bit;
    superslab_totals.free_dirty_slabs--;
    return true;
}

static bool mostly_free(const Unit* unit) {
    return __builtin_popcount(unit->free_slabs) > (int)SLABS_PER_UNIT / 2;
}

static bool was_refused_lately(const Unit* unit, uint64_t now) {
    enum { TRY_AGAIN_MS = 10000 };
    return unit->freed_ms != 0 && now - unit->freed_ms < TRY_AGAIN_MS;
}

// A huge page is split only where asked for, or where most of it is free. What the system refuses is passed over.
static void purge_coldest(uint64_t most, bool split_huge_pages) {
    enum { REFUSALS_MOST = 8 };
    if (slabs_are_mappings()) return;  // given back when freed
    uint64_t now = os_clock_ms();
    unsigned refusals = 0;
    for (UnitNumber u = with_free_last; u && most > 0 && refusals < REFUSALS_MOST; u = hak_heap.unit[u].prev) {
        Unit* unit = &hak_heap.unit[u];
        if (unit->huge_pages && !split_huge_pages && !mostly_free(unit)) continue;
        if (was_refused_lately(unit, now)) continue;
        for (uint32_t left = unit->free_slabs & unit->dirty_slabs; left && most > 0; left &= left - 1) {
            if (purge_slab(u, left & -left)) {
                most--;
            } else {
                unit->freed_ms = now;
                refusals++;
                break;
            }
        }
    }
}

bool superslab_purge_free_slabs(uint64_t most) {
    uint32_t before = superslab_totals.free_dirty_slabs;
    purge_coldest(most, true);
    return superslab_totals.free_dirty_slabs != before;
}

void superslab_purge_surplus(uint64_t reserve) {
    uint64_t keep = reserve >> SLAB_SHIFT;
    if (least_dirty > keep) purge_coldest(least_dirty - keep, false);
    least_dirty = superslab_totals.free_dirty_slabs;
}

static void forget_free_of(Unit* unit) {
    superslab_totals.superslabs += unit->kind == UNIT_SLABS || unit->kind == UNIT_RUNS;
    superslab_totals.huge_units += unit->kind == UNIT_HUGE || unit->kind == UNIT_HUGE_REST;
    if (unit->kind != UNIT_SLABS) return;
    superslab_totals.slabs += (uint32_t)__builtin_popcount(~unit->free_slabs);
    unit->free_slabs = 0;
}

void superslab_forget_free(void) {
    with_free = with_free_last = 0;
    least_dirty = 0;
    superslab_totals = (SuperSlabTotals){0};
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) forget_free_of(&hak_heap.unit[u]);
    units_forget_free();
    heap_forget_tries();
}
