#include "superslab/heap.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/units.h"

HakHeap hak_heap;
HakLock heap_lock;

enum { TABLE_STEP = 64, GROW_FIRST = 8, GROW_MOST = 512 };

// Window sizes tried, the largest first: 2^27 slabs are 8 TiB of blocks.
static const UnitNumber capacities[] = {1u << 22, 1u << 19, 1u << 16, 1u << 13};

static size_t table_bytes(UnitNumber units) {
    return (size_t)units * SLABS_PER_UNIT * (sizeof(uint64_t) + sizeof(TinySlabMeta) + sizeof(RemoteHead)) +
           units * sizeof(Unit);
}

size_t heap_table_bytes(void) {
    return table_bytes(hak_heap.tabled);
}

static bool grow_tables(UnitNumber units) {
    if (units <= hak_heap.tabled) return true;
    UnitNumber want = (UnitNumber)align_up(units, TABLE_STEP), have = hak_heap.tabled;
    size_t slabs = (size_t)(want - have) * SLABS_PER_UNIT, from = (size_t)have * SLABS_PER_UNIT;
    // A later try maps a piece again that an earlier one got before it failed: over, not at.
    if (!os_map_over((void*)&hak_heap.owner[from], slabs * sizeof(uint64_t)) ||
        !os_map_over(&hak_heap.meta[from], slabs * sizeof(TinySlabMeta)) ||
        !os_map_over(&hak_heap.remote[from], slabs * sizeof(RemoteHead)) ||
        !os_map_over(&hak_heap.unit[have], (want - have) * sizeof(Unit)))
        return false;
    hak_heap.tabled = want;
    return true;
}

// Lays the tables and the window out in [start, start + ...), which must be a hole.
static void lay_out(uintptr_t start, UnitNumber capacity) {
    size_t slabs = (size_t)capacity * SLABS_PER_UNIT;
    uintptr_t at = align_up(start, UNIT_SIZE);
    hak_heap.owner = (_Atomic uint64_t*)at;
    at += slabs * sizeof(uint64_t);
    hak_heap.meta = (TinySlabMeta*)at;
    at += slabs * sizeof(TinySlabMeta);
    hak_heap.remote = (RemoteHead*)at;
    at += slabs * sizeof(RemoteHead);
    hak_heap.unit = (Unit*)at;
    at += capacity * sizeof(Unit);
    hak_heap.base = align_up(at, UNIT_SIZE);
    hak_heap.capacity = capacity;
    hak_heap.mapped = 1;
}

// Where an address space limit forbids to ask the kernel for a hole of that size, guess one below what is mapped.
static uintptr_t guess_hole(size_t bytes) {
    void* probe = os_map(OS_PAGE);
    if (probe == NULL) return 0;
    uintptr_t top = (uintptr_t)probe;
    os_unmap(probe, OS_PAGE);
    return top > 2 * bytes ? align_down(top - 2 * bytes, UNIT_SIZE) : 0;
}

static bool try_window(uintptr_t hole, UnitNumber capacity) {
    if (hole == 0) return false;
    lay_out(hole, capacity);
    // Whether the hole is one shows at the first page of the tables: mapped without replacing anything.
    if (os_map_at((void*)hak_heap.owner, TABLE_STEP * SLABS_PER_UNIT * sizeof(uint64_t)) && grow_tables(1)) return true;
    hak_heap.base = 0;
    return false;
}

bool heap_init(void) {
    hak_lock(&heap_lock);
    bool ok = hak_heap.base != 0;
    for (size_t i = 0; !ok && i < sizeof capacities / sizeof *capacities; i++) {
        size_t bytes = table_bytes(capacities[i]) + ((size_t)capacities[i] << UNIT_SHIFT) + 4 * UNIT_SIZE;
        ok = try_window(os_find_hole(bytes), capacities[i]);
    }
    for (size_t i = 0; !ok && i < sizeof capacities / sizeof *capacities; i++) {
        size_t bytes = table_bytes(capacities[i]) + ((size_t)capacities[i] << UNIT_SHIFT) + 4 * UNIT_SIZE;
        ok = try_window(guess_hole(bytes), capacities[i]);
    }
    hak_unlock(&heap_lock);
    return ok;
}

static bool within_limit(UnitNumber units) {
    int64_t limit = hak_option(limit);
    return limit == 0 || ((uint64_t)(hak_heap.mapped - 1 + units) << UNIT_SHIFT) <= (uint64_t)limit;
}

static bool map_units(UnitNumber units) {
    if (units > hak_heap.capacity - hak_heap.mapped || !within_limit(units) || !grow_tables(hak_heap.mapped + units))
        return false;
    if (!os_map_at(unit_address(hak_heap.mapped), (size_t)units << UNIT_SHIFT)) return false;
    UnitNumber first = hak_heap.mapped;
    hak_heap.mapped += units;
    store_relaxed(&hak_heap.slabs, (uintptr_t)hak_heap.mapped * SLABS_PER_UNIT);
    units_add_fresh(first, units);
    return true;
}

// Another library's mapping stands in the way: leave a gap of units that stay UNIT_NONE.
static bool skip_obstacle(void) {
    enum { GAP = 512 };
    if (hak_heap.capacity - hak_heap.mapped <= GAP || !grow_tables(hak_heap.mapped + GAP)) return false;
    hak_heap.mapped += GAP;
    return true;
}

bool heap_grow(UnitNumber units) {
    UnitNumber step = hak_heap.mapped < GROW_FIRST ? GROW_FIRST : hak_heap.mapped;
    if (step > GROW_MOST) step = GROW_MOST;
    for (; step > units; step /= 2)
        if (map_units(step)) return true;
    if (map_units(units)) return true;
    // Under a limit the gap costs nothing; where memory is short the second try fails as the first did.
    return within_limit(units) && skip_obstacle() && map_units(units);
}
