#include "record/trace.h"

#include "record/event.h"

// FNV-1a, by words.
static void add(uint64_t* hash, uint64_t value) {
    *hash = (*hash ^ value) * UINT64_C(0x100000001b3);
    *hash ^= *hash >> 29;
}

uint32_t trace_hash(uint64_t (*offset_of)(uint64_t address)) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    uint32_t kept = recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
    add(&hash, recording.count);
    for (uint32_t i = 0; i < kept; i++) {
        const Event* e = &recording.at[i];
        add(&hash, (uint64_t)e->kind << 32 | (uint64_t)e->thread << 24 | (uint64_t)e->other << 16 | e->stale);
        add(&hash, (uint64_t)e->moment << 32 | (uint64_t)e->step << 8 | e->order);
        add(&hash, offset_of(e->address));
    }
    return (uint32_t)(hash ^ hash >> 32);
}
