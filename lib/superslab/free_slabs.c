#include "superslab/free_slabs.h"

#include "base/text.h"
#include "config/options.h"
#include "count/counters.h"
#include "os/os.h"
#include "superslab/closed.h"
#include "superslab/unit_list.h"
#include "superslab/units.h"

FreeSlabTotals free_slab_totals;

// SuperSlabs with free slabs. First is the one that most recently got a slab back: its memory is the warmest.
static UnitNumber with_free, with_free_last;
static const UnitList list = {&with_free, &with_free_last};

// Slabs that were free when a copy of the process was made, and are never used again.
static uint32_t forgotten;

// The least number of free dirty slabs since the surplus was last purged.
static uint32_t least_dirty;

bool slabs_are_mappings(void) {
    return hak_option(use_superslab) == 0;
}

static bool is_guarded(void) {
    return HAK_CHECKED && hak_option(guard) && !slabs_are_mappings();
}

// Slabs of a new SuperSlab that are never taken. A write that goes on for a megabyte meets one.
static uint32_t gaps(void) {
    enum { MIDDLE = SLABS_PER_UNIT / 2 - 1, LAST = SLABS_PER_UNIT - 1 };
    return is_guarded() ? 1u << MIDDLE | 1u << LAST : 0;
}

// Takes the lowest free slab of u, a warm one if there is one.
static SlabNumber take_slab_of(UnitNumber u, bool* clean) {
    Unit* unit = &hak_heap.unit[u];
    uint32_t warm = unit->free_slabs & unit->dirty_slabs;
    unsigned i = lowest_bit(warm ? warm : unit->free_slabs);
    uint32_t bit = 1u << i;
    bool was_dirty = (unit->dirty_slabs & bit) != 0;
    // If unmapping it failed, the slab is dirty and still mapped.
    if (slabs_are_mappings() && !was_dirty && !os_map_at(slab_address(first_slab(u) + i), SLAB_SIZE)) return 0;
    if (!slab_open(first_slab(u) + i)) return 0;
    free_slab_totals.dirty -= was_dirty;
    if (free_slab_totals.dirty < least_dirty) least_dirty = free_slab_totals.dirty;
    *clean = !was_dirty;
    unit->dirty_slabs |= bit;
    unit->free_slabs &= ~bit;
    if (unit->free_slabs == 0) unit_list_remove(list, u);
    free_slab_totals.taken++;
    counter_add_shared(HAK_C_slab_taken, 1);
    return first_slab(u) + i;
}

SlabNumber free_slabs_take(bool* clean) {
    return with_free ? take_slab_of(with_free, clean) : 0;
}

bool free_slabs_put(SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    uint32_t bit = 1u << (s % SLABS_PER_UNIT);
    Unit* unit = &hak_heap.unit[u];
    if (slabs_are_mappings() && os_unmap(slab_address(s), SLAB_SIZE)) unit->dirty_slabs &= ~bit;
    if (unit->free_slabs) unit_list_remove(list, u);
    if (is_guarded()) slab_close(s);
    unit->free_slabs |= bit;
    unit_list_push(list, u);
    free_slab_totals.taken--;
    free_slab_totals.dirty += (unit->dirty_slabs & bit) != 0;
    counter_add_shared(HAK_C_slab_released, 1);
    return (unit->free_slabs | unit->gap_slabs) == UINT32_MAX;
}

bool free_slabs_add(UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    if (slabs_are_mappings() && !os_unmap(unit_address(u), UNIT_SIZE)) return false;
    if (!slabs_are_mappings()) unit_close_to_cut(u);
    unit->gap_slabs = gaps();
    unit->free_slabs = ~unit->gap_slabs;
    unit->freed_ms = 0;
    unit->dirty_slabs = unit->dirty && !slabs_are_mappings() ? UINT32_MAX : 0;
    free_slab_totals.dirty += (uint32_t)__builtin_popcount(unit->free_slabs & unit->dirty_slabs);
    unit_list_push(list, u);
    return true;
}

bool free_slabs_remove(UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    unit_list_remove(list, u);
    free_slab_totals.dirty -= (uint32_t)__builtin_popcount(unit->free_slabs & unit->dirty_slabs);
    unit->dirty = unit->dirty_slabs != 0;
    // If its slabs may still be mapped, the unit cannot serve anything else.
    if (!slabs_are_mappings() || units_unmap(u, 1)) return true;
    unit->dirty_slabs = 0;
    unit_list_push(list, u);
    return false;
}

// --- back to the system

// Locked memory stays locked if the system can do that. Otherwise fresh memory replaces it: free memory need not be
// locked.
static bool give_memory_back(void* at) {
    return os_purge(at, SLAB_SIZE) || os_purge_locked(at, SLAB_SIZE) || os_map_over(at, SLAB_SIZE);
}

static bool purge_slab(UnitNumber u, uint32_t bit) {
    Unit* unit = &hak_heap.unit[u];
    SlabNumber s = first_slab(u) + lowest_bit(bit);
    if (!give_memory_back(slab_address(s))) return false;
    // Otherwise the system might fill the gap to rebuild a huge page.
    if (unit->huge_pages) unit->huge_pages = !os_want_huge_pages(unit_address(u), UNIT_SIZE, false);
    slab_close(s);
    unit->dirty_slabs &= ~bit;
    free_slab_totals.dirty--;
    return true;
}

static bool mostly_free(const Unit* unit) {
    return __builtin_popcount(unit->free_slabs) > (int)SLABS_PER_UNIT / 2;
}

static bool was_refused_lately(const Unit* unit, uint64_t now) {
    enum { TRY_AGAIN_MS = 10000 };
    return unit->freed_ms != 0 && now - unit->freed_ms < TRY_AGAIN_MS;
}

// Splits a huge page only if asked to, or if most of it is free. Skips slabs that the system refuses.
static void purge_coldest(uint64_t most, bool split_huge_pages) {
    enum { REFUSALS_MOST = 8 };
    if (slabs_are_mappings()) return;  // these went back when they were freed
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

bool free_slabs_purge(uint64_t most) {
    uint32_t before = free_slab_totals.dirty;
    purge_coldest(most, true);
    return free_slab_totals.dirty != before;
}

void free_slabs_purge_surplus(uint64_t reserved) {
    uint64_t keep = reserved >> SLAB_SHIFT;
    if (least_dirty > keep) purge_coldest(least_dirty - keep, false);
    least_dirty = free_slab_totals.dirty;
}

size_t free_slabs_check(void) {
    uint32_t listed = 0, expected = 0, taken = 0, dirty = 0;
    bool linked = true;
    UnitNumber before = 0;
    for (UnitNumber u = with_free; u && linked; before = u, u = hak_heap.unit[u].next, listed++) {
        const Unit* unit = &hak_heap.unit[u];
        linked = unit->kind == UNIT_SLABS && unit->free_slabs && unit->prev == before;
    }
    linked &= before == with_free_last;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        const Unit* unit = &hak_heap.unit[u];
        if (unit->kind != UNIT_SLABS) continue;
        expected += unit->free_slabs != 0;
        taken += (uint32_t)__builtin_popcount(~unit->free_slabs & ~unit->gap_slabs);
        dirty += (uint32_t)__builtin_popcount(unit->free_slabs & unit->dirty_slabs);
    }
    bool counted = taken == free_slab_totals.taken + forgotten && dirty == free_slab_totals.dirty;
    if (linked && listed == expected && counted) return 0;
    text_warn("hakmem: check=free_slabs %u of %u SuperSlabs listed%s; %u slabs taken, %u free and dirty, %u and %u "
              "counted\n",
              listed, expected, linked ? "" : " wrongly", taken, dirty, free_slab_totals.taken, free_slab_totals.dirty);
    return 1;
}

void free_slabs_forget(void) {
    with_free = with_free_last = 0;
    least_dirty = 0;
    uint32_t more = 0;
    free_slab_totals = (FreeSlabTotals){0};
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        Unit* unit = &hak_heap.unit[u];
        if (unit->kind != UNIT_SLABS) continue;
        free_slab_totals.taken += (uint32_t)__builtin_popcount(~unit->free_slabs & ~unit->gap_slabs);
        more += (uint32_t)__builtin_popcount(unit->free_slabs);
        unit->free_slabs = 0;
    }
    free_slab_totals.taken -= forgotten;
    forgotten += more;
}
