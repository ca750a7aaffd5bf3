#include "report/heap_view.h"

#include "slab/run_map.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "thread/link.h"
#include "thread/tcb.h"

#include <stdlib.h>
#include <string.h>

enum { CONTROL_BLOCKS_MAX = 4096, SLABS_LOOKED_AT = 1 << 20, NUMBER_MAX = 1 << 24 };

static bool read_at(const struct heap_view* view, uint64_t address, void* out, size_t bytes) {
    return process_memory_read(&view->memory, address, out, bytes);
}

// Entry `index` of a table.
static bool read_entry(const struct heap_view* view, const void* table, uint64_t index, void* out, size_t bytes) {
    return read_at(view, (uint64_t)(uintptr_t)table + index * bytes, out, bytes);
}

static uint64_t slab_limit(const struct heap_view* view) {
    uint64_t limit = load_relaxed(&view->heap.slabs), tabled = (uint64_t)view->heap.tabled * SLABS_PER_UNIT;
    return limit < tabled ? limit : tabled;
}

// Control blocks: those that own slabs, and those reachable from them. They say which thread an address belongs to.

static bool knows_control_block(const struct heap_view* view, uint64_t address) {
    for (size_t i = 0; i < view->control_block_count; i++) {
        if (view->control_blocks[i].address == address) return true;
    }
    return false;
}

static bool read_number(const struct heap_view* view, uint64_t address, uint32_t* number, uint64_t* next) {
    struct {
        uint32_t state, number;
        uint64_t next;
    } head;
    _Static_assert(offsetof(HakTcb, number) == 4 && offsetof(HakTcb, next_all) == 8, "the start of a control block");
    if (address == 0 || address % _Alignof(HakTcb) != 0 || !read_at(view, address, &head, sizeof head) ||
        head.state > TCB_LOST || head.number > NUMBER_MAX || head.next % _Alignof(HakTcb) != 0)
        return false;
    *number = head.number;
    *next = head.next;
    return true;
}

static void note_control_blocks(struct heap_view* view, uint64_t address) {
    uint32_t number;
    for (uint64_t next; view->control_block_count < CONTROL_BLOCKS_MAX && !knows_control_block(view, address) &&
                        read_number(view, address, &number, &next);
         address = next) {
        view->control_blocks[view->control_block_count++] = (struct control_block){address, number};
    }
}

static void find_control_blocks(struct heap_view* view) {
    uint64_t words[1024], last = 0, end = slab_limit(view);
    view->control_blocks = calloc(CONTROL_BLOCKS_MAX, sizeof *view->control_blocks);
    if (view->control_blocks == NULL) return;
    if (end > SLABS_LOOKED_AT) end = SLABS_LOOKED_AT;
    for (uint64_t s = 0; s < end; s += 1024) {
        size_t count = end - s < 1024 ? (size_t)(end - s) : 1024;
        if (!read_at(view, (uint64_t)(uintptr_t)view->heap.owner + s * sizeof words[0], words, count * sizeof words[0]))
            return;
        for (size_t i = 0; i < count; i++) {
            uint64_t owner = word_owner(words[i]);
            if (owner != last && owner != 0) note_control_blocks(view, owner);
            last = owner;
        }
    }
}

bool heap_view_thread_of(const struct heap_view* view, uint64_t control_block, uint32_t* number) {
    for (size_t i = 0; i < view->control_block_count; i++) {
        if (view->control_blocks[i].address != control_block) continue;
        *number = view->control_blocks[i].number;
        return true;
    }
    uint64_t next;
    return view->problem == NULL && read_number(view, control_block, number, &next);
}

// The upper bits are those of a known control block, or one of the few values possible in user space.
bool heap_view_thread_of_bits(const struct heap_view* view, uint32_t bits, uint32_t* number) {
    for (size_t i = 0; i < view->control_block_count; i++) {
        if ((uint32_t)(view->control_blocks[i].address >> 12) != bits) continue;
        *number = view->control_blocks[i].number;
        return true;
    }
    for (uint64_t top = 0; bits != 0 && top < 8; top++) {
        if (heap_view_thread_of(view, top << 44 | (uint64_t)bits << 12, number)) return true;
    }
    return false;
}

// Opening

static const char* read_heap(struct heap_view* view, const HakRingFile* ring) {
    if (view->memory.pid <= 0 && view->memory.read == NULL) return "the process and its heap are gone";
    if (ring->magic != HAK_RING_MAGIC || ring->heap == 0) return "the allocator had not yet recorded where its heap is";
    if (!read_at(view, ring->heap, &view->heap, sizeof view->heap))
        return "the memory of the process cannot be read (is ptrace forbidden?)";
    if (ring->link_key != 0) read_at(view, ring->link_key, &view->link_key, sizeof view->link_key);
    if (view->heap.base == 0) return "the process had no heap yet";
    if (view->heap.base % UNIT_SIZE != 0 || view->heap.tabled > UINT32_MAX / SLABS_PER_UNIT)
        return "the description of the heap is damaged";
    return NULL;
}

void heap_view_open(struct heap_view* view, const HakRingFile* ring, pid_t pid, const struct procmaps* maps) {
    struct process_memory memory;
    process_memory_open(&memory, pid);
    heap_view_open_memory(view, ring, &memory, maps);
}

void heap_view_open_memory(struct heap_view* view, const HakRingFile* ring, const struct process_memory* memory,
                           const struct procmaps* maps) {
    *view = (struct heap_view){.maps = maps, .memory = *memory};
    view->problem = read_heap(view, ring);
    if (view->problem != NULL) return;
    view->copy = malloc(SLAB_SIZE);
    find_control_blocks(view);
}

void heap_view_close(struct heap_view* view) {
    process_memory_close(&view->memory);
    free(view->control_blocks);
    free(view->copy);
    *view = (struct heap_view){.problem = "closed"};
}

uint64_t heap_view_slab_address(const struct heap_view* view, uint32_t slab) {
    return view->problem == NULL ? view->heap.base + ((uint64_t)slab << SLAB_SHIFT) : 0;
}

// Walks along links

static bool read_word(struct heap_view* view, uint32_t slab, uint64_t address, uint64_t* word) {
    uint64_t start = heap_view_slab_address(view, slab);
    if (view->copied_slab != slab && view->copy != NULL) {
        view->copied_slab = slab;
        view->copy_is_complete = read_at(view, start, view->copy, SLAB_SIZE);
    }
    if (view->copy == NULL || !view->copy_is_complete) return read_at(view, address, word, sizeof *word);
    memcpy(word, view->copy + (address - start), sizeof *word);
    return true;
}

// Whether `wanted` is in the chain of blocks that begins with `first`. Stops at the first pointer that is not a block
// of the slab.
static bool is_in_list(struct heap_view* view, const struct heap_place* place, uint64_t first, uint64_t wanted,
                       const char** damage) {
    uint64_t start = heap_view_slab_address(view, place->slab);
    uint64_t block = first;
    for (uint32_t steps = 0; block != 0; steps++) {
        if (block == wanted) return true;
        if (steps > place->capacity) {
            *damage = "it is circular";
            return false;
        }
        if (block < start || block - start > SLAB_SIZE - sizeof(uint64_t) || (block - start) % place->block_size != 0) {
            *damage = "a link in it does not lead to a block of the slab";
            return false;
        }
        if (!read_word(view, place->slab, block, &block)) {
            *damage = "a block in it cannot be read";
            return false;
        }
        block += view->link_key;
        if (block == link_end_with(view->link_key)) return false;
    }
    return false;
}

static enum block_state state_of_block(struct heap_view* view, struct heap_place* place, const TinySlabMeta* meta,
                                       uint64_t remote) {
    if (place->index >= meta->carved) return BLOCK_NEVER_USED;
    if (is_in_list(view, place, (uint64_t)(uintptr_t)meta->freelist, place->block, &place->list_damage))
        return BLOCK_ON_FREE_LIST;
    const char* remote_damage = NULL;
    if (is_in_list(view, place, remote & REMOTE_POINTER, place->block, &remote_damage)) return BLOCK_ON_REMOTE_STACK;
    return place->list_damage == NULL && remote_damage == NULL ? BLOCK_LIVE_OR_CACHED : BLOCK_UNKNOWN;
}

// Kinds of places

static void find_owner(const struct heap_view* view, struct heap_place* place, uint64_t word) {
    place->owned = word_owner(word) != 0;
    place->owner_is_known = !place->owned || heap_view_thread_of(view, word_owner(word), &place->owner);
}

static void find_block(struct heap_view* view, struct heap_place* place, uint64_t tag) {
    TinySlabMeta meta;
    RemoteHead remote = {0};
    uint64_t into = place->address - heap_view_slab_address(view, place->slab);
    place->kind = HEAP_UNKNOWN;
    if (!read_entry(view, view->heap.meta, place->slab, &meta, sizeof meta)) return;
    read_entry(view, view->heap.remote, place->slab, &remote, sizeof remote);
    uint64_t stack = load_relaxed(&remote.word);
    place->size_class = (uint32_t)(tag / TAG_PER_CLASS);
    place->used = meta_used(&meta);
    place->free_count = meta_free(&meta);
    place->carved = meta.carved;
    place->capacity = meta.capacity;
    place->remote = remote_count(stack);
    if (meta.block_size < sizeof(uint64_t) || meta.block_size > SLAB_SIZE) return;
    place->block_size = meta.block_size;
    place->index = into / meta.block_size;
    place->offset = into % meta.block_size;
    place->block = place->address - place->offset;
    place->kind = place->index < SLAB_SIZE / meta.block_size ? HEAP_BLOCK : HEAP_TAIL;
    if (place->kind == HEAP_BLOCK) place->state = state_of_block(view, place, &meta, stack);
}

static void find_run(const struct heap_view* view, struct heap_place* place) {
    RunMap map;
    SlabNumber first = first_slab(place->superslab);
    uint64_t start = heap_view_slab_address(view, first), page = (place->address - start) >> PAGE_SHIFT;
    uint64_t word = 0;
    if (read_entry(view, (const void*)view->heap.owner, first, &word, sizeof word)) find_owner(view, place, word);
    place->slab = first;
    place->kind = HEAP_UNKNOWN;
    if (!read_at(view, (uint64_t)(uintptr_t)&view->heap.meta[first + 1], &map, sizeof map)) return;
    place->kind = HEAP_FREE_PAGE;
    for (uint64_t at = page + 1; at-- > 0;) {
        uint32_t length = load_relaxed(&map.length[at]);
        if (length == 0) continue;
        if (length & RUN_IS_FREE) return;
        place->cached = (length & RUN_IS_CACHED) != 0;
        length = (length & RUN_PAGES) - map.gap;
        if (page - at >= length) return;
        place->kind = HEAP_RUN;
        place->block = start + (at << PAGE_SHIFT);
        place->block_size = (uint64_t)length << PAGE_SHIFT;
        place->offset = place->address - place->block;
        return;
    }
}

static bool read_unit(const struct heap_view* view, uint64_t number, Unit* unit) {
    return number < view->heap.tabled && read_entry(view, view->heap.unit, number, unit, sizeof *unit);
}

static void find_huge(const struct heap_view* view, struct heap_place* place) {
    Unit unit;
    for (uint64_t u = place->superslab; u > 0 && read_unit(view, u, &unit); u--) {
        if (unit.kind == UNIT_HUGE_REST) continue;
        if (unit.kind != UNIT_HUGE) return;
        place->kind = HEAP_HUGE;
        place->block = view->heap.base + (u << UNIT_SHIFT);
        place->block_size = unit.size;
        place->offset = place->address - place->block;
        return;
    }
}

static void find_in_unit(struct heap_view* view, struct heap_place* place) {
    Unit unit;
    uint64_t word = 0;
    bool known = read_unit(view, place->superslab, &unit) &&
                 read_entry(view, (const void*)view->heap.owner, place->slab, &word, sizeof word);
    if (!known) return;
    uint64_t tag = word_tag(word);
    uint32_t bit = 1u << (place->slab % SLABS_PER_UNIT);
    if (tag_is_class(tag)) {
        find_owner(view, place, word);
        find_block(view, place, tag);
    } else if (tag == TAG_RUNS || tag == TAG_RUNS_REST) {
        find_run(view, place);
    } else if (unit.kind == UNIT_HUGE || unit.kind == UNIT_HUGE_REST) {
        find_huge(view, place);
    } else if (unit.kind == UNIT_SLABS) {
        place->kind = HEAP_FREE_SLAB;
        place->purged = (unit.dirty_slabs & bit) == 0;
    } else if (unit.kind == UNIT_CLOSED) {
        place->kind = HEAP_NOTHING;
    } else {
        place->kind = HEAP_FREE_UNIT;
        place->purged = unit.dirty == 0;
    }
}

// The tables lie below the units, one after another.
static bool find_in_tables(const struct heap_view* view, struct heap_place* place) {
    uint64_t slabs = (uint64_t)view->heap.tabled * SLABS_PER_UNIT;
    const struct {
        const char* name;
        uint64_t start, count, size;
    } tables[] = {
        {"owner words", (uint64_t)(uintptr_t)view->heap.owner, slabs, sizeof(uint64_t)},
        {"slab descriptions", (uint64_t)(uintptr_t)view->heap.meta, slabs, sizeof(TinySlabMeta)},
        {"remote stacks", (uint64_t)(uintptr_t)view->heap.remote, slabs, sizeof(RemoteHead)},
        {"units", (uint64_t)(uintptr_t)view->heap.unit, view->heap.tabled, sizeof(Unit)},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (place->address < tables[i].start || place->address - tables[i].start >= tables[i].count * tables[i].size)
            continue;
        uint64_t entry = (place->address - tables[i].start) / tables[i].size;
        place->kind = HEAP_TABLE;
        place->table = tables[i].name;
        place->in_window = true;
        place->offset = (place->address - tables[i].start) % tables[i].size;
        if (i < 3)
            place->slab = (uint32_t)entry;
        else
            place->superslab = (uint32_t)entry;
        return true;
    }
    return false;
}

static bool find_in_control_blocks(const struct heap_view* view, struct heap_place* place) {
    for (size_t i = 0; i < view->control_block_count; i++) {
        const struct control_block* block = &view->control_blocks[i];
        if (place->address < block->address || place->address - block->address >= sizeof(HakTcb)) continue;
        place->kind = HEAP_CONTROL_BLOCK;
        place->owner = block->number;
        place->offset = place->address - block->address;
        return true;
    }
    return false;
}

struct heap_place heap_view_find(struct heap_view* view, uint64_t address) {
    struct heap_place place = {.address = address};
    const struct mapping* mapping = view->maps != NULL ? procmaps_find(view->maps, address) : NULL;
    place.mapped = mapping != NULL;
    place.accessible = mapping != NULL && mapping->permissions[0] == 'r';
    if (view->problem != NULL) return place;
    uint64_t slab = (address - view->heap.base) >> SLAB_SHIFT;
    if (address > view->heap.base && slab < slab_limit(view) && slab >= SLABS_PER_UNIT) {
        place.in_window = true;
        place.slab = (uint32_t)slab;
        place.superslab = unit_of_slab((SlabNumber)slab);
        find_in_unit(view, &place);
    } else if (!find_in_tables(view, &place) && !find_in_control_blocks(view, &place)) {
        place.kind = HEAP_FOREIGN;
    }
    return place;
}

struct heap_place heap_view_slab(struct heap_view* view, uint32_t slab) {
    struct heap_place place = heap_view_find(view, heap_view_slab_address(view, slab));
    if (place.kind == HEAP_BLOCK) place.kind = HEAP_SLAB;
    return place;
}
