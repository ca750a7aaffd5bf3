// A recorded run: its events in order. For the story, the coverage and the hash of the trace.
// Thread-safety: none needed.
// Errors: events beyond the most are counted, but not kept.
#ifndef EXPLORE_RECORD_EVENT_H
#define EXPLORE_RECORD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EVENT_LOAD,
    EVENT_STORE,
    EVENT_UPDATE,   // a read-modify-write that wrote, also a compare-and-swap
    EVENT_REFUSED,  // a compare-and-swap that did not
    EVENT_FENCE,
    EVENT_STEP,    // a named step is next: `step`
    EVENT_CALL,    // an operation of the scenario begins: `value` is its number in the program, from 1
    EVENT_RETURN,  // it is done: `value` is what it returned
    EVENT_WAIT,    // the thread waits: `address` is the word or 0
    EVENT_GO_ON,   // it goes on
    EVENT_SYSTEM,  // a system call: `value` is 0 or 1 (failed)
    EVENT_SWITCH,  // from here on thread `other` runs; `value` 1: the former could have gone on
    EVENT_FORK,    // the child goes on (`value` 0) or the parent (1)
    EVENT_END,     // the thread's program is done
    EVENT_FAULT,   // what the run ended with
    EVENT_ACCESS,  // of bytes that are watched (runtime/watch.h): `value` is its flags (runtime/race.h)
} EventKind;

typedef struct {
    uint8_t thread;
    uint8_t kind;     // EventKind
    uint8_t order;    // __ATOMIC_RELAXED ...: as it was used, weakened or not
    uint8_t size;     // bytes of the word
    uint8_t other;    // LOAD, UPDATE, REFUSED: the thread whose store was read (SETUP: before the run); SWITCH
    uint8_t stale;    // LOAD: how many newer stores there were
    uint16_t step;    // HakStep of the last named step before; HAK_STEP_COUNT: none since the last operation
    uint32_t moment;  // of the thread
    uint64_t address;
    uint64_t before;   // UPDATE: what was read; REFUSED, LOAD: the same as `value`
    uint64_t value;    // what was read or written
    const void* site;  // return address in the core
} Event;

// More than a run can have: six threads with 30000 moments each, a few events at each moment.
enum { EVENTS_MOST = 1 << 20 };

typedef struct {
    bool on;
    uint32_t count;      // may exceed EVENTS_MOST
    void (*look)(void);  // called before each event is added: what is in memory is what came of those before; or NULL
    Event at[EVENTS_MOST];
} Recording;

extern Recording recording;

void recording_start(void);
void recording_stop(void);

static inline void record(Event event) {
    if (__builtin_expect(!recording.on, 1)) return;
    if (recording.look) recording.look();
    if (recording.count < EVENTS_MOST) recording.at[recording.count] = event;
    recording.count++;
}

#endif
