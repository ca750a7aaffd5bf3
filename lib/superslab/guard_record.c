#include "superslab/guard_record.h"

#include "config/options.h"
#include "os/os.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"

#include <string.h>

_Static_assert(HAK_GUARD_UNIT_SLABS == SLABS_PER_UNIT && HAK_GUARD_PAGE == PAGE_SIZE_BYTES &&
                   HAK_GUARD_HUGE == UNIT_SIZE && HAK_GUARD_CHUNK * HAK_GUARD_CHUNK == 1 << 22,
               "the arithmetic that the header gives is that of the heap window");

HakGuardRoot hak_guard_root = {
    .magic = HAK_GUARD_MAGIC, .version = HAK_GUARD_VERSION, .record_bytes = sizeof(HakGuardRecord)};

// --- tables

static HakGuardUnit* find_unit(UnitNumber u) {
    if (u / HAK_GUARD_CHUNK >= HAK_GUARD_CHUNK) return NULL;
    // Both pair with the release in put.
    HakGuardChunk* chunk = load_acquire(&hak_guard_root.chunk[u / HAK_GUARD_CHUNK]);
    return chunk ? load_acquire(&chunk->unit[u % HAK_GUARD_CHUNK]) : NULL;
}

static void* map_table(size_t bytes) {
    void* table = os_map_sparse(bytes);
    if (table && !hak_option(guard_dump)) os_leave_out_of_dumps(table, bytes);
    return table;
}

// Puts fresh memory where there is none yet, unless another thread does so first. Its release pairs with the acquires
// in find_unit and make_unit.
#define put(place, type)                                                                                    \
    do {                                                                                                    \
        type* none = NULL;                                                                                  \
        type* fresh = map_table(align_up(sizeof(type), OS_PAGE));                                           \
        if (fresh && !cas_release((place), &none, fresh)) os_unmap(fresh, align_up(sizeof(type), OS_PAGE)); \
    } while (0)

static HakGuardUnit* make_unit(UnitNumber u) {
    if (u / HAK_GUARD_CHUNK >= HAK_GUARD_CHUNK) return NULL;
    _Atomic(HakGuardChunk*)* chunk = &hak_guard_root.chunk[u / HAK_GUARD_CHUNK];
    if (load_acquire(chunk) == NULL) put(chunk, HakGuardChunk);
    HakGuardChunk* units = load_acquire(chunk);
    if (units == NULL) return NULL;
    if (load_acquire(&units->unit[u % HAK_GUARD_CHUNK]) == NULL) put(&units->unit[u % HAK_GUARD_CHUNK], HakGuardUnit);
    store_relaxed(&hak_guard_root.base, hak_heap.base);
    return find_unit(u);
}

// --- slabs

// The slab is the caller's, or nobody's.
static void set_slab(HakGuardUnit* table, unsigned i, uint32_t block_size) {
    HakGuardSlab* slab = &table->slab[i];
    memset(table->record[i], 0, load_relaxed(&slab->used) * sizeof(HakGuardRecord));
    store_relaxed(&slab->used, 0u);
    store_relaxed(&slab->block_size, block_size);
}

void guard_slab_made(SlabNumber s, uint32_t block_size) {
    if (!hak_option(guard)) return;
    HakGuardUnit* table = make_unit(unit_of_slab(s));
    if (table == NULL) return;
    if (block_size)
        set_slab(table, s % SLABS_PER_UNIT, block_size);
    else
        for (unsigned i = 0; i < SLABS_PER_UNIT; i++) set_slab(table, i, HAK_GUARD_PAGE);
}

void guard_huge_made(UnitNumber u, UnitNumber units) {
    HakGuardUnit* head = make_unit(u);
    if (head == NULL) return;
    for (UnitNumber at = u; at < u + units; at++) {
        HakGuardUnit* table = find_unit(at);
        for (unsigned i = 0; table && i < SLABS_PER_UNIT; i++)
            if (load_relaxed(&table->slab[i].block_size)) set_slab(table, i, 0);
    }
    set_slab(head, 0, HAK_GUARD_HUGE);
}

// --- places

static const GuardPlace nowhere;

GuardPlace guard_place(const void* p) {
    if (!heap_contains(p)) return nowhere;
    uintptr_t offset = (uintptr_t)p - hak_heap.base, in_slab = offset & (SLAB_SIZE - 1);
    HakGuardUnit* table = find_unit((UnitNumber)(offset >> UNIT_SHIFT));
    if (table == NULL) return nowhere;
    unsigned i = (unsigned)(offset >> SLAB_SHIFT) % SLABS_PER_UNIT;
    uint32_t size = load_relaxed(&table->slab[i].block_size), index = size ? (uint32_t)in_slab / size : UINT32_MAX;
    if (index >= HAK_GUARD_SLAB_RECORDS) return nowhere;
    char* block = (char*)hak_heap.base + (offset - in_slab) + (size_t)index * size;
    return (GuardPlace){&table->record[i][index], block, &table->slab[i], size, index};
}

// For a slab that was made before guard mode began: its blocks have no records before this.
static void make_missing(SlabNumber s) {
    uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[s]));
    HakGuardUnit* table = make_unit(unit_of_slab(s));
    if (table == NULL) return;
    if (tag_is_class(tag))
        store_relaxed(&table->slab[s % SLABS_PER_UNIT].block_size, size_of_class((unsigned)(tag / TAG_PER_CLASS)));
    else if (tag_is_runs(tag))
        store_relaxed(&table->slab[s % SLABS_PER_UNIT].block_size, (uint32_t)HAK_GUARD_PAGE);
}

GuardPlace guard_place_new(const void* block) {
    GuardPlace place = guard_place(block);
    if (HAK_UNLIKELY(place.record == NULL)) {
        make_missing((SlabNumber)slab_number_of(block));
        place = guard_place(block);
    }
    uint32_t used = place.record ? load_relaxed(&place.slab->used) : UINT32_MAX;
    while (used <= place.index && !cas_relaxed(&place.slab->used, &used, place.index + 1)) {}
    return place;
}
