#include "superslab/purge.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/superslab.h"
#include "superslab/units.h"

enum { DIRTY_MOST = 128 << 20 };

// Pages that were moved into a unit keep its mapping apart from its neighbours: a fresh mapping merges again.
static bool clean_run(UnitNumber first, UnitNumber length) {
    bool moved = false;
    for (UnitNumber u = first; u < first + length; u++) moved |= hak_heap.unit[u].moved;
    void* at = unit_address(first);
    size_t bytes = (size_t)length << UNIT_SHIFT;
    if (moved ? !os_map_over(at, bytes) : !os_purge(at, bytes)) return false;
    for (UnitNumber u = first; u < first + length; u++) {
        hak_heap.unit[u].dirty = 0;
        if (moved) hak_heap.unit[u].huge_pages = 0;
        hak_heap.unit[u].moved = 0;
    }
    return true;
}

static uint64_t free_dirty_bytes(void) {
    return (unit_totals.dirty_units << UNIT_SHIFT) + ((uint64_t)superslab_totals.free_dirty_slabs << SLAB_SHIFT);
}

// Purges dirty runs, the oldest first, down to `keep` bytes; only those free since before `before`.
static bool purge_runs(uint64_t keep, uint64_t before) {
    bool some = false;
    while (free_dirty_bytes() > keep) {
        UnitNumber length, u = units_take_dirty_run(before, &length);
        if (u == 0) break;
        bool went = clean_run(u, length);
        units_give(u, length);
        some |= went;
        if (!went) break;
    }
    return some;
}

// Under heap_lock; one look a tick of the coarse clock, some milliseconds, and few slabs at a look: a percent or two of the time at
// most.
static void look(uint64_t now) {
    enum { SLABS_AT_A_LOOK = 16 };
    uint64_t reserve = (uint64_t)hak_option(reserve), idle = (uint64_t)hak_option(purge_ms);
    purge_runs(reserve, now > idle ? now - idle : 0);
    uint64_t slabs = (free_dirty_bytes() - reserve) >> SLAB_SHIFT;
    if (free_dirty_bytes() > reserve)
        superslab_purge_coldest_slabs(slabs < SLABS_AT_A_LOOK ? (uint32_t)slabs : SLABS_AT_A_LOOK);
}

void purge_tick(void) {
    static uint64_t last_look;  // under heap_lock
    uint64_t dirty = free_dirty_bytes();
    if (dirty <= (uint64_t)hak_option(reserve)) return;
    uint64_t live = ((uint64_t)(hak_heap.mapped - 1 - unit_totals.dirty_units - unit_totals.clean_units)) << UNIT_SHIFT;
    uint64_t most = live / 2 < DIRTY_MOST ? DIRTY_MOST : live / 2;
    if (dirty > most) purge_runs(most, UINT64_MAX);
    uint64_t now = os_clock_ms();
    if (now == last_look) return;
    last_look = now;
    look(now);
}

bool purge_free(size_t keep) {
    units_recover();
    bool some = purge_runs(keep, UINT64_MAX);
    if (free_dirty_bytes() > keep) some |= superslab_purge_free_slabs();
    return some;
}

bool purge_everything_free(void) {
    return purge_free(0);
}
