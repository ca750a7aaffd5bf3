#include "leaks/live_blocks.h"

#include "base/array.h"
#include "report/page_view.h"
#include "superslab/guard_record.h"

#include <stdlib.h>

// Which block an address lies in is looked up by its page: pages[address >> 32][(address >> 12) & 0xfffff] is the
// number of the first block that has a byte in the page, plus 1; 0: none.
enum { PAGE_BITS = 12, TABLE_PAGES = 1 << 20, TABLES = 1 << 16, UNIT_BITS = 21, SLAB_BITS = 16 };

struct reading {
    struct live_blocks* live;
    const struct process_memory* memory;
    uint64_t since;
};

static bool read_at(const struct reading* reading, uint64_t address, void* out, size_t bytes) {
    return address != 0 && process_memory_read(reading->memory, address, out, bytes);
}

// Reading the records

static bool make_room(struct live_blocks* live) {
    enum { NUMBERS = BLOCK_NONE - 1 };
    struct live_block* more = NULL;
    if (live->count < NUMBERS) more = array_room(live->blocks, live->count, &live->room, 4096, sizeof *more);
    live->failed = live->failed || more == NULL;
    if (more != NULL) live->blocks = more;
    return more != NULL;
}

static void add(const struct reading* reading, const HakGuardRecord* record, uint64_t address) {
    uint64_t word = load_relaxed(&record->word);
    HakGuardState state = guard_state(word);
    if ((state != HAK_GUARD_LIVE && state != HAK_GUARD_CHECKED) || !make_room(reading->live)) return;
    reading->live->blocks[reading->live->count++] = (struct live_block){
        .start = address,
        .size = guard_size(word),
        .site = record->alloc_site,
        .stack = record->alloc_stack,
        .inherited = record->alloc_clock < reading->since,
        // An array of no objects with destructors: its count, and then the pointer that the program has.
        .ends_behind = guard_family(word) == HAK_GUARD_NEW_ARRAY && guard_size(word) == sizeof(uint64_t),
    };
}

static void read_slab(const struct reading* reading, uint64_t records, uint32_t used, uint64_t at, uint32_t step) {
    static HakGuardRecord read[HAK_GUARD_SLAB_RECORDS];
    if (used > HAK_GUARD_SLAB_RECORDS) used = HAK_GUARD_SLAB_RECORDS;
    if (!read_at(reading, records, read, used * sizeof *read)) return;
    for (uint32_t i = 0; i < used; i++) add(reading, &read[i], at + (uint64_t)i * step);
}

static void read_unit(const struct reading* reading, uint64_t table, uint64_t at) {
    HakGuardSlab slabs[HAK_GUARD_UNIT_SLABS];
    if (!read_at(reading, table, slabs, sizeof slabs)) return;
    for (uint64_t s = 0; s < HAK_GUARD_UNIT_SLABS; s++) {
        uint64_t records = table + offsetof(HakGuardUnit, record) + s * sizeof(((HakGuardUnit*)NULL)->record[0]);
        uint32_t step = load_relaxed(&slabs[s].block_size);
        if (step != 0) read_slab(reading, records, load_relaxed(&slabs[s].used), at + (s << SLAB_BITS), step);
    }
}

static void add_paged(void* context, const HakPageRecord* record) {
    add(context, &record->guard, load_relaxed(&record->start));
}

static bool read_all(struct reading* reading, uint64_t root) {
    static uint64_t chunks[HAK_GUARD_CHUNK], units[HAK_GUARD_CHUNK];
    struct {
        uint64_t magic;
        uint32_t version, record_bytes;
        uint64_t base;
    } head;
    if (!read_at(reading, root, &head, sizeof head) || head.magic != HAK_GUARD_MAGIC ||
        head.version != HAK_GUARD_VERSION || head.record_bytes != sizeof(HakGuardRecord) ||
        !read_at(reading, root + offsetof(HakGuardRoot, chunk), chunks, sizeof chunks))
        return false;
    for (uint64_t c = 0; c < HAK_GUARD_CHUNK; c++) {
        if (!read_at(reading, chunks[c], units, sizeof units)) continue;
        for (uint64_t u = 0; u < HAK_GUARD_CHUNK; u++)
            read_unit(reading, units[u], head.base + ((c * HAK_GUARD_CHUNK + u) << UNIT_BITS));
    }
    struct page_view view;
    if (page_view_open(&view, reading->memory, root)) page_view_each(&view, add_paged, reading);
    return true;
}

// Looking blocks up

uint64_t live_block_end(const struct live_block* block) {
    return block->start + (block->size != 0 ? block->size : 1);
}

static uint64_t end_for_pointers(const struct live_block* block) {
    return live_block_end(block) + block->ends_behind;
}

static uint32_t* page_entry(const struct live_blocks* live, uint64_t address) {
    uint64_t table = address >> (PAGE_BITS + 20);
    if (table >= TABLES || live->pages[table] == NULL) return NULL;
    return &live->pages[table][address >> PAGE_BITS & (TABLE_PAGES - 1)];
}

static bool enter(struct live_blocks* live, uint32_t number) {
    const struct live_block* block = &live->blocks[number];
    uint64_t last = (end_for_pointers(block) - 1) >> PAGE_BITS;
    for (uint64_t page = block->start >> PAGE_BITS; page <= last; page++) {
        uint64_t table = page >> 20;
        if (table >= TABLES) return true;
        if (live->pages[table] == NULL) live->pages[table] = calloc(TABLE_PAGES, sizeof(uint32_t));
        if (live->pages[table] == NULL) return false;
        uint32_t* entry = page_entry(live, page << PAGE_BITS);
        if (*entry == 0) *entry = number + 1;
    }
    return true;
}

static int by_address(const void* a, const void* b) {
    const struct live_block *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static bool make_index(struct live_blocks* live) {
    live->pages = calloc(TABLES, sizeof *live->pages);
    if (live->pages == NULL) return false;
    if (live->count > 0) qsort(live->blocks, live->count, sizeof *live->blocks, by_address);
    for (size_t i = 0; i < live->count; i++)
        if (!enter(live, (uint32_t)i)) return false;
    return true;
}

bool live_blocks_read(struct live_blocks* live, const struct process_memory* memory, uint64_t root, uint64_t since) {
    struct reading reading = {.live = live, .memory = memory, .since = since};
    *live = (struct live_blocks){.count = 0};
    return read_all(&reading, root) && !live->failed && make_index(live);
}

void live_blocks_free(struct live_blocks* live) {
    for (size_t i = 0; live->pages != NULL && i < TABLES; i++) free(live->pages[i]);
    free(live->pages);
    free(live->blocks);
    *live = (struct live_blocks){.count = 0};
}

uint32_t live_blocks_find(const struct live_blocks* live, uint64_t address) {
    enum { IN_A_PAGE = (1 << PAGE_BITS) / 16 + 1 };
    const uint32_t* entry = page_entry(live, address);
    if (entry == NULL || *entry == 0) return BLOCK_NONE;
    size_t low = *entry - 1, high = low + IN_A_PAGE < live->count ? low + IN_A_PAGE : live->count;
    while (low < high) {  // the first block that ends behind the address
        size_t middle = low + (high - low) / 2;
        if (end_for_pointers(&live->blocks[middle]) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < live->count && live->blocks[low].start <= address ? (uint32_t)low : BLOCK_NONE;
}
