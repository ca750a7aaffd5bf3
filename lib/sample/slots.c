#include "sample/slots.h"

#include "os/os.h"

#include <string.h>

enum { STATE_BITS = 3, STATE_MASK = 7, PATTERN = 0xe5 };

SlotRegion hak_slots;
static _Atomic uint64_t closes;

// --- the region

// From one slot to the next: a slot, and a guard page.
static size_t stride(void) {
    return hak_slots.slot_bytes + hak_slots.page;
}

bool slots_map(uint32_t count, bool in_dumps) {
    hak_slots.page = os_page_bytes();
    hak_slots.slot_bytes = align_up(SLOT_BYTES, hak_slots.page);
    size_t bytes = count * stride() + hak_slots.page;
    size_t words = align_up(count * sizeof *hak_slots.word, HAK_CACHE_LINE);
    size_t table = align_up(words + count * sizeof *hak_slots.slot, hak_slots.page);
    char* records = os_map(table);
    if (records == NULL) return false;
    void* base = os_map_closed(bytes);
    if (base == NULL) {
        os_unmap(records, table);
        return false;
    }
    if (!in_dumps) os_leave_out_of_dumps(base, bytes);  // if that fails, a dump is larger
    hak_slots.count = count;
    hak_slots.word = (_Atomic uint64_t*)(void*)records;
    hak_slots.slot = (Slot*)(void*)(records + words);
    store_relaxed(&hak_slots.base, (uintptr_t)base);
    store_release(&hak_slots.bytes, bytes);  // pairs with the acquire in slots_contain
    return true;
}

static uint32_t index_of(const Slot* slot) {
    return (uint32_t)(slot - hak_slots.slot);
}

static _Atomic uint64_t* word_of(const Slot* slot) {
    return &hak_slots.word[index_of(slot)];
}

Slot* slot_at(const void* p) {
    uintptr_t index = ((uintptr_t)p - load_relaxed(&hak_slots.base)) / stride();
    return index < hak_slots.count ? &hak_slots.slot[index] : NULL;
}

Slot* slot_before(const Slot* slot) {
    return slot > hak_slots.slot ? &hak_slots.slot[index_of(slot) - 1] : NULL;
}

char* slot_start(const Slot* slot) {
    return (char*)load_relaxed(&hak_slots.base) + index_of(slot) * stride() + hak_slots.page;
}

// --- states

static SlotState state_of(uint64_t word) {
    return (SlotState)(word & STATE_MASK);
}

static uint64_t with_state(uint64_t word, SlotState state) {
    return (word & ~(uint64_t)STATE_MASK) | (uint64_t)state;
}

SlotState slot_state(const Slot* slot) {
    return state_of(load_acquire(word_of(slot)));  // pairs with the releases in set_state
}

// For a slot that is the caller's to change.
static void set_state(const Slot* slot, SlotState state) {
    _Atomic uint64_t* word = word_of(slot);
    uint64_t time = state == SLOT_CLOSED ? (add_relaxed(&closes, 1u) + 1) << STATE_BITS : load_relaxed(word);
    store_release(word, with_state(time, state));  // pairs with the acquires in change, slot_state
}

// false: *seen, its word, was something else.
static bool change(const Slot* slot, uint64_t* seen) {
    // pairs with the release in set_state
    if (!cas_acquire(word_of(slot), seen, with_state(*seen, SLOT_CHANGING))) return false;
    atomic_thread_fence(memory_order_release);  // the fields change after the state; pairs with the fence in slot_view
    return true;
}

static Slot* closed_longest(uint64_t* word) {
    Slot* found = NULL;
    *word = UINT64_MAX;
    for (uint32_t i = 0; i < hak_slots.count; i++) {
        uint64_t seen = load_relaxed(&hak_slots.word[i]);
        if (state_of(seen) != SLOT_CLOSED || seen >= *word) continue;
        found = &hak_slots.slot[i];
        *word = seen;
    }
    return found;
}

Slot* slot_take(void) {
    enum { TRIES = 4 };
    for (int i = 0; i < TRIES; i++) {
        uint64_t word;
        Slot* slot = closed_longest(&word);
        if (slot == NULL) return NULL;
        if (change(slot, &word)) return slot;
    }
    return NULL;
}

// The slot that this thread checks; or that it checked when a signal handler left by longjmp.
static HAK_TLS const Slot* checking;

static void stop_checking(const Slot* slot) {
    if (checking == slot) checking = NULL;
}

bool slot_seize(Slot* slot) {
    enum { TRIES = 200, TRIES_WHILE_CHECKED = 20000 };  // the latter take a second or more
    for (int i = 0;; i++) {
        uint64_t word = load_relaxed(word_of(slot));
        SlotState state = state_of(word);
        bool is_given_up = state == SLOT_CHECKED && (checking == slot || i >= TRIES_WHILE_CHECKED);
        if ((state == SLOT_LIVE || is_given_up) && change(slot, &word)) {
            stop_checking(slot);
            return true;
        }
        if (state == SLOT_CLOSED || state == SLOT_KEPT || (state == SLOT_CHANGING && i >= TRIES)) return false;
        os_wait(i);
    }
}

void slots_in_child(void) {
    if (load_acquire(&hak_slots.bytes) == 0) return;  // pairs with slots_map
    for (uint32_t i = 0; i < hak_slots.count; i++) slot_checked(&hak_slots.slot[i]);
}

bool slot_check(Slot* slot) {
    uint64_t word = load_relaxed(word_of(slot));
    if (state_of(word) != SLOT_LIVE) return false;
    checking = slot;
    return cas_acquire(word_of(slot), &word, with_state(word, SLOT_CHECKED));  // pairs with the release in set_state
}

void slot_checked(Slot* slot) {
    stop_checking(slot);
    uint64_t word = load_relaxed(word_of(slot));
    // pairs with the acquire in change; it fails if a thread has waited too long and has taken the slot over
    if (state_of(word) == SLOT_CHECKED) cas_release(word_of(slot), &word, with_state(word, SLOT_LIVE));
}

void slot_let_go(Slot* slot) {
    set_state(slot, SLOT_LIVE);
}

void slot_view(const Slot* slot, SlotView* out) {
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = load_acquire(word_of(slot));  // pairs with the releases in set_state
        memcpy(&out->fields, slot, sizeof out->fields);
        atomic_thread_fence(memory_order_acquire);  // the fields come before the second look
        uint64_t after = load_relaxed(word_of(slot));
        out->state = state_of(after);
        out->word = before;
        out->whole = before == after && out->state != SLOT_CHANGING;
        if (out->whole) return;
        os_wait(i);
    }
}

uint64_t slot_view_generation(const SlotView* view) {
    return view->whole ? view->word | STATE_MASK : 0;
}

bool slot_hold(Slot* slot, const SlotView* view) {
    uint64_t word = view->word;
    if (view->state == SLOT_CLOSED) return cas_acquire(word_of(slot), &word, with_state(word, SLOT_KEPT));
    if (view->state == SLOT_LIVE) return cas_acquire(word_of(slot), &word, with_state(word, SLOT_CHECKED));
    return view->whole;
}

// --- the bytes around a block

static void fill(const Slot* slot) {
    memset(slot->pattern, PATTERN, (size_t)(slot->block - slot->pattern));
    char* end = slot->block + slot->size;
    memset(end, PATTERN, (size_t)(slot->pattern_end - end));
}

static SlotDamage damage_in(const char* from, const char* to, bool before) {
    const unsigned char *at = (const unsigned char*)from, *end = (const unsigned char*)to;
    while (at < end && *at == PATTERN) at++;
    while (end > at && end[-1] == PATTERN) end--;
    return (SlotDamage){at, (size_t)(end - at), before};
}

SlotDamage slot_damage(const Slot* slot) {
    SlotDamage behind = damage_in(slot->block + slot->size, slot->pattern_end, false);
    return behind.count ? behind : damage_in(slot->pattern, slot->block, true);
}

// --- opening and closing

static void part(Slot* slot) {
    char* start = slot_start(slot);
    if (slot->parted) return;
    slot->parted = true;  // whatever comes of it: it only saves time
    const size_t page = hak_slots.page, bytes = hak_slots.slot_bytes;
    os_keep_apart(start - page, page);
    if (bytes > 2 * page) os_keep_apart(start + page, bytes - 2 * page);
    os_keep_apart(start + bytes, page);
}

static void place(Slot* slot, size_t alignment, size_t size, bool at_end) {
    enum { PATTERN_BYTES = 128 };
    char *start = slot_start(slot), *end = start + hak_slots.slot_bytes;
    size_t at = at_end ? align_down(hak_slots.slot_bytes - (size ? size : 1), alignment > 16 ? alignment : 16) : 0;
    char* block = start + at;
    slot->used_before |= slot->used;
    slot->since = os_clock_ms();
    slot->block = block;
    slot->size = size;
    slot->open = start + align_down(at, hak_slots.page);
    slot->open_bytes = size == 0 ? 0 : at_end ? (size_t)(end - slot->open) : align_up(size, hak_slots.page);
    char *first = slot->open, *limit = first + slot->open_bytes;
    slot->pattern = block - first > PATTERN_BYTES ? block - PATTERN_BYTES : first;
    slot->pattern_end = at_end || limit - (block + size) < PATTERN_BYTES ? limit : block + size + PATTERN_BYTES;
    if (size == 0) slot->pattern = slot->pattern_end = block;
}

// Closes what slot_tear opened, with the guard pages on both sides.
static bool mend(Slot* slot) {
    if (!load_relaxed(&slot->torn)) return true;
    bool closed = os_protect(slot_start(slot) - hak_slots.page, stride() + hak_slots.page, false);
    store_relaxed(&slot->torn, !closed);
    return closed;
}

bool slot_open(Slot* slot, size_t alignment, size_t size, bool at_end) {
    bool open = mend(slot);
    if (open) {
        if (slot->used) part(slot);
        place(slot, alignment, size, at_end);
        open = slot->open_bytes == 0 || os_protect(slot->open, slot->open_bytes, true);
    }
    if (!open) {
        slot->used = false;
        set_state(slot, SLOT_CLOSED);
        return false;
    }
    fill(slot);
    slot->used = true;
    set_state(slot, SLOT_LIVE);
    return true;
}

void slot_close(Slot* slot) {
    // If the system refuses to close it, it is closed for frees, and open for reads and writes.
    if (slot->open_bytes && !os_protect(slot->open, slot->open_bytes, false)) store_relaxed(&slot->torn, true);
    if (slot->open_bytes > hak_slots.page) os_purge(slot->open, slot->open_bytes);
    set_state(slot, SLOT_CLOSED);
}

bool slot_tear(const void* p) {
    char* page = (char*)align_down((uintptr_t)p, hak_slots.page);
    Slot *slot = slot_at(p), *before = slot_at((const char*)p - hak_slots.page);
    if (slot) store_relaxed(&slot->torn, true);
    if (before) store_relaxed(&before->torn, true);
    return os_protect(page, hak_slots.page, true);
}
