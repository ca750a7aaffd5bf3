#include "observe/ring.h"

#include "base/bits.h"
#include "base/fatal.h"
#include "base/lock.h"
#include "base/text.h"
#include "config/options.h"
#include "os/os.h"
#include "os/shared_file.h"

#include <string.h>

_Static_assert(sizeof(HakRingRecord) == 32 && sizeof(HakRingSlot) == 128 && sizeof(HakRingFile) == 4096 &&
                   sizeof(HakForeignDrain) == 64,
               "readers in other processes rely on the layout");

HAK_TLS HakRingSlot* hak_ring_slot;
uint32_t hak_ring_mask;

static HakRingFile* _Atomic ring_file;
static enum { PRIVATE, ATTACHED, IN_FILE } ring_kind;  // where its memory comes from
static HakLock start_lock;
// Where the search for a free slot starts. The slot that ended longest ago comes last.
static _Atomic uint32_t next_slot;

static const struct {
    const char* name;
    const char* meaning;
} events[HAK_EVENT_COUNT] = {
    {"none", ""},
#define EVENT(name, meaning) {#name, meaning},
#include "observe/events.def"
#undef EVENT
};

const char* hak_event_name(unsigned event) {
    return event < HAK_EVENT_COUNT ? events[event].name : "unknown";
}

const char* hak_event_meaning(unsigned event) {
    return event < HAK_EVENT_COUNT ? events[event].meaning : "";
}

// --- the clock

static _Atomic uint64_t stopped_clock;  // 0: the clock runs

static uint64_t counter_now(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return os_clock_ns();
#endif
}

uint64_t hak_ring_clock(void) {
    return HAK_LIKELY(load_relaxed(&stopped_clock) == 0) ? counter_now() : add_relaxed(&stopped_clock, 1);
}

void hak_ring_clock_stop(void) {
    uint64_t runs = 0;
    if (load_relaxed(&stopped_clock) == 0) cas_relaxed(&stopped_clock, &runs, counter_now());
    os_clock_without_counter();
}

// --- its memory

static size_t slot_bytes(uint32_t records) {
    return sizeof(HakRingSlot) + (size_t)records * sizeof(HakRingRecord);
}

// Bytes before the first slot.
static size_t head_bytes(void) {
    return sizeof(HakRingFile) + HAK_RING_FOREIGN_DRAINS * sizeof(HakForeignDrain);
}

size_t hak_ring_crash_offset(uint32_t records) {
    return align_up(head_bytes() + HAK_RING_SLOTS * slot_bytes(records), OS_PAGE);
}

size_t hak_ring_bytes(uint32_t records) {
    return hak_ring_crash_offset(records) + align_up(sizeof(CrashRecord), OS_PAGE);
}

HakRingFile* hak_ring_file(void) {
    return load_acquire(&ring_file);  // pairs with the release in start
}

static HakRingTold told;  // under start_lock

static void pass_on_told(HakRingFile* file) {
    file->heap = (uintptr_t)told.heap;
    file->link_key = (uintptr_t)told.link_key;
    file->guard = (uintptr_t)told.guard;
    file->stacks = (uintptr_t)told.stacks;
    file->locks = (uintptr_t)told.locks;
}

void hak_ring_tell(HakRingTold addresses) {
    hak_lock(&start_lock);
    told = addresses;
    if (hak_ring_file()) pass_on_told(hak_ring_file());
    hak_unlock(&start_lock);
}

static void start(void* memory, uint32_t records) {
    HakRingFile* file = memory;
    file->version = HAK_RING_VERSION;
    file->slots = HAK_RING_SLOTS;
    file->records = records;
    file->slot_bytes = (uint32_t)slot_bytes(records);
    file->pid = os_process_id();
    file->start_tsc = hak_ring_clock();
    file->start_ns = os_clock_ns();
    pass_on_told(file);
    store_release(&file->magic, HAK_RING_MAGIC);  // last: a file without it is incomplete
    hak_ring_mask = records - 1;
    store_release(&ring_file, file);  // pairs with the acquire in hak_ring_file
}

void hak_ring_attach(void* memory, uint32_t records) {
    ring_kind = ATTACHED;
    start(memory, records);
}

static void* new_file(size_t bytes) {
    void* memory = shared_file_map(hak_options.ring_file, bytes);
    if (memory == NULL) return NULL;
    if (shared_file_reserve(memory, head_bytes())) {
        ring_kind = IN_FILE;
        return memory;
    }
    os_unmap(memory, bytes);  // counted if it fails
    return NULL;
}

// For a process that cannot read /proc any more when it crashes.
static void copy_early_maps(HakRingFile* file) {
    CrashRecord* record = hak_ring_crash(file);
    if (shared_file_reserve(record, sizeof *record)) crash_record_copy_maps(record);
}

static HakRingFile* file_or_private_memory(void) {
    HakRingFile* file = hak_ring_file();
    if (file != NULL) return file;
    hak_lock(&start_lock);
    if (hak_ring_file() == NULL) {
        uint64_t wanted = (uint64_t)hak_option(ring);
        uint32_t records = UINT32_C(1) << (log2_floor(wanted - 1) + 1);
        void* memory = new_file(hak_ring_bytes(records));
        if (memory == NULL) memory = os_map_sparse(hak_ring_bytes(records));
        if (memory != NULL) start(memory, records);
        if (memory != NULL && ring_kind == IN_FILE && hak_option(crash_record)) copy_early_maps(memory);
    }
    hak_unlock(&start_lock);
    return hak_ring_file();
}

static void copy_words(char out[HAK_RING_LAST_WORDS], const char* text) {
    size_t length = text_length(text);
    if (length >= HAK_RING_LAST_WORDS) length = HAK_RING_LAST_WORDS - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

static void keep_last_words(HakRingFile* file, const char* text) {
    static _Atomic uint32_t said;
    uint32_t nobody = 0;
    if (!cas_relaxed(&said, &nobody, 1u)) return;
    copy_words(file->last_words, text);
    // last: without it, last_words is incomplete
    store_release(&file->has_last_words, 1u);
}

// The process may not have allocated yet, or may be in the middle of start().
HakRingFile* hak_ring_of_the_dying(void) {
    return hak_lock_is_mine(&start_lock) ? hak_ring_file() : file_or_private_memory();
}

static void keep_words(const char* text, bool goes_on) {
    ring_record(HAK_EVENT_violation, NULL, 0, 0);
    HakRingFile* file = hak_ring_of_the_dying();
    // A process that the C library did not fork still has its parent's ring.
    if (file == NULL || file->pid != os_process_id()) return;
    if (!goes_on)
        keep_last_words(file, text);
    else if (add_relaxed(&file->passed, 1u) == 0)
        copy_words(file->first_passed, text);
}

void hak_ring_keep_last_words(void) {
    store_relaxed(&fatal_hook, keep_words);
}

void hak_ring_thread_start(uint64_t thread) {
    HakRingFile* file = file_or_private_memory();
    if (file == NULL) return;
    uint32_t first = add_relaxed(&next_slot, 1);
    for (uint32_t i = 0; i < file->slots; i++) {
        HakRingSlot* slot = hak_ring_slot_at(file, (first + i) % file->slots);
        if (ring_kind == IN_FILE && !shared_file_reserve(slot, file->slot_bytes)) return;
        uint64_t nobody = 0;
        if (!cas_acquire(&slot->thread, &nobody, thread)) continue;  // pairs with the release in hak_ring_thread_end
        store_relaxed(&slot->os_tid, os_thread_id());
        hak_ring_slot = slot;
        return;
    }
}

void hak_ring_thread_end(void) {
    if (hak_ring_slot == NULL) return;
    store_release(&hak_ring_slot->thread, 0u);  // pairs with the acquire in hak_ring_thread_start
    hak_ring_slot = NULL;
}

// Otherwise each generation of a process that forks again and again would touch new slots.
static void free_slots_of_others(HakRingFile* file) {
    for (uint32_t i = 0; i < file->slots; i++) {
        HakRingSlot* slot = hak_ring_slot_at(file, i);
        if (slot != hak_ring_slot && load_relaxed(&slot->thread) != 0) store_relaxed(&slot->thread, 0u);
    }
    store_relaxed(&next_slot, 0u);
}

// The copy of the parent's ring becomes the child's: the child has said nothing yet.
static void take_over_copy(HakRingFile* file) {
    file->pid = os_process_id();
    store_relaxed(&file->has_last_words, 0u);
    store_relaxed(&file->passed, 0u);
    store_relaxed(&file->refused, 0u);
    if (hak_ring_slot != NULL) store_relaxed(&hak_ring_slot->os_tid, os_thread_id());
    free_slots_of_others(file);
}

void hak_ring_after_fork(uint64_t thread) {
    hak_lock_in_child(&start_lock, 0);
    if (ring_kind == PRIVATE) {
        if (hak_ring_file() != NULL) take_over_copy(hak_ring_file());
        return;
    }
    HakRingFile* parents = hak_ring_file();
    hak_ring_slot = NULL;
    store_relaxed(&ring_file, NULL);
    if (ring_kind == IN_FILE) os_unmap(parents, hak_ring_bytes(parents->records));  // counted if it fails
    ring_kind = PRIVATE;
    if (thread == 0) return;
    hak_ring_thread_start(thread);
    ring_record(HAK_EVENT_thread_start, NULL, 0, thread);
}
