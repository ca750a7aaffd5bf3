#include "superslab/superslab.h"

#include "config/options.h"
#include "count/counters.h"
#include "observe/steps.h"
#include "os/os.h"
#include "superslab/free_slabs.h"
#include "superslab/purge.h"
#include "superslab/supply.h"
#include "superslab/units.h"

uint32_t superslab_count;

// Huge pages are worth their memory once much is in use, and used up: then another 2 MiB is a small part. For page runs
// this is counted per thread, because each has its own SuperSlabs.
enum { ADAPTIVE_SLABS = 16 * SLABS_PER_UNIT, ADAPTIVE_RUNS = 8 };

static void want_huge_pages(UnitNumber u, bool much_in_use) {
    int64_t mode = hak_option(thp);
    Unit* unit = &hak_heap.unit[u];
    bool worth_it = mode == 2 || (mode == 1 && much_in_use);
    if (worth_it && !unit->huge_pages && !unit->dirty && !slabs_are_mappings())
        unit->huge_pages = os_want_huge_pages(unit_address(u), UNIT_SIZE, true);
}

static UnitNumber make(UnitKind kind, bool much_in_use) {
    UnitNumber u = supply_units(1, 1);
    if (u == 0) return 0;
    Unit* unit = &hak_heap.unit[u];
    counter_add_shared(HAK_C_superslab_made, 1);
    if (unit->dirty) counter_add_shared(HAK_C_superslab_reused, 1);
    want_huge_pages(u, much_in_use);
    unit->kind = (uint8_t)kind;
    superslab_count++;
    return u;
}

static void unmake(UnitNumber u) {
    hak_heap.unit[u].kind = UNIT_NONE;
    superslab_count--;
    counter_add_shared(HAK_C_superslab_released, 1);
    units_give(u, 1);
    purge_tick();
}

static void give_slabs_back(UnitNumber u) {
    if (free_slabs_remove(u)) unmake(u);
}

SlabNumber superslab_take_slab(bool* clean) {
    STEP(F1);
    hak_lock(&heap_lock);
    SlabNumber s = free_slabs_take(clean);
    hak_unlock(&heap_lock);
    return s;
}

SlabNumber superslab_make(bool used_up, bool* clean) {
    hak_lock(&heap_lock);
    SlabNumber s = 0;
    UnitNumber u = make(UNIT_SLABS, used_up && free_slab_totals.taken >= ADAPTIVE_SLABS);
    if (u && !free_slabs_add(u)) {
        unmake(u);
    } else if (u) {
        s = free_slabs_take(clean);
        if (s == 0) give_slabs_back(u);
    }
    hak_unlock(&heap_lock);
    return s;
}

void superslab_give_slab(SlabNumber s) {
    hak_lock(&heap_lock);
    if (free_slabs_put(s))
        give_slabs_back(unit_of_slab(s));
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

void superslab_give_runs(RunPages runs) {
    hak_lock(&heap_lock);
    pages_become_slabs(runs);
    unmake(runs.unit);
    hak_unlock(&heap_lock);
}

#if HAK_CHECKED
UnitNumber superslab_take_closed_unit(void) {
    hak_lock(&heap_lock);
    UnitNumber u = supply_units(1, 1);
    if (u && os_protect(unit_address(u), UNIT_SIZE, false)) {
        os_purge(unit_address(u), UNIT_SIZE);  // if it is refused, what is there stays, and nobody sees it
        hak_heap.unit[u].kind = UNIT_CLOSED;
    } else if (u) {
        units_give(u, 1);
        u = 0;
    }
    hak_unlock(&heap_lock);
    return u;
}

void superslab_give_closed_unit(UnitNumber u) {
    hak_lock(&heap_lock);
    units_unmap_or_lose(u, 1, UNIT_SIZE);
    hak_unlock(&heap_lock);
}
#endif

void superslab_forget_free(void) {
    superslab_count = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++)
        superslab_count += hak_heap.unit[u].kind == UNIT_SLABS || hak_heap.unit[u].kind == UNIT_RUNS;
    free_slabs_forget();
    units_forget_free();
    heap_forget_tries();
}
