#include "superslab/page_slots.h"

#include "os/os.h"
#include "superslab/page_access.h"
#include "superslab/page_extent.h"

// Pages of a slot, the closed one included. A slot that is longer than needed wastes address space alone.
static const uint16_t strides[] = {2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 28, 32, 42, 51, 64, 85, 128};

enum { LENGTHS = sizeof strides / sizeof *strides, KEPT_PAGES = 1 << 16 };

typedef struct {
    uint32_t extent, cut, slots;       // the extent that is being cut: slots cut, and all of them
    HakPageRecord* first;              // the slot that was freed first
    _Atomic(HakPageRecord*) returned;  // slots freed after those in the queue, the newest first
} Length;

typedef struct {
    HakLock lock;
    _Atomic int64_t kept;              // pages of freed slots
    uint32_t ready_count, ready_used;  // of the slots in `ready`
    PageSlot ready[OS_OPEN_MOST];
    Length length[LENGTHS];
} HAK_ALIGNED(HAK_CACHE_LINE) Shard;

static Shard shards[HAK_PAGES_SHARDS];

static unsigned length_for(uint64_t pages) {
    unsigned i = 0;
    while (strides[i] <= pages) i++;
    return i;
}

// --- take

// The slots that were returned become the queue, the oldest first.
static void queue_returned(Length* length) {
    HakPageRecord* record = exchange_acquire(&length->returned, NULL);  // pairs with the release in page_slot_give
    for (HakPageRecord* next; record; record = next) {
        next = load_relaxed(&record->next);
        store_relaxed(&record->next, length->first);
        length->first = record;
    }
}

static HakPageRecord* take_first(Shard* shard, unsigned i) {
    Length* length = &shard->length[i];
    if (length->first == NULL) queue_returned(length);
    HakPageRecord* record = length->first;
    if (record == NULL) return NULL;
    length->first = load_relaxed(&record->next);
    add_relaxed(&shard->kept, -(int64_t)strides[i]);
    return record;
}

// An extent that is over is of no use to the shard.
static void give_if_over(uint32_t extent, uint32_t state) {
    if (extent_is_over(state) && page_close_extent(extent)) page_extent_give(extent);
}

// A freed slot's record has the block's start, which lies in the slot, or behind its last usable page.
static PageSlot take_freed(Shard* shard, unsigned i) {
    for (HakPageRecord* record; (record = take_first(shard, i));) {
        const void* start = (const void*)load_relaxed(&record->start);
        uint32_t number = page_extent_of(start);
        HakPageExtent* extent = page_extent(number);
        uint32_t state = extent->by_rights ? extent_unqueue(extent) : 0;
        if (!extent_has_yielded(state)) return page_slot_of(start);
        give_if_over(number, state);
    }
    return (PageSlot){0};
}

static PageSlot cut_new(Shard* shard, unsigned i) {
    Length* length = &shard->length[i];
    if (length->cut == length->slots) {
        uint32_t extent;
        if (!page_extent_make(strides[i], (uint8_t)(shard - shards), &extent)) return (PageSlot){0};
        length->extent = extent;
        length->cut = 0;
        length->slots = HAK_PAGES_EXTENT / strides[i];
    }
    PageSlot slot = page_slot_at(length->extent, length->cut++);
    HakPageExtent* extent = page_extent(length->extent);
    if (extent->by_rights) extent_cut(extent, length->cut == length->slots);
    store_relaxed(&slot.record->start, (uintptr_t)slot.first);
    return slot;
}

static PageSlot take_from(Shard* shard, unsigned i) {
    bool full = load_relaxed(&shard->kept) > KEPT_PAGES;
    PageSlot slot = full ? take_freed(shard, i) : (PageSlot){0};
    if (slot.record == NULL) slot = cut_new(shard, i);
    return slot.record || full ? slot : take_freed(shard, i);
}

// Opens slots of one page ahead, twice as many each time: one system call opens all of them.
static PageSlot take_ready(Shard* shard) {
    if (shard->ready_used == shard->ready_count) {
        uint32_t wanted = shard->ready_count < OS_OPEN_MOST / 2 ? 2 * shard->ready_count + 1 : OS_OPEN_MOST;
        shard->ready_count = shard->ready_used = 0;
        for (PageSlot slot; shard->ready_count < wanted && (slot = take_from(shard, 0)).record;)
            shard->ready[shard->ready_count++] = slot;
        if (shard->ready_count > 1) page_open_all(shard->ready, shard->ready_count);
    }
    return shard->ready_used < shard->ready_count ? shard->ready[shard->ready_used++] : (PageSlot){0};
}

PageSlot page_slot_take(uint32_t shard, uint64_t pages, bool closed) {
    if (pages >= strides[LENGTHS - 1]) return page_huge_make(pages);
    unsigned length = length_for(pages);
    for (uint32_t i = 0; i < HAK_PAGES_SHARDS; i++) {
        Shard* at = &shards[(shard + i) % HAK_PAGES_SHARDS];
        if (!hak_trylock(&at->lock)) continue;
        PageSlot slot = length == 0 && !closed ? take_ready(at) : take_from(at, length);
        hak_unlock(&at->lock);
        return slot;
    }
    return (PageSlot){0};
}

// --- give

void page_slot_give(PageSlot slot) {
    uint32_t number = page_extent_of(slot.first);
    HakPageExtent* extent = page_extent(number);
    if (extent->shard == PAGES_NO_SHARD) {
        page_huge_give(slot.record);
        return;
    }
    uint32_t stride = load_relaxed(&extent->stride);
    Shard* shard = &shards[extent->shard];
    Length* length = &shard->length[length_for(stride - 1)];
    uint32_t state = extent->by_rights ? extent_leave(extent) : 0;
    if (extent_has_yielded(state)) {
        give_if_over(number, state);
        return;
    }
    HakPageRecord* before = load_relaxed(&length->returned);
    do {
        store_relaxed(&slot.record->next, before);
    } while (!cas_release(&length->returned, &before, slot.record));  // pairs with the acquire in queue_returned
    add_relaxed(&shard->kept, (int64_t)stride);
}

// --- forks

void page_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    for (unsigned i = 0; i < HAK_PAGES_SHARDS; i++) step(&shards[i].lock, fork);
    step(&region_lock, fork);
}

void page_slots_in_child(void) {
    page_access_in_child();
    if (hak_lock_is_others(&region_lock)) page_region_forget_half_done();
    for (Shard* shard = shards; shard < shards + HAK_PAGES_SHARDS; shard++) {
        if (!hak_lock_is_others(&shard->lock)) continue;
        shard->ready_count = shard->ready_used = 0;
        for (Length* length = shard->length; length < shard->length + LENGTHS; length++) {
            length->first = NULL;
            length->cut = length->slots = 0;
        }
    }
}

bool page_is_block_start(const void* p) {
    HakPageRecord* record = page_slot_of(p).record;
    return record && load_relaxed(&record->start) == (uintptr_t)p &&
           guard_state(load_acquire(&record->guard.word)) != HAK_GUARD_NONE;
}

uint64_t page_open_bytes(void) {
    return (uint64_t)page_access_open_pages() << hak_page_root.page_shift;
}
