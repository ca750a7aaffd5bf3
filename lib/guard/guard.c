#include "guard/guard.h"

#include "front/block.h"
#include "front/fastpath.h"
#include "front/life.h"
#include "front/wrong_free.h"
#include "guard/check.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "guard/live.h"
#include "guard/notes.h"
#include "guard/nothing.h"
#include "guard/pages.h"
#include "guard/release.h"
#include "os/os.h"
#include "superslab/closed.h"
#include "superslab/huge.h"

#include <errno.h>

// --- records

static size_t bytes_of(const GuardPlace* place) {
    if (is_nothing(place->block)) return 0;
    return block_is_of_class(place->block) ? place->block_size : block_bytes(place->block);
}

static GuardPlace new_place(void* block) {
    SlabNumber s = (SlabNumber)slab_number_of(block);
    if (word_tag(load_relaxed(&hak_heap.owner[s])) == TAG_HUGE)
        guard_huge_made(unit_of_slab(s), (UnitNumber)((huge_size(s) + UNIT_SIZE - 1) >> UNIT_SHIFT));
    return guard_place_new(block);
}

// --- malloc

static void begin(const GuardCall* call, const GuardPlace* place, size_t size, size_t clear) {
    enum { LINK = 8 };
    HakGuardRecord* record = place->record;
    bool of_class = block_is_of_class(place->block);
    size_t bytes = bytes_of(place);
    uint64_t word = guard_word(HAK_GUARD_CHANGING, call->family, size);
    uint64_t before = exchange_acquire(&record->word, word);  // pairs with the release in guard_set_state
    HakGuardState state = guard_state(before);
    // The link was in the first bytes. Page runs are cut anew, from pages with other blocks before.
    bool poisoned = state == HAK_GUARD_FREE && of_class;
    bool whole = !poisoned || guard_poison_is_whole(place->block, LINK, bytes);
    if (HAK_UNLIKELY(!whole || (state != HAK_GUARD_NONE && state != HAK_GUARD_FREE))) {
        store_relaxed(&record->word, before);
        if (whole) fault_twice(call, place);
        fault_poison(call->function, place, LINK, bytes);
    }
    memset(place->block, 0, clear);
    guard_canary_write(place->block, size, bytes);
    guard_note_alloc(call, record);
    // pairs with the acquires in covers, block_around, seize, guard_usable_size, word_of (guard_faults.c), check_live
    store_release(&record->word, guard_with_state(word, HAK_GUARD_LIVE));
}

// Whether a closed page follows a block of so many bytes: the gap behind a page run, or the tail of a huge block.
static bool ends_at_closed_page(size_t size) {
    if (size <= SMALL_MAX || size % os_page_bytes() != 0 || !closing_on()) return false;
    return size <= RUN_MAX ? os_page_bytes() == PAGE_SIZE_BYTES : size % UNIT_SIZE != 0;
}

static size_t padded(size_t size) {
    if (size > PTRDIFF_MAX || ends_at_closed_page(size)) return size;  // the allocator refuses more than PTRDIFF_MAX
    return size < GUARD_CANARY_LEAST ? 2 * (size_t)GUARD_CANARY_LEAST : size + GUARD_CANARY_LEAST;
}

static void* inner_malloc(size_t alignment, size_t bytes, bool zero) {
    if (alignment > 16) return malloc_aligned(alignment, bytes);
    return zero ? fast_calloc(bytes) : fast_malloc(bytes);
}

static uint32_t refills(void) {
    return hak_tls.tcb ? hak_tls.tcb->ticks : 0;
}

static void* allocate(const GuardCall* call, size_t alignment, size_t size, bool zero) {
    void* paged = pages_on() ? pages_allocate(call, alignment, size) : NULL;
    if (paged) {
        if (!zero && hak_option(guard_fill)) guard_fill_write(paged, 0, size);
        return paged;
    }
    uint32_t before = refills();
    size_t bytes = padded(size);
    bool clear = zero && bytes <= SMALL_MAX;  // cleared only after the poison was checked
    void* block = size == 0 && alignment <= NOTHING_ALIGNED ? nothing_take() : NULL;
    if (block == NULL) block = inner_malloc(alignment, bytes, zero && !clear);
    if (block == NULL && bytes <= PTRDIFF_MAX && guard_release_oldest(true))
        block = inner_malloc(alignment, bytes, zero && !clear);
    if (refills() != before) check_now_and_then(hak_tls.tcb);
    if (block == NULL) return NULL;
    GuardPlace place = new_place(block);
    if (place.record) {
        begin(call, &place, size, clear ? size : 0);
    } else {
        store_relaxed(&guard_has_gaps, true);
        if (clear) memset(block, 0, size);
    }
    if (!zero && hak_option(guard_fill)) guard_fill_write(block, 0, size);
    return block;
}

void* guard_malloc(const GuardCall* call, size_t size) {
    return allocate(call, 1, size, false);
}

void* guard_calloc(const GuardCall* call, size_t bytes) {
    return allocate(call, 1, bytes, true);
}

void* guard_aligned(const GuardCall* call, size_t alignment, size_t size) {
    return allocate(call, alignment, size, false);
}

// --- the block that a pointer belongs to

static bool covers(const GuardPlace* place, const void* p) {
    return guard_state(load_acquire(&place->record->word)) == HAK_GUARD_LIVE &&
           (size_t)((const char*)p - place->block) < block_bytes(place->block);
}

// The live block around p that starts a multiple of `step` bytes before it, not before `first`, and is at least as
// long.
static GuardPlace live_before(const char* p, const char* first, size_t step) {
    for (const char* at = p - (size_t)(p - first) % step; at >= first; at -= step) {
        GuardPlace place = guard_place(at);
        if (place.record && place.block == at && place.block_size >= step && covers(&place, p)) return place;
    }
    return (GuardPlace){0};
}

// The block that p points into.
static GuardPlace block_around(const void* p) {
    SlabNumber s = (SlabNumber)slab_number_of(p);
    uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[s]));
    if (tag_is_runs(tag)) return live_before(p, unit_address(unit_of_slab(s)), PAGE_SIZE_BYTES);
    if (!tag_is_class(tag)) return live_before(p, unit_address(1), UNIT_SIZE);
    GuardPlace place = guard_place(p);
    bool known = place.record && guard_state(load_acquire(&place.record->word)) != HAK_GUARD_NONE;
    return known && place.block != p ? place : (GuardPlace){0};
}

// Returns only if p may be a block that is not guarded.
static HAK_COLD void not_a_block(const GuardCall* call, const void* p) {
    if (!heap_contains(p)) fault_no_block(call, p);
    GuardPlace place = block_around(p);
    if (place.record) fault_interior(call, &place, p);
    if (!load_relaxed(&guard_has_gaps)) fault_no_block(call, p);
}

// Seizes a live block: from now on nobody else can free or resize it. false: it is not guarded.
static bool seize(const char* check, const GuardCall* call, const void* p, GuardPlace* place) {
    *place = guard_place(p);
    uint64_t word = place->record && place->block == p ? load_acquire(&place->record->word) : 0;
    for (;;) {
        if (guard_state(word) == HAK_GUARD_NONE) {
            not_a_block(call, p);
            return false;
        }
        if (guard_state(word) != HAK_GUARD_LIVE) fault_dead(check, call, place);
        // pairs with the releases in begin and stay
        if (cas_acquire(&place->record->word, &word, guard_with_state(word, HAK_GUARD_CHANGING))) return true;
    }
}

static void check_canary(const GuardCall* call, const GuardPlace* place, size_t size, size_t bytes) {
    if (HAK_UNLIKELY(!guard_canary_is_whole(place->block, size, bytes))) fault_canary(call->function, place, bytes);
}

static void check_family(const GuardCall* call, const GuardPlace* place) {
    if (HAK_UNLIKELY(guard_family(load_relaxed(&place->record->word)) != call->family)) fault_family(call, place);
}

// --- free

static bool put_into_quarantine(Quarantined block) {
    HakTcb* me = thread_operation();
    if (me == NULL) return false;
    bool kept = quarantine_add(me, block);
    operation_end(me);
    return kept;
}

static bool close_run(void* block, size_t bytes) {
    return tag_is_runs(word_tag(load_relaxed(&hak_heap.owner[slab_number_of(block)]))) && !guard_is_looked_at(block) &&
           run_close(block, (uint32_t)(bytes >> PAGE_SHIFT), 0);
}

// Frees a seized block.
static void retire(const GuardCall* call, const GuardPlace* place, size_t bytes) {
    guard_note_free(call, place->record);
    Quarantined block = {place->block, place->record, bytes, close_run(place->block, bytes)};
    if (!block.closed) guard_poison_write(place->block, bytes);
    if (put_into_quarantine(block))
        guard_set_state(place->record, HAK_GUARD_QUARANTINED);
    else
        guard_give_to_allocator(&block);
    guard_release_oldest(false);
}

// false: the block is not guarded.
static bool seize_for_free(const GuardCall* call, void* p, GuardPlace* place, size_t* bytes) {
    if (!seize("double_free", call, p, place)) return false;
    *bytes = bytes_of(place);
    check_canary(call, place, guard_size(load_relaxed(&place->record->word)), *bytes);
    check_family(call, place);
    return true;
}

void guard_free(const GuardCall* call, void* p) {
    GuardPlace place;
    size_t bytes;
    if (p == NULL) return;
    if (pages_contain(p))
        pages_free(call, p, NULL);
    else if (seize_for_free(call, p, &place, &bytes))
        retire(call, &place, bytes);
    else
        fast_free(p);
}

void guard_free_sized(const GuardCall* call, void* p, size_t size) {
    GuardPlace place;
    size_t bytes;
    if (p == NULL) return;
    if (pages_contain(p)) {
        pages_free(call, p, &size);
        return;
    }
    if (!seize_for_free(call, p, &place, &bytes)) {
        fast_free(p);
        return;
    }
    if (HAK_UNLIKELY(size != guard_size(load_relaxed(&place.record->word)))) fault_size(call, &place, size);
    retire(call, &place, bytes);
}

size_t guard_usable_size(const GuardCall* call, const void* p) {
    if (p == NULL) return 0;
    if (pages_contain(p)) return pages_usable_size(call, p);
    GuardPlace place = guard_place(p);
    uint64_t word = place.record && place.block == p ? load_acquire(&place.record->word) : 0;
    if (guard_state(word) == HAK_GUARD_NONE) {
        not_a_block(call, p);
        return usable_bytes("malloc_usable_size", p);
    }
    if (guard_state(word) != HAK_GUARD_LIVE) fault_dead("use_after_free", call, &place);
    return guard_size(word);
}

// --- realloc

// Resizes a huge block in place, or by moving its pages. Another thread may get its units before the move is done:
// until the block is known to be there still, its record says FREE. NULL: nothing is changed.
static void* resize_huge(const GuardCall* call, const GuardPlace* place, size_t size) {
    uint64_t word = load_relaxed(&place->record->word);
    size_t old = guard_size(word);
    guard_note_free(call, place->record);
    guard_set_state(place->record, HAK_GUARD_FREE);
    void* block = huge_resize((SlabNumber)slab_number_of(place->block), padded(size));
    if (block == NULL) {
        store_relaxed(&place->record->word, word);
        return NULL;
    }
    GuardPlace now = new_place(block);
    if (now.record)
        begin(call, &now, size, 0);
    else
        store_relaxed(&guard_has_gaps, true);
    if (hak_option(guard_fill)) guard_fill_write(block, old, size);
    return block;
}

// If there is no memory for another block, a block that should shrink stays.
static void* stay(const GuardPlace* place, size_t size, size_t bytes) {
    uint64_t word = load_relaxed(&place->record->word);
    bool fits = size <= guard_size(word);
    if (fits) {
        guard_canary_write(place->block, size, bytes);
        word = guard_word(HAK_GUARD_LIVE, guard_family(word), size);
    }
    store_release(&place->record->word, guard_with_state(word, HAK_GUARD_LIVE));  // pairs as in begin
    return fits ? place->block : NULL;
}

static void* realloc_unguarded(const GuardCall* call, void* p, size_t size) {
    size_t old = usable_bytes("realloc", p);
    if (old == 0) {
        errno = EINVAL;
        return NULL;
    }
    void* block = allocate(call, 1, size, false);
    if (block == NULL) return NULL;
    memcpy(block, p, old < size ? old : size);
    fast_free(p);
    return block;
}

static void* realloc_paged(const GuardCall* call, void* p, size_t size) {
    GuardPlace place = pages_seize("use_after_free", call, p);
    size_t old = guard_size(load_relaxed(&place.record->word));
    void* block = allocate(call, 1, size, false);
    if (block == NULL) return pages_stay(&place, size);
    memcpy(block, p, old < size ? old : size);
    pages_retire(call, &place);
    return block;
}

// The block moves, unless it is huge: so later uses of the old address are found.
void* guard_realloc(const GuardCall* call, void* p, size_t size) {
    GuardPlace place;
    if (p == NULL || size > PTRDIFF_MAX) return guard_malloc(call, size);
    if (size == 0) {
        guard_free(call, p);
        return NULL;
    }
    if (pages_contain(p)) return realloc_paged(call, p, size);
    if (!seize("use_after_free", call, p, &place)) return realloc_unguarded(call, p, size);
    size_t old = guard_size(load_relaxed(&place.record->word)), bytes = bytes_of(&place);
    check_canary(call, &place, old, bytes);
    check_family(call, &place);
    void* block = NULL;
    if (place.block_size == HAK_GUARD_HUGE && padded(size) > RUN_MAX) block = resize_huge(call, &place, size);
    if (block) return block;
    block = allocate(call, 1, size, false);
    if (block == NULL) return stay(&place, size, bytes);
    memcpy(block, p, old < size ? old : size);
    retire(call, &place, bytes);
    return block;
}
