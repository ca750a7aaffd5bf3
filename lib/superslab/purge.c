#include "superslab/purge.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/free_slabs.h"
#include "superslab/pressure.h"
#include "superslab/tails.h"
#include "superslab/units.h"

#include <limits.h>

enum { DIRTY_MOST = 128 << 20, TRY_AGAIN_MS = 10000 };

// What is purged at most within one tick of the clock while a program runs: each is a system call, and whoever wants
// heap_lock waits.
enum { RUNS_AT_ONCE = HAK_EXPLORED ? 1000 : 4, SLABS_AT_ONCE = HAK_EXPLORED ? 1000 : 32 };

// What may still be purged at this time.
static struct {
    uint64_t now;
    unsigned runs, slabs;
} turn;

static void take_turn(uint64_t now) {
    if (turn.now == now) return;
    turn.now = now;
    turn.runs = RUNS_AT_ONCE;
    turn.slabs = SLABS_AT_ONCE;
}

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

// Purges dirty runs, the oldest first, down to `keep` bytes; only runs free since before `before`, and `most` of them.
// Runs that the system refuses are held aside until the end. Returns how many went.
static unsigned purge_runs(uint64_t keep, uint64_t before, unsigned most) {
    enum { REFUSALS_MOST = 8 };
    UnitNumber refused[REFUSALS_MOST];
    unsigned refusals = 0, purged = 0;
    while (purged < most && free_dirty_bytes() > keep && refusals < REFUSALS_MOST) {
        UnitNumber length, u = units_take_dirty_run(before, &length);
        if (u == 0) break;
        if (clean_run(u, length)) {
            units_give(u, length);
            purged++;
        } else
            refused[refusals++] = u;
    }
    for (unsigned i = 0; i < refusals; i++)
        units_give_refused(refused[i], hak_heap.unit[refused[i]].length, os_clock_ms() + TRY_AGAIN_MS);
    return purged;
}

// The same within the turn. false: the turn is over, and there may be more.
static bool purge_some_runs(uint64_t keep, uint64_t before) {
    turn.runs -= purge_runs(keep, before, turn.runs);
    return turn.runs > 0;
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
    take_turn(now);
    if (dirty > most && !purge_some_runs(most, now)) return;
    uint64_t idle = (uint64_t)hak_option(purge_ms);
    if (now < next_scan) return;
    if (!purge_some_runs(reserve, now > idle ? now - idle : 0)) return;
    if (free_slabs_purge_surplus(reserve, &turn.slabs)) next_scan = now + idle;
}

void purge_tick(void) {
    last_given = os_clock_ms();
    purge_aged(last_given);
}

static bool purge_down_to(uint64_t keep) {
    bool some = purge_runs(keep, UINT64_MAX, UINT_MAX) != 0;
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

bool purge_rest_some(size_t keep) {
    units_recover();
    take_turn(os_clock_ms());
    if (!purge_some_runs(keep, UINT64_MAX)) return false;
    uint64_t dirty = free_dirty_bytes();
    return dirty <= keep || free_slabs_purge_some((dirty - keep + SLAB_SIZE - 1) >> SLAB_SHIFT, &turn.slabs);
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
