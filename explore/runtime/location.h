// Words of atomic operations: who touches them, and what the memory model needs to know of them.
//
// Who touches a word is learned over all runs of a scenario. A word is contended once two threads have touched it, one
// of them writing. The rest is of one run.
//
// Thread-safety: the process's only running thread.
// Errors: if there are too many words, location_of ends the run with the fault "scenario".
#ifndef EXPLORE_RUNTIME_LOCATION_H
#define EXPLORE_RUNTIME_LOCATION_H

#include "runtime/clock.h"
#include "runtime/hash.h"
#include "runtime/memory.h"

enum { LOCATIONS_MOST = 8192, STORES_KEPT = 16, UNKNOWN = UINT16_MAX };

typedef struct {
    uint32_t age;     // in which the fields below were written
    uint8_t users;    // bit t: thread t has touched the word, in any run
    uint8_t writers;  // the same for writes
    uint8_t contended;
    uint8_t writer;             // thread of the newest store; BEFORE_RUN
    uint16_t stores;            // in this run
    uint16_t own[CLOCK_WIDTH];  // of these, each thread's
    Clock released;             // what an acquire of the newest store gets
    Hash written;               // history of the newest store
    Hash read;                  // of the loads since, in no order
} Location;

// The newest stores, for loads that read older ones. at[i % STORES_KEPT] is store number i; number 0 is what the word
// held before the run.
typedef struct {
    uint32_t age;
    uint32_t count;
    struct {
        uint64_t value;
        Clock released;
        Clock known;  // of each thread: its clock when it first wrote or read the store; UNKNOWN
        uint16_t writer;
    } at[STORES_KEPT];
} Stores;

extern uint16_t* location_index;  // by offset; 0: none yet
extern Location locations[LOCATIONS_MOST];
extern uint32_t location_count;
extern uint32_t current_run;   // number of the run, never 0
extern uint32_t location_age;  // a run, or the part of it in one process; never 0

void locations_start(void);
// From now on, all stores so far are what the words held before the run.
void locations_begin_age(void);
uint32_t location_make(uint64_t offset);
void location_renew(Location* location);

static inline Location* location_at(uint32_t index) {
    Location* location = &locations[index];
    if (__builtin_expect(location->age != location_age, 0)) location_renew(location);
    return location;
}

static inline Location* location_of(uint64_t offset) {
    uint32_t index = location_index[offset];
    if (__builtin_expect(index == 0, 0)) index = location_make(offset);
    return location_at(index);
}

// A word that is not contended has none, whether its stores are counted or not.
static inline uint16_t stores_of_others(const Location* location, unsigned thread) {
    return (uint16_t)(location->stores - location->own[thread]);
}

Stores* location_stores(const Location* location);

// Notes that a thread touches the word. true: it has become contended.
static inline bool location_learn(Location* location, unsigned thread, bool writes) {
    uint8_t bit = (uint8_t)(1u << thread);
    location->users |= bit;
    if (writes) location->writers |= bit;
    if (location->contended || location->writers == 0 || (location->users & (location->users - 1)) == 0) return false;
    location->contended = 1;
    return true;
}

static inline bool location_knows(const Location* location, unsigned thread, bool writes) {
    return ((writes ? location->writers : location->users) >> thread & 1) != 0;
}

// Where location number `index` is.
uint64_t location_offset(uint32_t index);
// Another scenario: nothing is learned.
void locations_forget(void);
// Number of contended words, and a hash that tells sets of them apart.
uint32_t locations_contended(uint64_t* hash);

#endif
