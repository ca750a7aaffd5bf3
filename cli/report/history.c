#include "report/history.h"

#include "base/json.h"

#include <stdlib.h>

static bool names_block(const HakRingRecord* record, const void* wanted) {
    return record->ptr == *(const uint64_t*)wanted;
}

static bool names_slab(const HakRingRecord* record, const void* wanted) {
    switch (record->event) {
    case HAK_EVENT_refill:
    case HAK_EVENT_drain:
    case HAK_EVENT_foreign_drain:
    case HAK_EVENT_claim:
    case HAK_EVENT_release:
    case HAK_EVENT_publish:
    case HAK_EVENT_adopt:
    case HAK_EVENT_announce:
    case HAK_EVENT_bad_link:
    case HAK_EVENT_violation: return record->a == *(const uint32_t*)wanted;
    default: return false;
    }
}

size_t history_of_block(const struct ring_reader* rings, uint64_t block, size_t most, struct ring_event* out) {
    return block != 0 ? rings_find(rings, names_block, &block, most, out) : 0;
}

size_t history_of_slab(const struct ring_reader* rings, uint32_t slab, size_t most, struct ring_event* out) {
    return slab != 0 ? rings_find(rings, names_slab, &slab, most, out) : 0;
}

static json_t* history_json(const struct ring_reader* rings, const char* of, const struct ring_event* found,
                            size_t count) {
    json_t *history = json_object(), *events = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(events, ring_event_json(rings, &found[i]));
    uint64_t since = rings_complete_since(rings);
    json_put_text(history, "of", of);
    if (since != 0) json_put_real(history, "complete_since", rings_time(rings, since));
    json_object_set_new(history, "events", events);
    return history;
}

json_t* history_of_block_json(const struct ring_reader* rings, const char* of, uint64_t block, size_t most) {
    struct ring_event* found = calloc(most, sizeof *found);
    size_t count = found != NULL ? history_of_block(rings, block, most, found) : 0;
    json_t* history = count > 0 ? history_json(rings, of, found, count) : NULL;
    if (history != NULL) json_put_hex(history, "address", block);
    free(found);
    return history;
}

json_t* history_of_slab_json(const struct ring_reader* rings, const char* of, uint32_t slab, size_t most) {
    struct ring_event* found = calloc(most, sizeof *found);
    size_t count = found != NULL ? history_of_slab(rings, slab, most, found) : 0;
    json_t* history = count > 0 ? history_json(rings, of, found, count) : NULL;
    if (history != NULL) json_put_whole(history, "slab", slab);
    free(found);
    return history;
}
