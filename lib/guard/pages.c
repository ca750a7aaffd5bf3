#include "guard/pages.h"

#include "base/bits.h"
#include "config/options.h"
#include "front/hits.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "guard/notes.h"
#include "os/os.h"
#include "superslab/heap.h"
#include "superslab/page_access.h"
#include "superslab/page_slots.h"
#include "superslab/pressure.h"

#include <string.h>

_Atomic uint32_t hak_pages_mode;
static size_t least_alignment;

// --- the bounds

static uint64_t most_bytes(void) {
    enum { PART = 4, LEAST = 1 << 26 };
    uint64_t option = (uint64_t)hak_option(pages_memory), memory = os_memory_bytes(), group = UINT64_MAX;
    if (option) return option;
    if (!hak_lock_is_mine(&heap_lock)) {
        hak_lock(&heap_lock);
        group = pressure_limit();
        hak_unlock(&heap_lock);
    }
    uint64_t part = (memory < group ? memory : group) / PART;
    return part > LEAST ? part : LEAST;
}

// The rest is for the program.
static uint64_t most_mappings(void) {
    enum { USUAL = 65530, FOR_PROGRAM = 5000 };
    uint64_t most = os_number_in("/proc/sys/vm/max_map_count");
    if (most == 0) most = USUAL;
    return most > 2 * FOR_PROGRAM ? most - FOR_PROGRAM : most / 2;
}

// Undecided while the process has no heap yet. If two threads come together, both note the same.
bool pages_decide(void) {
    enum { START = 2 };
    if (load_acquire(&hak_pages_mode) == PAGES_ON) return true;  // pairs with the release below
    int64_t option = hak_option(pages);
    if (option != 0 && (guard_thread_number() == 0 || hak_heap.base == 0)) return false;
    bool on = option != 0 && page_region_begin(os_page_bytes(), option == START);
    if (on) page_access_begin(most_bytes(), most_mappings());
    uint64_t align = (uint64_t)hak_option(pages_align);
    least_alignment = align > 1 ? (size_t)2 << log2_floor(align - 1) : 1;
    store_release(&hak_pages_mode, (uint32_t)(on ? PAGES_ON : PAGES_OFF));  // pairs with the acquire above
    return on;
}

void pages_stop(void) {
    page_access_stop();
    store_relaxed(&hak_pages_mode, (uint32_t)PAGES_OFF);
}

// --- what is around a block on its pages

typedef struct {
    unsigned char *from, *start, *behind, *end;  // pages, and the block in them
} Span;

static Span span_of(uintptr_t start, size_t size) {
    unsigned char *block = (unsigned char*)start, *behind = block + size;
    if (size == 0) return (Span){block, block, block, block};
    return (Span){(unsigned char*)page_down(block), block, behind, (unsigned char*)page_up(behind)};
}

static void write_pattern(const Span* span) {
    memset(span->from, GUARD_CANARY, (size_t)(span->start - span->from));
    memset(span->behind, GUARD_CANARY, (size_t)(span->end - span->behind));
}

static bool pattern_is_whole(const Span* span) {
    return guard_all_are(span->from, span->start, GUARD_CANARY) && guard_all_are(span->behind, span->end, GUARD_CANARY);
}

static HAK_COLD void fault_pattern(const char* site, const GuardPlace* place, const Span* span) {
    GuardDamage behind = guard_damage(span->behind, span->end, GUARD_CANARY);
    if (behind.first < behind.end) fault_overflow(site, place, span->end, behind);
    fault_before(site, place, guard_damage(span->from, span->start, GUARD_CANARY));
}

// --- malloc

// The block's start in a slot. A block of no bytes lies on a closed page.
static char* start_in(const PageSlot* slot, size_t alignment, size_t size) {
    if (hak_page_root.at_start) return (char*)align_up((uintptr_t)slot->first, alignment);
    return (char*)align_down((uintptr_t)slot->end - size, alignment);
}

static uint64_t pages_for(size_t alignment, size_t size) {
    size_t bytes = size + (alignment > page_bytes() ? alignment : 0);
    uint64_t pages = (bytes + page_bytes() - 1) >> hak_page_root.page_shift;
    return pages ? pages : 1;
}

static void* begin(const GuardCall* call, const PageSlot* slot, char* start, size_t size) {
    HakGuardRecord* record = &slot->record->guard;
    uint64_t word = guard_word(HAK_GUARD_CHANGING, call->family, size);
    exchange_acquire(&record->word, word);
    store_relaxed(&slot->record->start, (uintptr_t)start);
    guard_note_alloc(call, record);
    ring_record(HAK_EVENT_malloc, start, 0, size);
    // pairs with the acquires in word_of, pages_seize, pages_usable_size
    store_release(&record->word, guard_with_state(word, HAK_GUARD_LIVE));
    return start;
}

static void* allocate(const GuardCall* call, uint32_t shard, size_t alignment, size_t size) {
    const size_t most = SIZE_MAX >> 16;  // beyond all address space
    if (size > most || alignment > most) return NULL;
    PageSlot slot = page_slot_take(shard, pages_for(alignment, size), size == 0);
    if (slot.record == NULL) return NULL;
    char* start = start_in(&slot, alignment > least_alignment ? alignment : least_alignment, size);
    Span span = span_of((uintptr_t)start, size);
    if (size && !slot.open && !page_open(slot.record, (char*)span.from, (char*)span.end)) {
        page_slot_give(slot);
        return NULL;
    }
    write_pattern(&span);
    return begin(call, &slot, start, size);
}

void* pages_allocate(const GuardCall* call, size_t alignment, size_t size) {
    uint32_t shard = guard_thread_number() % HAK_PAGES_SHARDS;
    void* block = allocate(call, shard, alignment, size);
    HakPageCount* count = &hak_page_root.count[shard];
    add_relaxed(block ? &count->covered : &count->passed, 1u);
    return block;
}

// --- the block that a pointer belongs to

static GuardPlace place_of(const void* p) {
    PageSlot slot = page_slot_of(p);
    if (slot.record == NULL) return (GuardPlace){0};
    return (GuardPlace){.record = &slot.record->guard, .block = (char*)load_relaxed(&slot.record->start)};
}

static uint64_t word_of(const GuardPlace* place) {
    return place->record ? load_acquire(&place->record->word) : 0;
}

static HAK_COLD HAK_NORETURN void not_a_block(const GuardCall* call, const GuardPlace* place, const void* p) {
    uint64_t word = word_of(place);
    bool inside = guard_state(word) != HAK_GUARD_NONE && (uintptr_t)p - (uintptr_t)place->block < guard_size(word);
    if (inside) fault_interior(call, place, p);
    fault_no_block(call, p);
}

// While hak_check looks at the block, others wait. It may have been cut off by a fork, so not for ever.
static uint64_t settled_word(const GuardPlace* place) {
    enum { TRIES = 464 };
    uint64_t word = word_of(place);
    for (int i = 0; i < TRIES && guard_state(word) == HAK_GUARD_CHECKED; i++) {
        os_wait(i);
        word = word_of(place);
    }
    return word;
}

static bool is_in_use(uint64_t word) {
    return guard_state(word) == HAK_GUARD_LIVE || guard_state(word) == HAK_GUARD_CHECKED;
}

GuardPlace pages_seize(const char* check, const GuardCall* call, const void* p) {
    GuardPlace place = place_of(p);
    uint64_t word = settled_word(&place);
    for (;;) {
        if (guard_state(word) == HAK_GUARD_NONE || place.block != p) not_a_block(call, &place, p);
        if (!is_in_use(word)) fault_dead(check, call, &place);
        // pairs with the releases in begin and pages_stay
        if (cas_acquire(&place.record->word, &word, guard_with_state(word, HAK_GUARD_CHANGING))) break;
    }
    Span span = span_of((uintptr_t)p, guard_size(word));
    if (HAK_UNLIKELY(!pattern_is_whole(&span))) fault_pattern(call->function, &place, &span);
    if (HAK_UNLIKELY(guard_family(word) != call->family)) fault_family(call, &place);
    return place;
}

size_t pages_usable_size(const GuardCall* call, const void* p) {
    GuardPlace place = place_of(p);
    uint64_t word = word_of(&place);
    if (guard_state(word) == HAK_GUARD_NONE || place.block != p) not_a_block(call, &place, p);
    if (!is_in_use(word)) fault_dead("use_after_free", call, &place);
    return guard_size(word);
}

// --- free

// A slot that cannot be closed is never handed out again.
void pages_retire(const GuardCall* call, const GuardPlace* place) {
    PageSlot slot = page_slot_of(place->block);
    uint64_t word = load_relaxed(&place->record->word);
    Span span = span_of((uintptr_t)place->block, guard_size(word));
    guard_note_free(call, place->record);
    ring_record(HAK_EVENT_free, place->block, 0, FREE_PAGES);
    bool closed = span.from == span.end || page_close(slot.record, (char*)span.from, (char*)span.end);
    if (!closed) guard_poison_write(place->block, guard_size(word));
    store_release(&place->record->word, guard_with_state(word, HAK_GUARD_QUARANTINED));  // pairs as in begin
    if (closed) page_slot_give(slot);
}

void pages_free(const GuardCall* call, const void* p, const size_t* size) {
    GuardPlace place = pages_seize("double_free", call, p);
    if (HAK_UNLIKELY(size && *size != guard_size(load_relaxed(&place.record->word)))) fault_size(call, &place, *size);
    pages_retire(call, &place);
}

void* pages_stay(const GuardPlace* place, size_t size) {
    uint64_t word = load_relaxed(&place->record->word);
    bool fits = size <= guard_size(word) && size > 0;
    if (fits) {
        Span before = span_of((uintptr_t)place->block, guard_size(word));
        Span span = span_of((uintptr_t)place->block, size);
        HakPageRecord* record = page_slot_of(place->block).record;
        bool closed = span.end == before.end || page_close_tail(record, (char*)span.end, (char*)before.end);
        if (!closed) span.end = before.end;
        write_pattern(&span);
        word = guard_word(HAK_GUARD_LIVE, guard_family(word), size);
    }
    store_release(&place->record->word, guard_with_state(word, HAK_GUARD_LIVE));  // pairs as in begin
    return fits ? place->block : NULL;
}

// --- the end of the process

static void check_block(const char* site, HakPageRecord* record) {
    uint64_t word = load_relaxed(&record->guard.word), seized;
    if (guard_state(word) != HAK_GUARD_LIVE) return;
    seized = guard_with_state(word, HAK_GUARD_CHECKED);
    if (!cas_acquire(&record->guard.word, &word, seized)) return;  // pairs with the releases in begin and pages_stay
    GuardPlace place = {.record = &record->guard, .block = (char*)load_relaxed(&record->start)};
    Span span = span_of((uintptr_t)place.block, guard_size(word));
    bool whole = pattern_is_whole(&span);
    cas_release(&record->guard.word, &seized, word);  // pairs as in begin; a thread that waited too long has it
    if (!whole) fault_pattern(site, &place, &span);
}

void pages_check_live(const char* site) {
    for (uint32_t e = 0; e < load_acquire(&hak_page_root.extents); e++) {
        const HakPageExtent* extent = page_extent(e);
        uint32_t stride = load_acquire(&extent->stride);  // pairs with the releases in page_extent_make, page_huge_make
        uint32_t slots = stride == 0 || load_relaxed(&extent->back) ? 0 : load_relaxed(&extent->pages) / stride;
        for (uint32_t i = 0; i < slots; i++) check_block(site, page_slot_at(e, i).record);
    }
}
