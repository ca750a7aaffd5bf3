#include "report/page_view.h"

#include <inttypes.h>
#include <stdio.h>

static bool read_at(const struct page_view* view, uint64_t address, void* out, size_t bytes) {
    return address != 0 && process_memory_read(view->memory, address, out, bytes);
}

bool page_view_open(struct page_view* view, const struct process_memory* memory, uint64_t guard_root) {
    struct {
        uint64_t magic;
        uint32_t version, record_bytes;
        uint64_t base;
        uint32_t extents, page_shift, at_start, by_guards;
    } head;
    _Static_assert(offsetof(HakPageRoot, extents) == 24 && offsetof(HakPageRoot, by_guards) == 36, "the start of it");
    *view = (struct page_view){.memory = memory};
    if (guard_root == 0 || !read_at(view, guard_root + offsetof(HakGuardRoot, pages), &view->root, sizeof view->root) ||
        !read_at(view, view->root, &head, sizeof head) || head.magic != HAK_PAGES_MAGIC ||
        head.version != HAK_PAGES_VERSION || head.record_bytes != sizeof(HakPageRecord) || head.page_shift > 24)
        return false;
    view->base = head.base;
    view->extents = head.extents;
    view->page_shift = head.page_shift;
    view->at_start = head.at_start != 0;
    view->by_guards = head.by_guards != 0;
    return view->base != 0;
}

// --- slots

struct extent {
    uint64_t chunk;
    uint32_t number, stride, pages, back;
};

static bool read_extent(const struct page_view* view, uint32_t number, struct extent* out) {
    uint64_t at = view->root + offsetof(HakPageRoot, chunk) + number / HAK_PAGES_CHUNK * sizeof(uint64_t);
    HakPageExtent extent;
    out->number = number;
    if (number >= view->extents || !read_at(view, at, &out->chunk, sizeof out->chunk) ||
        !read_at(view, out->chunk + number % HAK_PAGES_CHUNK * sizeof extent, &extent, sizeof extent))
        return false;
    out->stride = load_relaxed(&extent.stride);
    out->pages = load_relaxed(&extent.pages);
    out->back = load_relaxed(&extent.back);
    return out->stride != 0;
}

static uint64_t record_address(const struct extent* extent, uint64_t slot) {
    return extent->chunk + offsetof(HakPageChunk, record) +
           (extent->number % HAK_PAGES_CHUNK * HAK_PAGES_SLOTS + slot) * sizeof(HakPageRecord);
}

bool page_view_find(const struct page_view* view, uint64_t address, struct page_slot* out) {
    struct extent extent;
    uint64_t page = (address - view->base) >> view->page_shift;
    if (address < view->base || page / HAK_PAGES_EXTENT >= view->extents) return false;
    if (!read_extent(view, (uint32_t)(page / HAK_PAGES_EXTENT), &extent)) return false;
    if (extent.back > extent.number || (extent.back && !read_extent(view, extent.number - extent.back, &extent)))
        return false;
    uint64_t first = (uint64_t)extent.number * HAK_PAGES_EXTENT, slot = (page - first) / extent.stride;
    if (extent.back || page - first >= extent.pages || slot >= HAK_PAGES_SLOTS) return false;
    out->from = view->base + ((first + slot * extent.stride) << view->page_shift);
    out->end = out->from + ((uint64_t)extent.stride << view->page_shift);
    return read_at(view, record_address(&extent, slot), &out->record, sizeof out->record) &&
           guard_state(load_relaxed(&out->record.guard.word)) != HAK_GUARD_NONE;
}

void page_view_each(const struct page_view* view, void (*each)(void* context, const HakPageRecord* record),
                    void* context) {
    static HakPageRecord records[HAK_PAGES_SLOTS];
    for (uint32_t e = 0; e < view->extents; e++) {
        struct extent extent;
        if (!read_extent(view, e, &extent) || extent.back) continue;
        uint32_t slots = extent.pages / extent.stride;
        if (slots > HAK_PAGES_SLOTS || !read_at(view, record_address(&extent, 0), records, slots * sizeof *records))
            continue;
        for (uint32_t i = 0; i < slots; i++)
            if (guard_state(load_relaxed(&records[i].guard.word)) != HAK_GUARD_NONE) each(context, &records[i]);
    }
}

bool page_view_counts(const struct page_view* view, struct page_counts* out) {
    HakPageCount counts[HAK_PAGES_SHARDS];
    *out = (struct page_counts){0};
    for (size_t i = 0;
         read_at(view, view->root + offsetof(HakPageRoot, count), counts, sizeof counts) && i < HAK_PAGES_SHARDS; i++) {
        out->covered += load_relaxed(&counts[i].covered);
        out->passed += load_relaxed(&counts[i].passed);
    }
    return read_at(view, view->root + offsetof(HakPageRoot, yielded), &out->yielded, sizeof out->yielded);
}

// --- faults

struct candidate {
    struct page_fault fault;
    int64_t score;  // the least is the likeliest
};

static bool is_known(uint64_t block, uint64_t size, const uint64_t* pointers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (pointers[i] - block <= size) return true;
    return false;
}

static enum page_kind kind_of(bool freed, uint64_t address, uint64_t block, uint64_t size) {
    if (freed) return PAGE_AFTER_FREE;
    if (size == 0) return PAGE_EMPTY;
    if (address < block) return PAGE_BEFORE;
    return address - block >= size ? PAGE_BEHIND : PAGE_NOTHING;
}

struct page_fault page_fault_of(const struct page_slot* slot, uint64_t address) {
    uint64_t word = load_relaxed(&slot->record.guard.word), size = guard_size(word);
    uint64_t block = load_relaxed(&slot->record.start), end = block + size;
    bool freed = guard_state(word) == HAK_GUARD_QUARANTINED || guard_state(word) == HAK_GUARD_FREE;
    bool before = address < block, inside = !before && address < end;
    uint64_t distance = before ? block - address : inside ? address - block : address - end;
    return (struct page_fault){kind_of(freed, address, block, size), block, size, distance, inside};
}

void page_fault_text(const struct page_fault* fault, uint64_t address, char* out, size_t size) {
    bool before = address < fault->block, empty = fault->size == 0;
    const char* where = fault->inside ? "into"
                        : before      ? (empty ? "before the address of" : "before the start of")
                                      : (empty ? "past the address of" : "past the end of");
    snprintf(out, size, "%" PRIu64 " byte%s %s the %" PRIu64 "-byte block 0x%" PRIx64, fault->distance,
             fault->distance == 1 ? "" : "s", where, fault->size, fault->block);
}

// A block is flush to one side, so accesses of neighbours are likelier on that side.
static struct candidate judge(const struct page_view* view, const struct page_slot* slot, uint64_t address,
                              const uint64_t* pointers, size_t count) {
    enum { OTHER_SIDE = 1 << 14, KNOWN = 1 << 15 };
    struct page_fault fault = page_fault_of(slot, address);
    bool before = address < fault.block;
    int64_t score = fault.inside ? 0 : (int64_t)fault.distance + (before == view->at_start ? 0 : OTHER_SIDE);
    if (fault.inside || is_known(fault.block, fault.size, pointers, count)) score -= KNOWN;
    return (struct candidate){fault, score};
}

struct page_fault page_fault_find(const struct page_view* view, uint64_t address, const uint64_t* pointers,
                                  size_t count) {
    struct page_slot slot;
    struct candidate best = {.score = INT64_MAX};
    // Also if there is no block in the slot of the address, its neighbours are near.
    uint64_t page = UINT64_C(1) << view->page_shift, around[] = {address, address - page, address + page};
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        if (!page_view_find(view, around[i], &slot)) continue;
        struct candidate one = judge(view, &slot, address, pointers, count);
        if (one.fault.kind != PAGE_NOTHING && one.score < best.score) best = one;
    }
    return best.fault;
}
