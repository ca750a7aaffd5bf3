#include "tell/rows.h"

#include "runtime/steps.h"
#include "tell/operation.h"

#include <stdio.h>
#include <string.h>

Rows rows;

static const Scenario* scenario;
static uint32_t last_row[THREADS_MOST];  // of a thread, from 1; 0: none
static uint32_t next_state;

static Row* add(RowKind kind, const Event* e) {
    static Row overflow;
    Row* row = rows.count < ROWS_MOST ? &rows.at[rows.count] : &overflow;
    memset(row, 0, sizeof *row);
    row->kind = (uint8_t)kind;
    row->thread = e->thread;
    row->moment = e->moment;
    row->step = HAK_STEP_COUNT;
    if (rows.count < ROWS_MOST) rows.count++;
    if (kind != ROW_SWITCH && e->thread < THREADS_MOST) last_row[e->thread] = rows.count;
    return row;
}

// --- slabs

static void add_slab(Row* row, uint32_t slab, uint32_t event, bool changed) {
    for (uint32_t i = 0; i < row->slab_count; i++)
        if (row->slab[i].slab == slab) {
            row->slab[i].event = event;
            row->slab[i].changed |= changed;
            return;
        }
    if (row->slab_count == ROW_SLABS) return;
    row->slab[row->slab_count].slab = slab;
    row->slab[row->slab_count].event = event;
    row->slab[row->slab_count++].changed = changed;
}

static bool is_last_but_switches(uint32_t number) {
    for (uint32_t i = number; i < rows.count; i++)
        if (rows.at[i].kind != ROW_SWITCH) return false;
    return number != 0;
}

// The thread's row that goes on; a new one, if others have rows since.
static Row* row_that_goes_on(const Event* e) {
    uint32_t number = e->thread < THREADS_MOST ? last_row[e->thread] : 0;
    if (is_last_but_switches(number)) return &rows.at[number - 1];
    Row* row = add(ROW_OTHER, e);
    if (number && rows.at[number - 1].step < HAK_STEP_COUNT)
        snprintf(row->what, sizeof row->what, "goes on with %s", step_name(rows.at[number - 1].step));
    return row;
}

static void add_states(uint32_t event, const Event* e) {
    for (; next_state < states.count && states.at[next_state].event <= event; next_state++)
        if (event > 0) add_slab(row_that_goes_on(e), states.at[next_state].slab, event, true);
}

// --- operations

// Moves the thread's row, whose operation comes only now, behind those of others.
static Row* row_of_step(const Event* e) {
    uint32_t number = last_row[e->thread];
    if (number == 0) return NULL;
    Row* row = &rows.at[number - 1];
    if (row->kind != ROW_STEP || row->has_operation || row->step != e->step) return NULL;
    if (is_last_but_switches(number) || rows.count == ROWS_MOST) return row;
    Row moved = *row;
    memmove(row, row + 1, (rows.count - number) * sizeof *row);
    rows.at[rows.count - 1] = moved;
    for (unsigned t = 0; t < THREADS_MOST; t++)
        if (last_row[t] > number) last_row[t]--;
    last_row[e->thread] = rows.count;
    return &rows.at[rows.count - 1];
}

static void add_operation(uint32_t event, const Event* e) {
    Row* row = row_of_step(e);
    if (row == NULL) {
        if (e->stale == 0 && !operation_matters(e)) return;
        row = add(ROW_OTHER, e);
    }
    row->has_operation = true;
    row->moment = e->moment;
    operation_describe(e, event, row->what, sizeof row->what);
    if (e->stale) operation_describe_newer(e, event, row->stale, sizeof row->stale);
    uint32_t slab = operation_slab(e);
    if (slab) add_slab(row, slab, event, false);
}

// --- the rest

static void add_call(const Event* e) {
    Row* row = add(ROW_CALL, e);
    const Op* op = &scenario->op[e->thread][e->value - 1];
    if (e->value >= 1 && e->value <= scenario->op_count[e->thread]) scenario_format_op(scenario, op, row->what, sizeof row->what);
}

static void add_switch(const Event* e) {
    Row* row = add(ROW_SWITCH, e);
    row->other = e->other;
    row->preempts = e->value != 0;
}

static const char* words_of_wait(const Event* e) {
    switch (e->value) {
    case 2: return "has to wait until something changes";
    case 3: return "sleeps until it is woken";
    case 4: return "waits for a block";
    default: return "waits";
    }
}

static void add_event(uint32_t event, const Event* e) {
    switch ((EventKind)e->kind) {
    case EVENT_LOAD:
    case EVENT_STORE:
    case EVENT_UPDATE:
    case EVENT_REFUSED: add_operation(event, e); break;
    case EVENT_STEP: add(ROW_STEP, e)->step = e->step; break;
    case EVENT_CALL: add_call(e); break;
    case EVENT_WAIT: snprintf(add(ROW_WAIT, e)->what, WORDS_ROOM, "%s", words_of_wait(e)); break;
    case EVENT_SWITCH: add_switch(e); break;
    case EVENT_FORK:
        snprintf(add(ROW_FORK, e)->what, WORDS_ROOM, "forks: the %s goes on", e->value ? "parent" : "child, where it is alone,");
        break;
    case EVENT_SYSTEM: snprintf(add(ROW_FAILURE, e)->what, WORDS_ROOM, "its system call fails"); break;
    case EVENT_END: snprintf(add(ROW_END, e)->what, WORDS_ROOM, "is done"); break;
    case EVENT_FAULT: add(ROW_FAULT, e); break;
    case EVENT_FENCE:
    case EVENT_RETURN:
    case EVENT_GO_ON: break;
    }
}

// A step whose thread never came to its operation did not happen: it stands at the end, as what would come next.
void rows_build(const Scenario* wanted) {
    scenario = wanted;
    rows.count = next_state = 0;
    memset(last_row, 0, sizeof last_row);
    uint32_t kept = recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
    for (uint32_t i = 0; i < kept; i++) {
        const Event* e = &recording.at[i];
        bool is_operation = e->kind <= EVENT_REFUSED;
        if (is_operation) add_event(i, e);
        add_states(i, e);
        if (!is_operation) add_event(i, e);
    }
}
