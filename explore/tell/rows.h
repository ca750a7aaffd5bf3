// The rows of a story: what the threads did, in the order of the run, and what became of the slabs.
//
//   events and states of the recorded run ──> rows: an operation begins, a named step, another write of a word of the
//                                             protocol, a stale load, a switch, a wait, the access that a fault is
//                                             about, the fault
//
// A step stands where its operation took effect: if another thread went on between the two, after that thread's rows.
// Thread-safety: none needed.
// Errors: none; of more than ROWS_MOST, the first ROWS_FIRST and the last ones are kept, and a gap between them.
#ifndef EXPLORE_TELL_ROWS_H
#define EXPLORE_TELL_ROWS_H

#include "record/event.h"
#include "scenario/scenario.h"
#include "tell/accesses.h"
#include "tell/states.h"

enum { ROWS_MOST = 512, ROWS_FIRST = 128, WORDS_ROOM = 256, ROW_SLABS = 3 };

typedef enum {
    ROW_CALL,
    ROW_STEP,
    ROW_OTHER,
    ROW_SWITCH,
    ROW_WAIT,
    ROW_END,
    ROW_FORK,
    ROW_FAILURE,
    ROW_GAP,
    ROW_ACCESS,
    ROW_FAULT
} RowKind;

typedef struct {
    uint8_t kind;  // RowKind
    uint8_t thread;
    uint8_t other;  // SWITCH: who goes on
    bool preempts;  // SWITCH: the thread could have gone on
    bool has_operation, writes_foreign;
    bool wrong;     // it does what only another may do, or hands out a block that is in use
    bool aside;     // of many rows of one thread on slabs that only it touches
    uint16_t step;  // STEP
    uint32_t moment;
    uint32_t number;         // from 1, as the reader sees it; 0: a switch, or aside
    uint32_t access;         // ACCESS, FAULT: number of its event; NO_EVENT: none
    char what[WORDS_ROOM];   // CALL: the operation; STEP and OTHER: what it did to which word; ACCESS: the access
    char stale[WORDS_ROOM];  // the newer stores that it did not see; "": it saw the newest
    uint32_t slab_count;
    struct {
        uint32_t slab, event;  // its state before that event is the one after this row
        bool changed;          // by this row
    } slab[ROW_SLABS];
} Row;

typedef struct {
    uint32_t count;
    uint32_t left_out;  // steps in the gap
    Row at[ROWS_MOST];
} Rows;

extern Rows rows;

// From what is recorded, and what names and states have noted. slab: what the fault is about; 0: unknown.
void rows_build(const Scenario* scenario, uint32_t slab, Accesses accesses);

#endif
