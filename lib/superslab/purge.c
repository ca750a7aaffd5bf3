#include "superslab/purge.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/free_slabs.h"
#include "superslab/pressure.h"
#include "superslab/tails.h"
#include "superslab/units.h"

enum { DIRTY_MOST = 128 << 20, TRY_AGAIN_MS = 10000 };

// Pages that were moved into a unit keep its mapping apart from its neighbours; a fresh mapping merges again. It also
// drops the request for huge pages: the next user of the unit may want a single page.
static bool clean_run(UnitNumber first, UnitNumber length) {
    bool anew = false;
    for (UnitNumber u = first; u < first + length; u++) anew |= hak_heap.unit[u].moved || hak_heap.unit[u].huge_pages;
    if (anew || !os_purge(unit_address(first), (size_t)length << UNIT_SHIFT)) return units_unmap(first, length);
    for (UnitNumber u = first; u < first + length; u++) hak_heap.unit[u].dirty = 0;
    return true;
}

static uint64_t free_dirty_bytes(void) {
    return (unit_totals.dirty_units << UNIT_SHIFT) + ((uint64_t)free_slab_totals.dirty << SLAB_SHIFT);
}

// Purges dirty runs, the oldest first, down to `keep` bytes; only runs free since before `before`. Runs that the system
// refuses are held aside until the end.
static bool purge_runs(uint64_t keep, uint64_t before) {
    enum { REFUSALS_MOST = 8 };
    UnitNumber refused[REFUSALS_MOST];
    unsigned refusals = 0;
    bool some = false;
    while (free_dirty_bytes() > keep && refusals < REFUSALS_MOST) {
        UnitNumber length, u = units_take_dirty_run(before, &length);
        if (u == 0) break;
        if (clean_run(u, length)) {
            units_give(u, length);
            some = true;
        } else
            refused[refusals++] = u;
    }
    for (unsigned i = 0; i < refusals; i++)
        units_give_refused(refused[i], hak_heap.unit[refused[i]].length, os_clock_ms() + TRY_AGAIN_MS);
    return some;
}

static uint64_t last_given;  // when units or slabs were last given back

bool purge_is_idle_for(uint64_t ms) {
    return os_clock_ms() >= last_given + ms;
}

void purge_aged(uint64_t now) {
    static uint64_t next_scan;
    uint64_t dirty = free_dirty_bytes(), reserve = (uint64_t)hak_option(reserve);
    if (dirty <= reserve) return;
    uint64_t live = (uint64_t)(heap_units() - unit_totals.dirty_units - unit_totals.clean_units) << UNIT_SHIFT;
    uint64_t most = live < DIRTY_MOST ? DIRTY_MOST : live;
    if (dirty > most) purge_runs(most, now);
    uint64_t idle = (uint64_t)hak_option(purge_ms);
    if (now < next_scan) return;
    next_scan = now + idle;
    purge_runs(reserve, now > idle ? now - idle : 0);
    free_slabs_purge_surplus(reserve);
}

void purge_tick(void) {
    last_given = os_clock_ms();
    purge_aged(last_given);
}

static bool purge_down_to(uint64_t keep) {
    bool some = purge_runs(keep, UINT64_MAX);
    uint64_t dirty = free_dirty_bytes();
    if (dirty > keep) some |= free_slabs_purge((dirty - keep + SLAB_SIZE - 1) >> SLAB_SHIFT);
    return some;
}

void purge_before_new(UnitNumber units) {
    enum { LEAST_UNITS = 32 };
    uint64_t dirty = free_dirty_bytes(), bytes = (uint64_t)units << UNIT_SHIFT;
    if (heap_units() < LEAST_UNITS || dirty < UNIT_SIZE || !pressure_is_near(bytes)) return;
    purge_down_to(dirty > bytes ? dirty - bytes : 0);
}

void purge_rest(size_t keep) {
    units_recover();
    purge_down_to(keep);
}

bool purge_free(size_t keep) {
    units_recover();
    bool some = keep == 0 && units_unmap_runs(true);
    some |= purge_down_to(keep);
    some |= units_unmap_runs(false);
    some |= tails_cut();
    return some;
}

bool purge_everything_free(void) {
    return purge_free(0);
}
