#include "superslab/supply.h"

#include "superslab/closed.h"
#include "superslab/purge.h"
#include "superslab/units.h"

// Clean runs do not join with absent ones. Before the heap grows, clean ones become absent too, if they are many.
static bool join_clean(UnitNumber length) {
    enum { MUCH = 8 };
    if (hak_heap.absent == 0 || unit_totals.clean_units + hak_heap.absent < length) return false;
    return unit_totals.clean_units > hak_heap.mapped / MUCH && units_unmap_runs(false);
}

static UnitNumber take_untouched(UnitNumber length, UnitNumber align) {
    purge_before_new(length);
    UnitNumber u = units_take_clean(length, align);
    if (u == 0) u = units_take_absent(length, align);
    if (u == 0 && join_clean(length)) u = units_take_absent(length, align);
    if (u == 0 && units_grow(length + align - 1)) u = units_take_clean(length, align);
    return u;
}

UnitNumber supply_units(UnitNumber length, UnitNumber align) {
    UnitNumber u = units_take_dirty(length, align);
    if (u == 0) u = take_untouched(length, align);
    // Memory that goes back makes room under a limit, and joins: that may be enough.
    if (u == 0 && purge_everything_free()) u = take_untouched(length, align);
    if (u == 0 || units_open(u, length)) return u;
    units_give(u, length);
    return 0;
}

static bool is_free_behind(UnitNumber first, UnitNumber length) {
    UnitNumber there = units_free_from(first);
    if (there >= length) return true;
    return first + there == hak_heap.mapped && units_grow(length - there) && units_free_from(first) >= length;
}

bool supply_units_behind(UnitNumber first, UnitNumber length) {
    if (first < hak_heap.mapped && hak_heap.unit[first].kind != UNIT_FREE) return false;
    purge_before_new(length);
    bool ok = is_free_behind(first, length);
    // The block is at the end of the heap: lengthening it needs less memory than moving it.
    if (!ok && first + units_free_from(first) == hak_heap.mapped)
        ok = purge_everything_free() && is_free_behind(first, length);
    // A free run begins at `first`: the unit before it belongs to the block that grows.
    if (!ok || !units_take_at(first, length)) return false;
    if (units_open(first, length)) return true;
    units_give(first, length);
    return false;
}
