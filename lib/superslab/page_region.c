#include "superslab/page_region.h"

#include "base/bits.h"
#include "config/options.h"
#include "os/os.h"
#include "superslab/heap.h"

#include <string.h>

HakPageRoot hak_page_root = {
    .magic = HAK_PAGES_MAGIC, .version = HAK_PAGES_VERSION, .record_bytes = sizeof(HakPageRecord)};
HakLock region_lock;

// Under region_lock, like all below.
static uint32_t mapped;                // extents that have address space
static uint32_t most;                  // extents that there may be
static uint32_t free_extents;          // of those made
static uint32_t search_from;           // where the last search for free extents ended
static _Atomic(HakPageRecord*) given;  // huge blocks that were freed, the newest first; any thread adds

// --- the region

// Extents for regions of these sizes are tried, the largest first.
static const uint32_t capacities[] = {HAK_PAGES_CHUNKS * HAK_PAGES_CHUNK, 1u << 16, 1u << 12};

// With a limit on address space or data the guarded heap and the program need the most of it. The program may set one
// at any time.
static uint32_t extents_within_limits(void) {
    enum { PART = 8 };
    uint64_t limit = os_address_limit(), option = (uint64_t)hak_option(limit);
    if (option != 0 && option < limit) limit = option;
    uint64_t extents = limit / PART / page_extent_bytes();
    return extents < capacities[0] ? (uint32_t)extents : capacities[0];
}

// Below the heap and its tables, at a place that nobody outside can guess.
static bool try_place(uint32_t capacity) {
    enum { TABLES = 36, LOWEST = 33 };  // log2 of what lies before the heap, and of the lowest address
    uint64_t bytes = capacity * page_extent_bytes();
    uint64_t below = (UINT64_C(1) << TABLES) + bytes + os_random() % (bytes / 8 + 1);
    if (hak_heap.base < below + (UINT64_C(1) << LOWEST)) return false;
    uintptr_t at = align_down(hak_heap.base - below, page_extent_bytes());
    if (!os_map_closed_unless((void*)at, page_extent_bytes(), NULL)) return false;
    store_relaxed(&hak_page_root.base, at);
    most = capacity;
    mapped = 1;
    return true;
}

static bool choose_place(void) {
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
        if (try_place(capacities[i])) return true;
    return false;
}

// Where the system promises memory for all that can be written, open address space would count against the others.
static bool can_guard(void) {
    enum { PROMISES_ALL = 2 };
    if (os_number_in("/proc/sys/vm/overcommit_memory") == PROMISES_ALL) return false;
    void* page = os_map(page_bytes());
    bool can = page && os_guard(page, page_bytes(), true) && !os_can_read(page);  // an emulator may ignore the advice
    if (page) os_unmap(page, page_bytes());  // counted if it fails; a page of address space is lost then
    return can;
}

// Mappings that are parted only by access rights join again if they have had a common page: they share what the kernel
// keeps to find the pages of forked processes (anon_vma). So a page is touched before the first is parted.
static void let_parts_join(void) {
    char* at = page_extent_address(0);
    if (hak_page_root.by_guards || !os_protect(at, page_extent_bytes(), true)) return;
    *(volatile char*)at = 0;
    os_purge(at, page_bytes());  // counted if it fails; the page stays then
    os_protect(at, page_extent_bytes(), false);
}

bool page_region_begin(size_t bytes, bool at_start) {
    if (hak_lock_is_mine(&region_lock)) return false;
    hak_lock(&region_lock);
    static bool tried;
    if (!tried && hak_heap.base != 0) {
        tried = true;
        hak_page_root.page_shift = (uint32_t)log2_floor(bytes);
        hak_page_root.at_start = at_start;
        hak_page_root.by_guards = can_guard();
        if (choose_place()) {
            let_parts_join();
            store_release(&hak_guard_root.pages, &hak_page_root);
        }
    }
    bool ok = most > 0;
    hak_unlock(&region_lock);
    return ok;
}

// Maps address space for extents up to `end`, and some ahead: at least one, so that what is mapped next joins it.
static bool map_to(uint32_t end) {
    enum { LEAST = 4, AHEAD_PART = 8, AHEAD_MOST = 64 };
    if (end < mapped) return true;
    uint32_t ahead = mapped / AHEAD_PART;
    ahead = ahead < LEAST ? LEAST : ahead > AHEAD_MOST ? AHEAD_MOST : ahead;
    uint32_t want = end + 1 + (most - end < ahead ? most - end : ahead);
    if (end > extents_within_limits()) return false;
    if (!os_map_closed_unless(page_extent_address(mapped), (want - mapped) * page_extent_bytes(), NULL)) {
        want = end + 1;
        if (!os_map_closed_unless(page_extent_address(mapped), (want - mapped) * page_extent_bytes(), NULL))
            return false;
    }
    mapped = want;
    return true;
}

static bool make_chunks(uint32_t end) {
    for (uint32_t i = load_relaxed(&hak_page_root.extents) / HAK_PAGES_CHUNK; i <= (end - 1) / HAK_PAGES_CHUNK; i++) {
        if (load_relaxed(&hak_page_root.chunk[i])) continue;
        HakPageChunk* chunk = os_map_sparse(align_up(sizeof(HakPageChunk), page_bytes()));
        if (chunk == NULL) return false;
        store_relaxed(&hak_page_root.chunk[i], chunk);
    }
    return true;
}

// --- extents

static bool add_extents(uint32_t count, uint32_t* first) {
    uint32_t end = load_relaxed(&hak_page_root.extents) + count;
    if (count > most || end > most || !map_to(end) || !make_chunks(end)) return false;
    *first = end - count;
    store_release(&hak_page_root.extents, end);  // pairs with the acquire in page_region_contains
    return true;
}

// Freed huge blocks become free extents. What their extents and records say stays until they are used again.
static void accept_given(void) {
    HakPageRecord* record = exchange_acquire(&given, NULL);  // pairs with the release in page_huge_give
    for (HakPageRecord* next; record; record = next) {
        next = load_relaxed(&record->next);
        uint32_t first = page_extent_of((void*)load_relaxed(&record->start));
        first -= load_relaxed(&page_extent(first)->back);
        uint32_t count = load_relaxed(&page_extent(first)->stride) / HAK_PAGES_EXTENT;
        for (uint32_t i = first; i < first + count; i++) page_extent(i)->free = 1;
        free_extents += count;
    }
}

// Searches from where the last search ended, once around, but not for long.
static bool find_free(uint32_t count, uint32_t* first) {
    enum { LOOKS = 1 << 14 };
    uint32_t made = load_relaxed(&hak_page_root.extents), found = 0;
    for (uint32_t i = 0; i < made + count && i < LOOKS; i++, search_from++) {
        if (search_from >= made) search_from = found = 0;
        found = page_extent(search_from)->free ? found + 1 : 0;
        if (found < count) continue;
        *first = ++search_from - count;
        return true;
    }
    return false;
}

// Takes extents, all of them closed by access rights, and forgets what they were.
static bool take_extents(uint32_t count, uint32_t* first) {
    enum { KEPT = 16 << 10 };  // 16 GiB of address space, if pages have 4 KiB
    uint32_t made = load_relaxed(&hak_page_root.extents);
    accept_given();
    if (!(free_extents > KEPT && find_free(count, first)) && !add_extents(count, first) &&
        !(free_extents >= count && find_free(count, first)))
        return false;
    for (uint32_t i = *first; i < *first + count && i < made; i++) {
        HakPageExtent* extent = page_extent(i);
        free_extents -= extent->free;
        memset(page_chunk(i)->record[i % HAK_PAGES_CHUNK], 0, sizeof page_chunk(i)->record[0]);
        store_relaxed(&extent->stride, 0u);
        store_relaxed(&extent->back, 0u);
        store_relaxed(&extent->state, 0u);
        extent->free = extent->by_rights = 0;
    }
    return true;
}

static bool lock_region(void) {
    if (hak_lock_is_mine(&region_lock)) return false;
    hak_lock(&region_lock);
    return true;
}

// Opened as a whole, and closed again by guards.
static void use_guards(uint32_t extent) {
    char* at = page_extent_address(extent);
    HakPageRecord* record = page_chunk(extent)->record[extent % HAK_PAGES_CHUNK];
    bool guarded =
        hak_page_root.by_guards && os_protect(at, page_extent_bytes(), true) && os_guard(at, page_extent_bytes(), true);
    if (!guarded && hak_page_root.by_guards) os_protect(at, page_extent_bytes(), false);
    page_extent(extent)->by_rights = !guarded;
    for (uint32_t i = 0; i < HAK_PAGES_SLOTS && !guarded; i++) record[i].by_protection = 1;
}

bool page_extent_make(uint32_t stride, uint8_t shard, uint32_t* extent) {
    if (!lock_region()) return false;
    bool ok = take_extents(1, extent);
    hak_unlock(&region_lock);
    if (!ok) return false;
    use_guards(*extent);
    HakPageExtent* made = page_extent(*extent);
    made->shard = shard;
    store_relaxed(&made->pages, HAK_PAGES_EXTENT / stride * stride);
    store_release(&made->stride, stride);  // pairs with the acquire in extent_of
    return true;
}

void page_extent_give(uint32_t extent) {
    if (!lock_region()) return;  // its address space is lost
    page_extent(extent)->free = 1;
    free_extents++;
    hak_unlock(&region_lock);
}

static PageSlot usable(HakPageRecord* record, char* at, uint64_t pages) {
    char *end = at + (pages << hak_page_root.page_shift), *closed = hak_page_root.at_start ? at : end - page_bytes();
    return (PageSlot){record, closed == at ? at + page_bytes() : at, closed == at ? end : closed, false};
}

PageSlot page_huge_make(uint64_t pages) {
    uint64_t count = (pages + HAK_PAGES_EXTENT) / HAK_PAGES_EXTENT;  // and a closed page
    uint32_t first;
    if (count > UINT32_MAX / HAK_PAGES_EXTENT || !lock_region()) return (PageSlot){0};
    bool ok = take_extents((uint32_t)count, &first);
    for (uint32_t i = 0; ok && i < count; i++) {
        HakPageExtent* extent = page_extent(first + i);
        extent->shard = PAGES_NO_SHARD;
        store_relaxed(&extent->back, i);
        store_relaxed(&extent->pages, (uint32_t)count * HAK_PAGES_EXTENT);
        store_release(&extent->stride, (uint32_t)count * HAK_PAGES_EXTENT);  // pairs with the acquire in extent_of
    }
    hak_unlock(&region_lock);
    if (!ok) return (PageSlot){0};
    HakPageRecord* record = &page_chunk(first)->record[first % HAK_PAGES_CHUNK][0];
    record->by_protection = 1;
    store_relaxed(&record->start, (uintptr_t)page_extent_address(first));
    return usable(record, page_extent_address(first), count * HAK_PAGES_EXTENT);
}

void page_huge_give(HakPageRecord* record) {
    HakPageRecord* before = load_relaxed(&given);
    do {
        store_relaxed(&record->next, before);
    } while (!cas_release(&given, &before, record));  // pairs with the acquire in accept_given
}

// --- places

static HakPageExtent* extent_of(uint32_t number) {
    HakPageExtent* extent = page_extent(number);
    // pairs with the releases in page_extent_make, page_huge_make
    return load_acquire(&extent->stride) ? extent : NULL;
}

PageSlot page_slot_of(const void* p) {
    if (!page_region_contains(p)) return (PageSlot){0};
    uint64_t page = page_number(p);
    uint32_t number = (uint32_t)(page / HAK_PAGES_EXTENT);
    const HakPageExtent* extent = extent_of(number);
    if (extent && load_relaxed(&extent->back)) {
        number -= load_relaxed(&extent->back);
        extent = extent_of(number);
        if (extent && load_relaxed(&extent->back)) return (PageSlot){0};
    }
    uint64_t in_extent = page - (uint64_t)number * HAK_PAGES_EXTENT;
    if (extent == NULL || in_extent >= load_relaxed(&extent->pages)) return (PageSlot){0};
    return page_slot_at(number, (uint32_t)(in_extent / load_relaxed(&extent->stride)));
}

PageSlot page_slot_at(uint32_t extent, uint32_t index) {
    uint64_t stride = load_relaxed(&page_extent(extent)->stride);
    HakPageRecord* record = &page_chunk(extent)->record[extent % HAK_PAGES_CHUNK][index];
    return usable(record, page_extent_address(extent) + (index * stride << hak_page_root.page_shift), stride);
}

// Extents that were just being taken may be lost.
void page_region_forget_half_done(void) {
    free_extents = 0;
    for (uint32_t i = 0; i < load_relaxed(&hak_page_root.extents); i++) free_extents += page_extent(i)->free;
}
