#include "report/ring_event.h"

#include "base/json.h"
#include "config/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct telling {
    const struct ring_reader* reader;
    const HakRingRecord* record;
    char* out;
    size_t size;
};

static const char* name_of_way(uint64_t way) {
    static const char* const ways[] = {"unknown", "tls_sll", "ss_local", "ss_remote", "run", "huge", "pages"};
    return way < sizeof ways / sizeof ways[0] ? ways[way] : ways[0];
}

static const char* name_of_site(uint64_t change) {
    static const char* const sites[] = {
#define CHANGE(number, site, file, missing, words) [number] = #site,
#include "config/changes.def"
#undef CHANGE
    };
    return change > 0 && change < sizeof sites / sizeof sites[0] ? sites[change] : "unknown";
}

static uint32_t low_half(const HakRingRecord* record) {
    return (uint32_t)record->b;
}

static void explain_malloc(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, %" PRIu64 " bytes", t->record->a, t->record->b);
}

static void explain_free(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, %s", t->record->a, name_of_way(t->record->b));
}

static void explain_refill(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, class %u, stage %u", t->record->a, low_half(t->record) & 0xffff,
             low_half(t->record) >> 16);
}

static void explain_drain(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, %u blocks", t->record->a, low_half(t->record));
}

static void explain_foreign_drain(const struct telling* t) {
    uint64_t change = t->record->b >> 32;
    snprintf(t->out, t->size, "slab %u, %u blocks, though another thread owns it: change %" PRIu64 " (%s) is missing",
             t->record->a, low_half(t->record), change, name_of_site(change));
}

static void explain_bad_link(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, its link is 0x%" PRIx64, t->record->a, t->record->b);
}

static void explain_claim(const struct telling* t) {
    uint32_t bits = (uint32_t)(t->record->b >> 32), number;
    if (low_half(t->record) & 1)
        snprintf(t->out, t->size, "slab %u, won", t->record->a);
    else if (bits == 0)
        snprintf(t->out, t->size, "slab %u, refused: it was no longer a slab of this class", t->record->a);
    else if (heap_view_thread_of_bits(t->reader->heap, bits, &number))
        snprintf(t->out, t->size, "slab %u, refused: thread %u owned it", t->record->a, number);
    else
        snprintf(t->out, t->size, "slab %u, refused, control block bits 12 to 43: 0x%x", t->record->a, bits);
}

static void explain_class(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, class %u", t->record->a, low_half(t->record));
}

static void explain_adopt(const struct telling* t) {
    snprintf(t->out, t->size, "slab %u, by a %s", t->record->a, low_half(t->record) == 1 ? "free" : "refill");
}

static void explain_thread(const struct telling* t) {
    snprintf(t->out, t->size, "thread %" PRIu64, t->record->b);
}

static void explain_violation(const struct telling* t) {
    uint32_t number;
    if (t->record->a == 0)
        snprintf(t->out, t->size, "see the messages");
    else if (t->record->b == 0)
        snprintf(t->out, t->size, "about to drain slab %u, which nobody owns", t->record->a);
    else if (heap_view_thread_of(t->reader->heap, t->record->b, &number))
        snprintf(t->out, t->size, "about to drain slab %u, which thread %u owns", t->record->a, number);
    else
        snprintf(t->out, t->size, "about to drain slab %u, owned by control block 0x%" PRIx64, t->record->a,
                 t->record->b);
}

static void explain_refused(const struct telling* t) {
    snprintf(t->out, t->size, "%" PRIu64 " bytes%s", t->record->b, t->record->a == 1 ? ", as an option asks" : "");
}

// The meaning of `a` and `b`, as in events.def. By name, so that an event that is not listed here is shown in numbers.
static void explain(const struct telling* t) {
    static const struct {
        const char* event;
        void (*explain)(const struct telling* t);
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
        {"refused", explain_refused},
    };
    const char* name = hak_event_name(t->record->event);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].event, name) != 0) continue;
        known[i].explain(t);
        return;
    }
    snprintf(t->out, t->size, "a 0x%x, b 0x%" PRIx64, t->record->a, t->record->b);
}

json_t* ring_event_json(const struct ring_reader* reader, const struct ring_event* event) {
    const HakRingRecord* record = &event->record;
    char text[160];
    explain(&(struct telling){reader, record, text, sizeof text});
    json_t* object = json_object();
    json_put_real(object, "time", rings_time(reader, record->tsc));
    json_put_text(object, "event", hak_event_name(record->event));
    if (record->ptr != 0) json_put_hex(object, "ptr", record->ptr);
    json_put_whole(object, "a", record->a);
    json_put_hex(object, "b", record->b);
    json_put_text(object, "text", text);
    json_put_whole(object, "thread", event->thread);
    json_put_whole(object, "os_tid", event->os_tid);
    json_put_bool(object, "ended", event->ended);
    return object;
}
