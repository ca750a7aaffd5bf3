#include "report/rings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Slots

static bool is_started(const HakRingFile* ring) {
    return ring->magic == HAK_RING_MAGIC && ring->version == HAK_RING_VERSION;
}

static const HakRingSlot* slot_at(const HakRingFile* ring, uint32_t index) {
    return hak_ring_slot_at((HakRingFile*)(uintptr_t)ring, index);
}

static uint32_t slot_count(const HakRingFile* ring) {
    return is_started(ring) ? ring->slots : 0;
}

uint64_t rings_events(const HakRingFile* ring) {
    uint64_t events = 0;
    for (uint32_t i = 0; i < slot_count(ring); i++) events += load_relaxed(&slot_at(ring, i)->written);
    return events;
}

json_t* rings_foreign_drain_counts(const HakRingFile* ring) {
    json_t* counts = json_object();
#define CHANGE(number, site, file, missing, words) \
    json_object_set_new(counts, #site, json_integer((json_int_t)load_relaxed(&ring->foreign_drains[number])));
#include "config/changes.def"
#undef CHANGE
    return counts;
}

uint64_t rings_thread_number(const HakRingFile* ring, uint32_t os_tid) {
    for (uint32_t i = 0; i < slot_count(ring); i++) {
        const HakRingSlot* slot = slot_at(ring, i);
        if (load_relaxed(&slot->os_tid) == os_tid && load_acquire(&slot->thread) != 0)
            return load_relaxed(&slot->thread);
    }
    return 0;
}

// Time: the ring holds one pair of clock values from its start, the second is taken here.

struct ring_clock {
    double start, seconds_per_tick;
    uint64_t start_tick;
};

// One calibration for a whole report, so that the same record has the same time everywhere in it.
static const struct ring_clock* ring_clock(const HakRingFile* ring) {
    static struct ring_clock clock;
    static const HakRingFile* calibrated;
    if (calibrated == ring) return &clock;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t tick = hak_ring_clock();
    double start = 1e-9 * (double)ring->start_ns;
    double passed = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec - start;
    double ticks = (double)(tick - ring->start_tsc);
    clock = (struct ring_clock){start, ticks > 0 ? passed / ticks : 0, ring->start_tsc};
    calibrated = ring;
    return &clock;
}

static double seconds_of(const struct ring_clock* clock, uint64_t tick) {
    return clock->start + (double)(int64_t)(tick - clock->start_tick) * clock->seconds_per_tick;
}

// Events

static const char* name_of_way(uint64_t way) {
    static const char* const ways[] = {"unknown", "tls_sll", "ss_local", "ss_remote", "run", "huge"};
    return way < sizeof ways / sizeof ways[0] ? ways[way] : ways[0];
}

static uint32_t low_half(const HakRingRecord* record) {
    return (uint32_t)record->b;
}

static int explain_malloc(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, %" PRIu64 " bytes", record->a, record->b);
}

static int explain_free(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, %s", record->a, name_of_way(record->b));
}

static int explain_refill(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, class %u, stage %u", record->a, low_half(record) & 0xffff,
                    low_half(record) >> 16);
}

static int explain_drain(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, %u blocks", record->a, low_half(record));
}

static int explain_foreign_drain(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, %u blocks, though another thread owns it: change %u is missing", record->a,
                    low_half(record), (uint32_t)(record->b >> 32));
}

static int explain_bad_link(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, its link is 0x%" PRIx64, record->a, record->b);
}

static int explain_claim(const HakRingRecord* record, char* out, size_t size) {
    if (low_half(record) & 1) return snprintf(out, size, "slab %u, won", record->a);
    return snprintf(out, size, "slab %u, refused, control block bits 12 to 43: 0x%x", record->a,
                    (uint32_t)(record->b >> 32));
}

static int explain_class(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, class %u", record->a, low_half(record));
}

static int explain_adopt(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "slab %u, by a %s", record->a, low_half(record) == 1 ? "free" : "refill");
}

static int explain_thread(const HakRingRecord* record, char* out, size_t size) {
    return snprintf(out, size, "thread %" PRIu64, record->b);
}

static int explain_violation(const HakRingRecord* record, char* out, size_t size) {
    if (record->a == 0) return snprintf(out, size, "see the messages");
    return snprintf(out, size, "slab %u, of control block 0x%" PRIx64, record->a, record->b);
}

// What `a` and `b` mean, as events.def tells it; by name, so that an event that is not here is shown in figures.
static void explain(const HakRingRecord* record, char* out, size_t size) {
    static const struct {
        const char* event;
        int (*explain)(const HakRingRecord* record, char* out, size_t size);
    } known[] = {
        {"malloc", explain_malloc},
        {"free", explain_free},
        {"refill", explain_refill},
        {"drain", explain_drain},
        {"foreign_drain", explain_foreign_drain},
        {"bad_link", explain_bad_link},
        {"claim", explain_claim},
        {"release", explain_class},
        {"publish", explain_class},
        {"announce", explain_class},
        {"adopt", explain_adopt},
        {"thread_start", explain_thread},
        {"thread_exit", explain_thread},
        {"violation", explain_violation},
    };
    const char* name = hak_event_name(record->event);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].event, name) != 0) continue;
        known[i].explain(record, out, size);
        return;
    }
    snprintf(out, size, "a 0x%x, b 0x%" PRIx64, record->a, record->b);
}

static json_t* event_json(const HakRingRecord* record, const struct ring_clock* clock, double zero) {
    char text[128];
    explain(record, text, sizeof text);
    json_t* event = json_object();
    json_object_set_new(event, "time", json_real(seconds_of(clock, record->tsc) - zero));
    json_object_set_new(event, "event", json_string(hak_event_name(record->event)));
    if (record->ptr != 0) json_object_set_new(event, "ptr", json_sprintf("0x%" PRIx64, record->ptr));
    json_object_set_new(event, "a", json_integer(record->a));
    json_object_set_new(event, "b", json_sprintf("0x%" PRIx64, record->b));
    json_object_set_new(event, "text", json_string(text));
    return event;
}

static size_t held(const HakRingFile* ring, const HakRingSlot* slot) {
    uint64_t written = load_acquire(&slot->written);  // pairs with the release in ring_record
    return (size_t)(written < ring->records ? written : ring->records);
}

// Record number `back` before the newest; 0 is the newest.
static const HakRingRecord* record_at(const HakRingFile* ring, const HakRingSlot* slot, size_t back) {
    return &slot->records[(load_relaxed(&slot->written) - 1 - back) & (ring->records - 1)];
}

// A slot serves one thread after another. How many of its records, from the newest, are of the present one: up to its start.
static size_t of_present_thread(const HakRingFile* ring, const HakRingSlot* slot) {
    size_t records = held(ring, slot);
    for (size_t back = 0; back < records; back++) {
        if (record_at(ring, slot, back)->event == HAK_EVENT_thread_start) return back + 1;
    }
    return records;
}

static json_t* slot_json(const HakRingFile* ring, const HakRingSlot* slot, const struct ring_clock* clock, double zero,
                         size_t most) {
    json_t* events = json_array();
    size_t count = of_present_thread(ring, slot);
    if (count > most) count = most;
    for (size_t back = count; back-- > 0;)
        json_array_append_new(events, event_json(record_at(ring, slot, back), clock, zero));
    json_t* tail = json_object();
    uint64_t thread = load_relaxed(&slot->thread);
    json_object_set_new(tail, "thread", json_integer((json_int_t)thread));
    json_object_set_new(tail, "os_tid", json_integer(load_relaxed(&slot->os_tid)));
    json_object_set_new(tail, "alive", json_boolean(thread != 0));
    json_object_set_new(tail, "written", json_integer((json_int_t)load_relaxed(&slot->written)));
    json_object_set_new(tail, "events", events);
    return tail;
}

json_t* rings_tails(const HakRingFile* ring, double zero, uint32_t first, size_t most) {
    json_t* tails = json_array();
    for (uint32_t i = 0; i < slot_count(ring); i++) {
        const HakRingSlot* slot = slot_at(ring, i);
        if (load_relaxed(&slot->written) == 0) continue;
        bool leads = load_relaxed(&slot->os_tid) == first && load_relaxed(&slot->thread) != 0;
        json_t* tail = slot_json(ring, slot, ring_clock(ring), zero, most);
        if (leads)
            json_array_insert_new(tails, 0, tail);
        else
            json_array_append_new(tails, tail);
    }
    return tails;
}

// History of a block

struct sighting {
    const HakRingRecord* record;
    const HakRingSlot* slot;
    bool present;  // by the thread that has the slot now, else by one before it
};

static int by_time(const void* a, const void* b) {
    uint64_t x = ((const struct sighting*)a)->record->tsc, y = ((const struct sighting*)b)->record->tsc;
    return x < y ? -1 : x > y;
}

// The newest sightings of one slot, at most `most`.
static size_t find_in_slot(const HakRingFile* ring, const HakRingSlot* slot, uint64_t address, struct sighting* found,
                           size_t most) {
    size_t count = 0, records = held(ring, slot), present = of_present_thread(ring, slot);
    for (size_t back = 0; back < records && count < most; back++) {
        const HakRingRecord* record = record_at(ring, slot, back);
        if (record->ptr == address && record->event != HAK_EVENT_NONE)
            found[count++] = (struct sighting){record, slot, back < present};
    }
    return count;
}

json_t* rings_history(const HakRingFile* ring, double zero, uint64_t address, size_t most) {
    json_t* history = json_array();
    struct sighting* found = calloc((size_t)slot_count(ring) * most + 1, sizeof *found);
    if (found == NULL) return history;
    size_t count = 0;
    for (uint32_t i = 0; i < slot_count(ring); i++)
        count += find_in_slot(ring, slot_at(ring, i), address, found + count, most);
    qsort(found, count, sizeof *found, by_time);
    for (size_t i = count > most ? count - most : 0; i < count; i++) {
        json_t* event = event_json(found[i].record, ring_clock(ring), zero);
        // Which of the ended threads it was, the slot no longer says.
        json_object_set_new(event, "os_tid", json_integer(found[i].present ? load_relaxed(&found[i].slot->os_tid) : 0));
        json_array_append_new(history, event);
    }
    free(found);
    return history;
}
