#include "superslab/heap.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/backing.h"

HakHeap hak_heap;
HakLock heap_lock;

// The heap grows ahead of need by a sixteenth, at most by 16 MiB. So under any limit that the sum of its needs fits,
// the program still has room for its own mappings, and no limit has to be read.
enum { TABLE_STEP = 64, AHEAD_PART = 16, AHEAD_MOST = 8 };

// Window sizes in units, the largest first: 2^27 slabs are 8 TiB of blocks; 2^15 are 2 GiB.
static const UnitNumber capacities[] = {1u << 22, 1u << 19, 1u << 16, 1u << 13, 1u << 10};

enum { TABLES = 4, CAPACITIES = sizeof capacities / sizeof *capacities };

// A table grows at its end. `mapped` says how much of it is mapped; `tried` is set before an attempt to map more, and
// shows one that was cut off.
typedef struct {
    char* at;
    size_t per_unit;
    UnitNumber mapped, tried;
} Table;

static Table tables[TABLES];  // under heap_lock
static bool hits_stopped;     // under heap_lock

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

// Units by which the tables grow: each of them by whole pages of the system.
static size_t table_step(void) {
    size_t step = os_page_bytes() / sizeof(Unit);
    return step > TABLE_STEP ? step : TABLE_STEP;
}

static bool grow_tables(UnitNumber units) {
    if (units <= hak_heap.tabled) return true;
    UnitNumber want = (UnitNumber)align_up(units, table_step());
    for (Table* t = tables; t < tables + TABLES; t++) {
        if (t->mapped >= want) continue;
        t->tried = want;
        if (!os_map_at(t->at + t->mapped * t->per_unit, (want - t->mapped) * t->per_unit)) return false;
        t->mapped = want;
    }
    hak_heap.tabled = want;
    return true;
}

void heap_forget_tries(void) {
    for (Table* t = tables; t < tables + TABLES; t++)
        if (t->tried > t->mapped) os_unmap(t->at + t->mapped * t->per_unit, (t->tried - t->mapped) * t->per_unit);
}

// Lays out the tables and the window from `start`.
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

// A place below the system's own mappings, which mostly grow downwards and keep half a window of room. Nobody outside
// can guess it. 0: too low. Nothing is mapped for it, so neither an emulator nor a limit sees terabytes.
static uintptr_t place_below(uintptr_t top, UnitNumber capacity) {
    enum { LOWEST = 2u << 30 };  // programs at fixed addresses, and the memory that they grow by
    size_t window = window_bytes(capacity);
    size_t below = window + window / 2 + os_random() % (window / 8);
    return top > below + LOWEST ? align_down(top - below, UNIT_SIZE) : 0;
}

static bool try_window(uintptr_t hole, UnitNumber capacity) {
    if (hole == 0) return false;
    lay_out(hole, capacity);
    if (grow_tables(1)) return true;
    for (Table* t = tables; t < tables + TABLES; t++)
        if (t->mapped) os_unmap(t->at, t->mapped * t->per_unit);  // counted if it fails; the address space is lost then
    hak_heap.base = 0;
    return false;
}

bool heap_init(void) {
    hak_lock(&heap_lock);
    bool ok = hak_heap.base != 0;
    uintptr_t top = ok ? 0 : os_mapping_area();
    for (size_t i = 0; !ok && i < CAPACITIES; i++) ok = try_window(place_below(top, capacities[i]), capacities[i]);
    // An unusual address space: mapping finds a hole, so the largest windows are not tried.
    for (size_t i = 2; !ok && i < CAPACITIES; i++)
        ok = try_window(os_find_hole(window_bytes(capacities[i])), capacities[i]);
    hak_unlock(&heap_lock);
    return ok;
}

void heap_stop_hits(void) {
    hak_lock(&heap_lock);
    hits_stopped = true;
    store_relaxed(&hak_heap.hit_slabs, (uintptr_t)0);
    hak_unlock(&heap_lock);
}

static bool within_limit(UnitNumber units) {
    int64_t limit = hak_option(limit);
    return limit == 0 || ((uint64_t)(heap_units() + units) << UNIT_SHIFT) <= (uint64_t)limit;
}

static void add_units(UnitNumber units) {
    hak_heap.mapped += units;
    store_relaxed(&hak_heap.slabs, (uintptr_t)hak_heap.mapped * SLABS_PER_UNIT);
    if (!hits_stopped) store_relaxed(&hak_heap.hit_slabs, load_relaxed(&hak_heap.slabs));
}

typedef enum { MAPPED, NO_MEMORY, OCCUPIED } Mapping;

// Memory first, tables second: a refusal costs nothing.
static Mapping map_units(UnitNumber units) {
    UnitNumber first = hak_heap.mapped;
    size_t bytes = (size_t)units << UNIT_SHIFT;
    bool occupied = false;
    if (units > hak_heap.capacity - first || !within_limit(units)) return NO_MEMORY;
    if (!backing_map(unit_address(first), bytes, &occupied)) return occupied ? OCCUPIED : NO_MEMORY;
    if (!grow_tables(first + units)) {
        os_unmap(unit_address(first), bytes);  // counted if it fails: then the next attempt finds it occupied
        return NO_MEMORY;
    }
    add_units(units);
    return MAPPED;
}

// Something else is mapped there: leave a gap of units that stay UNIT_NONE.
static bool skip_obstacle(void) {
    enum { GAP = 64 };
    if (hak_heap.capacity - hak_heap.mapped <= GAP || !grow_tables(hak_heap.mapped + GAP)) return false;
    hak_heap.mapped += GAP;
    hak_heap.gaps += GAP;
    return true;
}

UnitNumber heap_extend(UnitNumber units) {
    UnitNumber first = hak_heap.mapped;
    if (units > hak_heap.capacity - first || !grow_tables(first + units)) return 0;
    add_units(units);
    return first;
}

bool heap_map(UnitNumber first, UnitNumber length, bool* occupied) {
    return within_limit(length) && backing_map(unit_address(first), (size_t)length << UNIT_SHIFT, occupied);
}

void heap_leave_gap(UnitNumber u) {
    hak_heap.unit[u].kind = UNIT_NONE;
    hak_heap.gaps++;
}

void heap_count_gaps(void) {
    hak_heap.gaps = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) hak_heap.gaps += hak_heap.unit[u].kind == UNIT_NONE;
}

static UnitNumber growth_step(UnitNumber units) {
    UnitNumber ahead = hak_heap.mapped / AHEAD_PART;
    if (ahead > AHEAD_MOST) ahead = AHEAD_MOST;
    return ahead > units ? ahead : units;
}

UnitRange heap_grow(UnitNumber units) {
    for (;;) {
        UnitNumber first = hak_heap.mapped, step = growth_step(units);
        Mapping result = map_units(step);
        if (result != MAPPED && step > units) result = map_units(units);
        if (result == MAPPED) return (UnitRange){first, hak_heap.mapped - first};
        if (result != OCCUPIED || !skip_obstacle()) return (UnitRange){0, 0};
    }
}

void heap_prepare(void) {
    if (!heap_init()) return;
    // The entries of unit 0, which have no meaning.
    for (const Table* t = tables; t < tables + TABLES; t++) *(volatile char*)t->at = 0;
}
