#include "observe/ring.h"

#include "base/bits.h"
#include "base/lock.h"
#include "config/options.h"
#include "os/os.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(HakRingRecord) == 32 && sizeof(HakRingSlot) == 128 && sizeof(HakRingFile) == 4096 &&
                   sizeof(HakForeignDrain) == 64,
               "readers in other processes rely on the layout");

HAK_TLS HakRingSlot* hak_ring_slot;
uint32_t hak_ring_mask;

static HakRingFile* _Atomic ring_file;
static bool ring_is_shared;  // the memory came from hak_ring_attach
static HakLock start_lock;
static _Atomic uint32_t
    next_slot;  // where the search for a free slot starts: the slot that ended longest ago comes last

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

uint64_t hak_ring_clock(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static size_t slot_bytes(uint32_t records) {
    return sizeof(HakRingSlot) + (size_t)records * sizeof(HakRingRecord);
}

size_t hak_ring_bytes(uint32_t records) {
    size_t drains = HAK_RING_FOREIGN_DRAINS * sizeof(HakForeignDrain);
    return align_up(sizeof(HakRingFile) + drains + HAK_RING_SLOTS * slot_bytes(records), OS_PAGE);
}

HakRingFile* hak_ring_file(void) {
    return load_acquire(&ring_file);  // pairs with the release in start
}

static struct { uint64_t heap, link_key, guard; } told;  // under start_lock

static void pass_on_told(HakRingFile* file) {
    file->heap = told.heap;
    file->link_key = told.link_key;
    file->guard = told.guard;
}

void hak_ring_tell(uint64_t heap, uint64_t link_key, uint64_t guard) {
    hak_lock(&start_lock);
    told.heap = heap;
    told.link_key = link_key;
    told.guard = guard;
    if (hak_ring_file()) pass_on_told(hak_ring_file());
    hak_unlock(&start_lock);
}

void hak_ring_last_words(const char* text) {
    static _Atomic uint32_t said;
    HakRingFile* file = hak_ring_file();
    uint32_t nobody = 0;
    if (file == NULL || !cas_relaxed(&said, &nobody, 1u)) return;
    size_t length = strlen(text);
    if (length >= sizeof file->last_words) length = sizeof file->last_words - 1;
    memcpy(file->last_words, text, length);
    file->last_words[length] = '\0';
    store_release(&file->has_last_words, 1u);  // pairs with the acquire of a reader
}

static void start(void* memory, uint32_t records) {
    HakRingFile* file = memory;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    file->version = HAK_RING_VERSION;
    file->slots = HAK_RING_SLOTS;
    file->records = records;
    file->slot_bytes = (uint32_t)slot_bytes(records);
    file->pid = (uint32_t)getpid();
    file->start_tsc = hak_ring_clock();
    file->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    pass_on_told(file);
    file->magic = HAK_RING_MAGIC;
    hak_ring_mask = records - 1;
    store_release(&ring_file, file);  // pairs with the acquire in hak_ring_file
}

void hak_ring_attach(void* memory, uint32_t records) {
    ring_is_shared = true;
    start(memory, records);
}

static HakRingFile* file_or_private_memory(void) {
    HakRingFile* file = hak_ring_file();
    if (file != NULL) return file;
    hak_lock(&start_lock);
    if (hak_ring_file() == NULL) {
        uint64_t wanted = (uint64_t)hak_option(ring);
        uint32_t records = UINT32_C(1) << (log2_floor(wanted - 1) + 1);
        void* memory = os_map(hak_ring_bytes(records));
        if (memory != NULL) start(memory, records);
    }
    hak_unlock(&start_lock);
    return hak_ring_file();
}

void hak_ring_thread_start(uint64_t thread) {
    HakRingFile* file = file_or_private_memory();
    if (file == NULL) return;
    uint32_t first = add_relaxed(&next_slot, 1);
    for (uint32_t i = 0; i < file->slots; i++) {
        HakRingSlot* slot = hak_ring_slot_at(file, (first + i) % file->slots);
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

void hak_ring_after_fork(uint64_t thread) {
    hak_lock_reset(&start_lock);
    if (!ring_is_shared) return;
    ring_is_shared = false;
    store_relaxed(&ring_file, NULL);
    hak_ring_slot = NULL;
    if (thread) hak_ring_thread_start(thread);
}
