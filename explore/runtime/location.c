#include "runtime/location.h"

#include "runtime/limit.h"

#include <string.h>

uint16_t* location_index;
Location locations[LOCATIONS_MOST];
uint32_t location_count;
uint32_t current_run = 1, location_age = 1;
static uint64_t offsets[LOCATIONS_MOST];
static Stores stores[LOCATIONS_MOST];

void locations_start(void) {
    location_index = memory_reserve(TRACKED_BYTES * sizeof *location_index);
}

uint32_t location_make(uint64_t offset) {
    if (location_count + 1 == LOCATIONS_MOST)
        run_is_too_large("a run has atomic operations on more words than it can hold");
    location_count++;
    location_index[offset] = (uint16_t)location_count;
    offsets[location_count] = offset;
    return location_count;
}

void locations_begin_age(void) {
    if (++location_age == 0) location_age = 1;
}

void location_renew(Location* location) {
    location->age = location_age;
    location->writer = CLOCK_WIDTH - 1;
    location->stores = 0;
    memset(location->own, 0, sizeof location->own);
    location->released = (Clock){0};
    location->written = location->read = (Hash){0, 0};
}

Stores* location_stores(const Location* location) {
    Stores* s = &stores[location - locations];
    if (s->age != location_age) {
        s->age = location_age;
        s->count = 0;
    }
    return s;
}

uint64_t location_offset(uint32_t index) {
    return offsets[index];
}

void locations_forget(void) {
    for (uint32_t i = 1; i <= location_count; i++) {
        location_index[offsets[i]] = 0;
        locations[i] = (Location){0};
        stores[i].age = 0;
    }
    location_count = 0;
}

uint32_t locations_contended(uint64_t* hash) {
    uint32_t count = 0;
    *hash = 0;
    for (uint32_t i = 1; i <= location_count; i++) {
        if (!locations[i].contended) continue;
        count++;
        *hash += hash_mix(UINT64_C(0x1234567), offsets[i]);
    }
    return count;
}
