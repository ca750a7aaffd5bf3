#include "report/rings.h"

#include "base/json.h"

#include <stdlib.h>

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
    json_put_count(counts, #site, load_relaxed(&ring->foreign_drains[number]));
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

// Tenancies: a slot serves one thread after another. A thread_exit and a thread_start separate them.

// A walk through one slot, from its oldest record to its newest.
struct walk {
    const HakRingFile* ring;
    const HakRingSlot* slot;
    uint64_t next, end;   // record numbers
    uint64_t last_start;  // start of the tenancy that the slot's header describes
    uint32_t thread;      // number of the current tenant; 0: unknown
};

static const HakRingRecord* record_at(const HakRingFile* ring, const HakRingSlot* slot, uint64_t number) {
    return &slot->records[number & (ring->records - 1)];
}

static bool is_boundary(const HakRingRecord* record) {
    return record->event == HAK_EVENT_thread_start || record->event == HAK_EVENT_thread_exit;
}

// The oldest records belong to a thread whose start is no longer in the ring. Its exit names it, or the slot does if it
// still has that thread.
static uint32_t first_tenant(const struct walk* walk) {
    for (uint64_t i = walk->next; i < walk->end; i++) {
        const HakRingRecord* record = record_at(walk->ring, walk->slot, i);
        if (is_boundary(record)) return record->event == HAK_EVENT_thread_exit ? (uint32_t)record->b : 0;
    }
    return (uint32_t)load_relaxed(&walk->slot->thread);
}

static struct walk walk_start(const HakRingFile* ring, const HakRingSlot* slot) {
    uint64_t written = load_acquire(&slot->written);  // pairs with the release in ring_record
    uint64_t held = written < ring->records ? written : ring->records;
    struct walk walk = {.ring = ring, .slot = slot, .next = written - held, .end = written};
    walk.last_start = walk.next;
    for (uint64_t i = written; i-- > walk.next;) {
        if (record_at(ring, slot, i)->event != HAK_EVENT_thread_start) continue;
        walk.last_start = i;
        break;
    }
    walk.thread = first_tenant(&walk);
    return walk;
}

static bool walk_step(struct walk* walk, struct ring_event* event) {
    if (walk->next >= walk->end) return false;
    const HakRingRecord* record = record_at(walk->ring, walk->slot, walk->next);
    if (is_boundary(record)) walk->thread = (uint32_t)record->b;
    bool last = walk->next >= walk->last_start;
    *event = (struct ring_event){
        .record = *record,
        .thread = walk->thread,
        .os_tid = last ? load_relaxed(&walk->slot->os_tid) : 0,
        .ended = !last || load_relaxed(&walk->slot->thread) == 0,
    };
    walk->next++;
    return true;
}

// Searches

static int by_time(const void* a, const void* b) {
    uint64_t x = ((const struct ring_event*)a)->record.tsc, y = ((const struct ring_event*)b)->record.tsc;
    return x < y ? -1 : x > y;
}

// The newest events of one slot, at most `most`, in no order: `found` is used as a ring.
static size_t find_in_slot(const HakRingFile* ring, const HakRingSlot* slot, ring_filter* filter, const void* wanted,
                           size_t most, struct ring_event* found) {
    struct walk walk = walk_start(ring, slot);
    struct ring_event event;
    size_t count = 0;
    while (walk_step(&walk, &event)) {
        if (event.record.event != HAK_EVENT_NONE && filter(&event.record, wanted)) found[count++ % most] = event;
    }
    return count < most ? count : most;
}

size_t rings_find(const struct ring_reader* reader, ring_filter* filter, const void* wanted, size_t most,
                  struct ring_event* out) {
    struct ring_event* found = calloc((size_t)slot_count(reader->ring) * most + 1, sizeof *found);
    if (found == NULL) return 0;
    size_t count = 0;
    for (uint32_t i = 0; i < slot_count(reader->ring); i++)
        count += find_in_slot(reader->ring, slot_at(reader->ring, i), filter, wanted, most, found + count);
    qsort(found, count, sizeof *found, by_time);
    size_t given = count < most ? count : most;
    for (size_t i = 0; i < given; i++) out[i] = found[count - given + i];
    free(found);
    return given;
}

uint64_t rings_complete_since(const struct ring_reader* reader) {
    uint64_t since = 0;
    for (uint32_t i = 0; i < slot_count(reader->ring); i++) {
        const HakRingSlot* slot = slot_at(reader->ring, i);
        uint64_t written = load_relaxed(&slot->written);
        if (written <= reader->ring->records) continue;
        uint64_t oldest = record_at(reader->ring, slot, written)->tsc;
        if (oldest > since) since = oldest;
    }
    return since;
}

uint32_t rings_os_tid_of(const struct ring_reader* reader, uint32_t number, uint64_t tick) {
    for (uint32_t i = 0; number != 0 && i < slot_count(reader->ring); i++) {
        const HakRingSlot* slot = slot_at(reader->ring, i);
        struct walk walk = walk_start(reader->ring, slot);
        if (walk.next == walk.end) continue;
        const HakRingRecord* first = record_at(reader->ring, slot, walk.last_start);
        const HakRingRecord* last = record_at(reader->ring, slot, walk.end - 1);
        uint64_t thread = load_relaxed(&slot->thread);
        bool ended = thread == 0;
        if (ended && last->event == HAK_EVENT_thread_exit) thread = last->b;
        if (thread == number && first->tsc <= tick && (!ended || last->tsc >= tick)) return load_relaxed(&slot->os_tid);
    }
    return 0;
}

bool rings_last(const HakRingFile* ring, uint32_t os_tid, uint32_t event, uint64_t among, HakRingRecord* out) {
    for (uint32_t i = 0; i < slot_count(ring); i++) {
        const HakRingSlot* slot = slot_at(ring, i);
        if (load_relaxed(&slot->os_tid) != os_tid || load_relaxed(&slot->thread) == 0) continue;
        struct walk walk = walk_start(ring, slot);
        for (uint64_t n = walk.end; n-- > walk.last_start && walk.end - n <= among;) {
            *out = *record_at(ring, slot, n);
            if (out->event == event) return true;
        }
    }
    return false;
}

// Tails

static json_t* tail_json(const struct ring_reader* reader, const HakRingSlot* slot, size_t most) {
    struct walk walk = walk_start(reader->ring, slot);
    struct ring_event event;
    json_t* events = json_array();
    uint32_t thread = walk.thread;
    while (walk_step(&walk, &event)) {
        thread = event.thread;
        if (walk.next > walk.last_start && walk.end - walk.next < most)
            json_array_append_new(events, ring_event_json(reader, &event));
    }
    json_t* tail = json_object();
    bool alive = load_relaxed(&slot->thread) != 0;
    json_put_count(tail, "thread", alive ? load_relaxed(&slot->thread) : thread);
    json_put_whole(tail, "os_tid", load_relaxed(&slot->os_tid));
    json_put_bool(tail, "alive", alive);
    json_put_count(tail, "written", load_relaxed(&slot->written));
    json_object_set_new(tail, "events", events);
    return tail;
}

json_t* rings_tails(const struct ring_reader* reader, uint32_t first, size_t most) {
    json_t* tails = json_array();
    for (uint32_t i = 0; i < slot_count(reader->ring); i++) {
        const HakRingSlot* slot = slot_at(reader->ring, i);
        if (load_relaxed(&slot->written) == 0) continue;
        bool leads = load_relaxed(&slot->os_tid) == first && load_relaxed(&slot->thread) != 0;
        json_t* tail = tail_json(reader, slot, most);
        if (leads)
            json_array_insert_new(tails, 0, tail);
        else
            json_array_append_new(tails, tail);
    }
    return tails;
}
