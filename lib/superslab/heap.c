#include "superslab/heap.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/units.h"

HakHeap hak_heap;
HakLock heap_lock;

enum { TABLE_STEP = 64, GROW_FIRST = 8, GROW_MOST = 512 };

// Window sizes tried, the largest first: 2^27 slabs are 8 TiB of blocks.
static const UnitNumber capacities[] = {1u << 22, 1u << 19, 1u << 16, 1u << 13};

enum { TABLES = 4 };

// A table grows behind what it has; `mapped` tells how far a try got that failed half-way.
typedef struct {
    char* at;
    size_t per_unit;
    UnitNumber mapped;
} Table;

static Table tables[TABLES];  // under heap_lock

static const size_t bytes_per_unit[TABLES] = {
    SLABS_PER_UNIT * sizeof(uint64_t),
    SLABS_PER_UNIT * sizeof(TinySlabMeta),
    SLABS_PER_UNIT * sizeof(RemoteHead),
    sizeof(Unit),
};

static size_t table_bytes(UnitNumber units) {
    size_t bytes = 0;
    for (int i = 0; i < TABLES; i++) bytes += units * bytes_per_unit[i];
    return bytes;
}

size_t heap_table_bytes(void) {
    return table_bytes(hak_heap.tabled);
}

static bool grow_tables(UnitNumber units) {
    if (units <= hak_heap.tabled) return true;
    UnitNumber want = (UnitNumber)align_up(units, TABLE_STEP);
    for (Table* t = tables; t < tables + TABLES; t++) {
        if (t->mapped >= want) continue;
        if (!os_map_at(t->at + t->mapped * t->per_unit, (want - t->mapped) * t->per_unit)) return false;
        t->mapped = want;
    }
    hak_heap.tabled = want;
    return true;
}

// Lays the tables and the window out from `start`.
static void lay_out(uintptr_t start, UnitNumber capacity) {
    uintptr_t at = align_up(start, UNIT_SIZE);
    for (int i = 0; i < TABLES; i++) {
        tables[i] = (Table){.at = (char*)at, .per_unit = bytes_per_unit[i]};
        at += capacity * bytes_per_unit[i];
    }
    hak_heap.owner = (_Atomic uint64_t*)(void*)tables[0].at;
    hak_heap.meta = (TinySlabMeta*)(void*)tables[1].at;
    hak_heap.remote = (RemoteHead*)(void*)tables[2].at;
    hak_heap.unit = (Unit*)(void*)tables[3].at;
    hak_heap.base = align_up(at, UNIT_SIZE);
    hak_heap.capacity = capacity;
    hak_heap.mapped = 1;
}

static size_t window_bytes(UnitNumber capacity) {
    return table_bytes(capacity) + ((size_t)capacity << UNIT_SHIFT) + 4 * UNIT_SIZE;
}

// Where an address space limit forbids to ask the kernel for a hole of that size, guess one below what is mapped.
static uintptr_t guess_hole(size_t bytes) {
    void* probe = os_map(OS_PAGE);
    if (probe == NULL) return 0;
    uintptr_t top = (uintptr_t)probe;
    if (!os_unmap(probe, OS_PAGE)) return 0;
    return top > 2 * bytes ? align_down(top - 2 * bytes, UNIT_SIZE) : 0;
}

static bool try_window(uintptr_t hole, UnitNumber capacity) {
    if (hole == 0) return false;
    lay_out(hole, capacity);
    if (grow_tables(1)) return true;
    for (Table* t = tables; t < tables + TABLES; t++)
        if (t->mapped) os_unmap(t->at, t->mapped * t->per_unit);  // counted if it fails; address space lost then
    hak_heap.base = 0;
    return false;
}

// The window lies in the middle of a hole of twice its size: the system fills holes from their ends.
static uintptr_t find_hole(UnitNumber capacity) {
    uintptr_t hole = os_find_hole(2 * window_bytes(capacity));
    return hole ? hole + align_up(window_bytes(capacity) / 2, UNIT_SIZE) : 0;
}

bool heap_init(void) {
    hak_lock(&heap_lock);
    bool ok = hak_heap.base != 0;
    for (size_t i = 0; !ok && i < sizeof capacities / sizeof *capacities; i++)
        ok = try_window(find_hole(capacities[i]), capacities[i]);
    for (size_t i = 0; !ok && i < sizeof capacities / sizeof *capacities; i++)
        ok = try_window(guess_hole(window_bytes(capacities[i])), capacities[i]);
    hak_unlock(&heap_lock);
    return ok;
}

static bool within_limit(UnitNumber units) {
    int64_t limit = hak_option(limit);
    return limit == 0 || ((uint64_t)(heap_units() + units) << UNIT_SHIFT) <= (uint64_t)limit;
}

typedef enum { MAPPED, NO_MEMORY, OCCUPIED } Mapping;

// Memory first, tables second: what the system refuses costs nothing.
static Mapping map_units(UnitNumber units) {
    UnitNumber first = hak_heap.mapped;
    size_t bytes = (size_t)units << UNIT_SHIFT;
    bool occupied = false;
    if (units > hak_heap.capacity - first || !within_limit(units)) return NO_MEMORY;
    if (!os_map_at_unless(unit_address(first), bytes, &occupied)) return occupied ? OCCUPIED : NO_MEMORY;
    if (!grow_tables(first + units)) {
        os_unmap(unit_address(first), bytes);  // counted if it fails: then the next try finds it occupied
        return NO_MEMORY;
    }
    hak_heap.mapped += units;
    store_relaxed(&hak_heap.slabs, (uintptr_t)hak_heap.mapped * SLABS_PER_UNIT);
    units_add_fresh(first, units);
    return MAPPED;
}

// Another library's mapping stands in the way: leave a gap of units that stay UNIT_NONE.
static bool skip_obstacle(void) {
    enum { GAP = 64 };
    if (hak_heap.capacity - hak_heap.mapped <= GAP || !grow_tables(hak_heap.mapped + GAP)) return false;
    hak_heap.mapped += GAP;
    hak_heap.gaps += GAP;
    return true;
}

bool heap_grow(UnitNumber units) {
    for (;;) {
        UnitNumber step = hak_heap.mapped < GROW_FIRST ? GROW_FIRST : hak_heap.mapped;
        if (step > GROW_MOST) step = GROW_MOST;
        Mapping result = NO_MEMORY;
        for (; step > units && result != MAPPED; step /= 2) result = map_units(step);
        if (result != MAPPED) result = map_units(units);
        if (result == MAPPED) return true;
        if (result != OCCUPIED || !skip_obstacle()) return false;
    }
}

void heap_prepare(void) {
    if (!heap_init()) return;
    // of unit 0, which has nothing to tell
    for (const Table* t = tables; t < tables + TABLES; t++) *(volatile char*)t->at = 0;
}
