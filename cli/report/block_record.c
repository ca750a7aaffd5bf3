#include "report/block_record.h"

#include "report/page_view.h"

enum { UNIT_SHIFT_BITS = 21, SLAB_SHIFT_BITS = 16, HUGE_UNITS_MAX = 4096 };

struct search {
    const struct process_memory* memory;
    uint64_t root, base;
};

static bool read_word(const struct search* search, uint64_t address, uint64_t* word) {
    return address != 0 && process_memory_read(search->memory, address, word, sizeof *word);
}

static bool open_search(struct search* search) {
    struct {
        uint64_t magic;
        uint32_t version, record_bytes;
        uint64_t base;
    } head;
    _Static_assert(offsetof(HakGuardRoot, base) == 16 && offsetof(HakGuardRoot, chunk) == 24, "the start of the root");
    if (search->root == 0 || !process_memory_read(search->memory, search->root, &head, sizeof head) ||
        head.magic != HAK_GUARD_MAGIC || head.version != HAK_GUARD_VERSION ||
        head.record_bytes != sizeof(HakGuardRecord))
        return false;
    search->base = head.base;
    return head.base != 0;
}

// The record found by the header's arithmetic, and the size of the blocks in its slab.
static bool record_at(const struct search* search, uint64_t address, struct block_record* out, uint32_t* block_size) {
    HakGuardSlab slab;
    uint64_t chunk, table, offset = address - search->base, unit = offset >> UNIT_SHIFT_BITS;
    uint64_t number = offset >> SLAB_SHIFT_BITS & (HAK_GUARD_UNIT_SLABS - 1);
    uint64_t in_slab = offset & ((1u << SLAB_SHIFT_BITS) - 1);
    if (address < search->base || unit >= (uint64_t)HAK_GUARD_CHUNK * HAK_GUARD_CHUNK ||
        !read_word(search, search->root + offsetof(HakGuardRoot, chunk) + unit / HAK_GUARD_CHUNK * 8, &chunk) ||
        chunk == 0 || !read_word(search, chunk + unit % HAK_GUARD_CHUNK * 8, &table) || table == 0 ||
        !process_memory_read(search->memory, table + number * sizeof slab, &slab, sizeof slab))
        return false;
    *block_size = load_relaxed(&slab.block_size);
    uint64_t index = *block_size != 0 ? in_slab / *block_size : HAK_GUARD_SLAB_RECORDS;
    if (index >= HAK_GUARD_SLAB_RECORDS) return false;
    out->block = address - in_slab % *block_size;
    uint64_t at =
        table + offsetof(HakGuardUnit, record) + (number * HAK_GUARD_SLAB_RECORDS + index) * sizeof(HakGuardRecord);
    return process_memory_read(search->memory, at, &out->record, sizeof out->record) &&
           guard_state(load_relaxed(&out->record.word)) != HAK_GUARD_NONE;
}

// The block that begins some steps before the address: one in use, else the nearest freed one.
static bool record_before(const struct search* search, uint64_t address, uint64_t step, uint64_t steps,
                          struct block_record* out) {
    bool found = false;
    uint64_t start = address - (address - search->base) % step;
    for (uint64_t i = 0; i < steps && start >= search->base + i * step; i++) {
        struct block_record one;
        uint32_t block_size = 0;
        if (!record_at(search, start - i * step, &one, &block_size) || block_size != step ||
            address - one.block >= guard_size(load_relaxed(&one.record.word)) + step)
            continue;
        bool live = guard_state(load_relaxed(&one.record.word)) == HAK_GUARD_LIVE;
        if (live || !found) *out = one;
        found = true;
        if (live) return true;
    }
    return found;
}

static bool on_pages(const struct process_memory* memory, uint64_t root, uint64_t address, struct block_record* out) {
    struct page_view view;
    struct page_slot slot;
    if (!page_view_open(&view, memory, root) || !page_view_find(&view, address, &slot)) return false;
    out->block = load_relaxed(&slot.record.start);
    out->record = slot.record.guard;
    return true;
}

bool block_record_find(const struct process_memory* memory, uint64_t root, uint64_t address, struct block_record* out) {
    struct search search = {.memory = memory, .root = root};
    uint32_t block_size = 0;
    if (on_pages(memory, root, address, out)) return true;
    if (!open_search(&search) || address < search.base) return false;
    bool found = record_at(&search, address, out, &block_size);
    if (block_size == HAK_GUARD_PAGE)
        return record_before(&search, address, HAK_GUARD_PAGE, HAK_GUARD_HUGE / HAK_GUARD_PAGE, out);
    if (block_size == 0 || block_size == HAK_GUARD_HUGE)
        return record_before(&search, address, HAK_GUARD_HUGE, HUGE_UNITS_MAX, out);
    return found;
}

bool block_record_is_dead(const struct block_record* record) {
    HakGuardState state = guard_state(load_relaxed(&record->record.word));
    return state == HAK_GUARD_QUARANTINED || state == HAK_GUARD_FREE;
}
