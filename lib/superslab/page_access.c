#include "superslab/page_access.h"

#include "os/os.h"
#include "superslab/page_extent.h"

static int64_t most_pages, most_ranges;
static _Atomic int64_t open_pages HAK_ALIGNED(HAK_CACHE_LINE);
// What access rights have opened: slots, huge blocks, extents that have yielded.
static _Atomic int64_t open_ranges HAK_ALIGNED(HAK_CACHE_LINE);
static uint32_t generation;  // forks up to this process
static _Atomic bool stopped;

void page_access_begin(uint64_t most_bytes, uint64_t most_mappings) {
    most_pages = (int64_t)(most_bytes >> hak_page_root.page_shift);
    most_ranges = (int64_t)(most_mappings / 2);
}

static bool reserve(_Atomic int64_t* used, int64_t count, int64_t most) {
    if (add_relaxed(used, count) + count <= most) return true;
    add_relaxed(used, -count);
    return false;
}

static int64_t pages_in(const char* from, const char* end) {
    return (end - from) >> hak_page_root.page_shift;
}

// --- when mappings run out

static bool yield_one(uint32_t number, int64_t* won) {
    enum { LEAST = 8 };
    HakPageExtent* extent = page_extent(number);
    uint32_t used = extent->by_rights ? extent_yield(extent, LEAST) : 0;
    if (used == 0) return false;
    // If it fails, they stay closed, and their mappings with them: then no slot is opened for a while.
    if (!os_protect(page_extent_address(number), page_extent_bytes(), true)) return false;
    add_relaxed(&open_ranges, 1 - (int64_t)used);
    add_relaxed(&hak_page_root.yielded, (uint64_t)used);
    *won += used - 1;
    return true;
}

// Extents yield, from where the last search ended, until some ranges are won. One thread at a time.
static bool make_room(void) {
    enum { WANTED = 512, LOOKS = 1 << 14 };
    static HakLock lock;
    static uint32_t from;
    int64_t won = 0;
    if (generation > 0 || !hak_trylock(&lock)) return false;
    uint32_t made = load_acquire(&hak_page_root.extents);  // pairs with the release in add_extents
    for (uint32_t i = 0; i < made && i < LOOKS && won < WANTED; i++, from++) {
        if (from >= made) from = 0;
        yield_one(from, &won);
    }
    hak_unlock(&lock);
    return won > 0;
}

static bool reserve_range(void) {
    return reserve(&open_ranges, 1, most_ranges) || (make_room() && reserve(&open_ranges, 1, most_ranges));
}

// --- open and close

static bool open_by_rights(char* from, size_t bytes) {
    if (!reserve_range()) return false;
    // The program may have made more mappings than were left for it.
    if (os_protect(from, bytes, true) || (make_room() && os_protect(from, bytes, true))) return true;
    add_relaxed(&open_ranges, -1);
    return false;
}

bool page_open(HakPageRecord* record, char* from, const char* end) {
    int64_t pages = pages_in(from, end);
    size_t bytes = (size_t)(end - from);
    if (load_relaxed(&stopped) || !reserve(&open_pages, pages, most_pages)) return false;
    record->generation = generation;
    if (record->by_protection ? open_by_rights(from, bytes) : os_guard(from, bytes, false)) return true;
    add_relaxed(&open_pages, -pages);
    return false;
}

void page_open_all(PageSlot* slots, unsigned count) {
    static _Atomic bool refused;
    void* at[OS_OPEN_MOST];
    unsigned guarded = 0;
    for (unsigned i = 0; i < count; i++) guarded += !slots[i].record->by_protection;
    if (guarded != count || load_relaxed(&stopped) || load_relaxed(&refused)) return;
    if (!reserve(&open_pages, count, most_pages)) return;
    for (unsigned i = 0; i < count; i++) at[i] = slots[i].first;
    bool open = os_open_guarded(at, count, page_bytes());
    for (unsigned i = 0; i < count && open; i++) slots[i].open = true;
    if (open) return;
    store_relaxed(&refused, true);
    for (unsigned i = 0; i < count; i++) os_guard(at[i], page_bytes(), true);  // some may be open
    add_relaxed(&open_pages, -(int64_t)count);
}

// The first way is the faster one. In the child of a fork, what is closed by it does not join its neighbours.
static bool close_by_rights(char* from, size_t bytes) {
    if (generation == 0 && os_close_over(from, bytes)) return true;
    bool empty = os_purge(from, bytes) || os_purge_locked(from, bytes);
    return (empty && os_protect(from, bytes, false)) || os_close_over(from, bytes);
}

// Locked memory takes no guards.
static bool close_by_guards(const HakPageRecord* record, char* from, size_t bytes) {
    return !record->by_protection && os_guard(from, bytes, true);
}

// true: it belongs to an extent that has yielded. Its memory is given back, and it stays open until the extent ends.
static bool empty_if_yielded(char* from, size_t bytes) {
    const HakPageExtent* extent = page_extent(page_extent_of(from));
    if (!extent->by_rights || !extent_has_yielded(load_relaxed(&extent->state))) return false;
    os_purge(from, bytes);  // counted if it fails
    return true;
}

// What stays open of a slot that was closed by guards is a range from now on; the whole of another is none any more.
static void change_ranges(HakPageRecord* record, bool stays_open) {
    bool was_range = record->by_protection;
    record->by_protection = 1;
    if (record->generation == generation) add_relaxed(&open_ranges, (int64_t)stays_open - (int64_t)was_range);
}

static bool close_part(HakPageRecord* record, char* from, const char* end, bool rest_stays_open) {
    size_t bytes = (size_t)(end - from);
    if (load_relaxed(&stopped)) return false;
    if (!close_by_guards(record, from, bytes) && !empty_if_yielded(from, bytes)) {
        if (!close_by_rights(from, bytes)) return false;
        change_ranges(record, rest_stays_open);
    }
    add_relaxed(&open_pages, -pages_in(from, end));
    return true;
}

bool page_close(HakPageRecord* record, char* from, const char* end) {
    return close_part(record, from, end, false);
}

bool page_close_tail(HakPageRecord* record, char* from, const char* end) {
    return close_part(record, from, end, true);
}

bool page_close_extent(uint32_t extent) {
    bool closed = close_by_rights(page_extent_address(extent), page_extent_bytes());
    if (closed && generation == 0) add_relaxed(&open_ranges, -1);
    return closed;
}

int64_t page_access_open_pages(void) {
    return load_relaxed(&open_pages);
}

void page_access_stop(void) {
    store_relaxed(&stopped, true);
}

void page_access_in_child(void) {
    generation++;
}
