#include "superslab/page_access.h"

#include "os/os.h"

static int64_t most_pages, most_ranges;
static _Atomic int64_t open_pages HAK_ALIGNED(HAK_CACHE_LINE);
static _Atomic int64_t open_ranges HAK_ALIGNED(HAK_CACHE_LINE);  // of those closed by access rights otherwise

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

bool page_open(const HakPageRecord* record, char* from, const char* end) {
    int64_t pages = pages_in(from, end), ranges = record->by_protection;
    if (!reserve(&open_pages, pages, most_pages)) return false;
    if (reserve(&open_ranges, ranges, most_ranges)) {
        size_t bytes = (size_t)(end - from);
        if (record->by_protection ? os_protect(from, bytes, true) : os_guard(from, bytes, false)) return true;
        add_relaxed(&open_ranges, -ranges);
    }
    add_relaxed(&open_pages, -pages);
    return false;
}

bool page_close(HakPageRecord* record, char* from, const char* end) {
    size_t bytes = (size_t)(end - from);
    int64_t ranges = record->by_protection;
    bool guarded = !record->by_protection && os_guard(from, bytes, true);
    if (!guarded) {
        // Locked memory takes no guards.
        if (!os_close_over(from, bytes) && !(os_protect(from, bytes, false) && os_purge(from, bytes))) return false;
        record->by_protection = 1;
    }
    add_relaxed(&open_pages, -pages_in(from, end));
    add_relaxed(&open_ranges, -ranges);
    return true;
}
