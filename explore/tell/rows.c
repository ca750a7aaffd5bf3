#include "tell/rows.h"

#include "record/text.h"
#include "runtime/scheduler.h"
#include "runtime/steps.h"
#include "superslab/owner_word.h"
#include "tell/lists.h"
#include "tell/names.h"
#include "tell/operation.h"

#include <stdio.h>
#include <string.h>

Rows rows;

static const Scenario* scenario;
static uint32_t last_row[THREADS_MOST];  // of a thread, from 1; 0: none
static uint32_t call_of[THREADS_MOST];   // number of the operation under way
static uint32_t next_state;
static Accesses accesses;

// --- too many of them

static uint32_t find_gap(void) {
    for (uint32_t i = 0; i < rows.count; i++)
        if (rows.at[i].kind == ROW_GAP) return i;
    rows.left_out = rows.at[ROWS_FIRST].kind != ROW_SWITCH;
    memset(&rows.at[ROWS_FIRST], 0, sizeof *rows.at);
    rows.at[ROWS_FIRST].kind = ROW_GAP;
    return ROWS_FIRST;
}

// Leaves out the rows after the first ones, and half of the room for others becomes free.
static void leave_some_out(void) {
    enum { LEFT_OUT = (ROWS_MOST - ROWS_FIRST) / 2 };
    const uint32_t gap = find_gap(), end = gap + 1 + LEFT_OUT;
    for (uint32_t i = gap + 1; i < end; i++) rows.left_out += rows.at[i].kind != ROW_SWITCH;
    memmove(&rows.at[gap + 1], &rows.at[end], (rows.count - end) * sizeof *rows.at);
    rows.count -= LEFT_OUT;
    for (unsigned t = 0; t < THREADS_MOST; t++)
        if (last_row[t] > end)
            last_row[t] -= LEFT_OUT;
        else if (last_row[t] > gap)
            last_row[t] = 0;
    snprintf(rows.at[gap].what, WORDS_ROOM, "%u steps are left out here", rows.left_out);
}

static Row* add(RowKind kind, const Event* e) {
    if (rows.count == ROWS_MOST) leave_some_out();
    Row* row = &rows.at[rows.count++];
    memset(row, 0, sizeof *row);
    row->kind = (uint8_t)kind;
    row->thread = e->thread;
    row->moment = e->moment;
    row->step = HAK_STEP_COUNT;
    row->access = NO_EVENT;
    if (kind != ROW_SWITCH && kind != ROW_ACCESS && e->thread < THREADS_MOST) last_row[e->thread] = rows.count;
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
        if (rows.at[i].kind != ROW_SWITCH && rows.at[i].kind != ROW_ACCESS) return false;
    return number != 0;
}

// The thread's row that goes on; a new one, if others have rows since.
static Row* row_that_goes_on(const Event* e) {
    uint32_t number = e->thread < THREADS_MOST ? last_row[e->thread] : 0;
    if (is_last_but_switches(number)) return &rows.at[number - 1];
    return add(ROW_OTHER, e);
}

static bool is_threads_own(const SlabState* state, const Event* e) {
    Name owner = name_of_owner(state->owner, state->event);
    return word_owner(state->owner) == 0 || (owner.text[0] == 'A' + e->thread && owner.text[1] == '\0');
}

static bool differs_inside(const SlabState* a, const SlabState* b) {
    return a->used != b->used || a->free != b->free || memcmp(&a->free_list, &b->free_list, sizeof a->free_list) != 0;
}

// Free list and counts are the owner's.
static void note_foreign_write(Row* row, const SlabState* state, const Event* e) {
    const SlabState* before = state->event ? state_before(state->slab, state->event - 1) : NULL;
    if (before == NULL || before->owner != state->owner || is_threads_own(state, e) || !differs_inside(before, state))
        return;
    if (row->writes_foreign) return;
    row->writes_foreign = row->wrong = true;
    size_t length = strlen(row->what);
    snprintf(row->what + length, sizeof row->what - length,
             "%swrites the free list and counts of slab %u, which %.40s owns", length ? "; " : "", state->slab,
             name_of_owner(state->owner, state->event).text);
}

// A refill takes the whole free list into the thread's bin (TLS SLL).
static void note_taking(Row* row, const SlabState* state) {
    const SlabState* before = state->event ? state_before(state->slab, state->event - 1) : NULL;
    bool takes = row->kind == ROW_STEP && row->step == HAK_STEP_TK && state->free_list.count == 0;
    if (!takes || before == NULL || before->free_list.count == 0) return;
    char blocks[WORDS_ROOM / 2];
    list_describe(&before->free_list, blocks, sizeof blocks);
    size_t length = strlen(row->what);
    snprintf(row->what + length, sizeof row->what - length, "%sits bin gets %s", length ? "; " : "", blocks);
}

static void add_states(uint32_t event, const Event* e) {
    for (; next_state < states.count && states.at[next_state].event <= event; next_state++) {
        const SlabState* state = &states.at[next_state];
        if (event == 0) continue;
        Row* row = row_that_goes_on(e);
        add_slab(row, state->slab, event, true);
        note_foreign_write(row, state, e);
        note_taking(row, state);
    }
}

// --- operations

// Moves the thread's row, whose operation comes only now, behind those of others.
static Row* row_of_step(const Event* e) {
    uint32_t number = last_row[e->thread];
    if (number == 0) return NULL;
    Row* row = &rows.at[number - 1];
    if (row->kind != ROW_STEP || row->has_operation || row->step != e->step) return NULL;
    if (is_last_but_switches(number)) return row;
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
    row->wrong |= operation_drains_foreign(e, event);
    if (e->stale) operation_describe_newer(e, event, row->stale, sizeof row->stale);
    uint32_t slab = operation_slab(e);
    if (slab) add_slab(row, slab, event, false);
}

// --- the rest

static const Op* op_of(unsigned thread, uint32_t number) {
    return number >= 1 && number <= scenario->op_count[thread] ? &scenario->op[thread][number - 1] : NULL;
}

static bool in_use[BLOCKS_MOST];  // between the return of its malloc and the call of its free

static void add_call(const Event* e) {
    Row* row = add(ROW_CALL, e);
    call_of[e->thread] = (uint32_t)e->value;
    const Op* op = op_of(e->thread, (uint32_t)e->value);
    if (op == NULL) return;
    scenario_format_op(scenario, op, row->what, sizeof row->what);
    const uint8_t taken = op->kind == OP_REALLOC ? op->old : op->block;
    if ((op->kind == OP_FREE || op->kind == OP_REALLOC) && taken < scenario->block_count) in_use[taken] = false;
}

// Another block with a name that has this one's memory, and is in use.
static const char* twin_of(uint8_t block) {
    for (uint8_t b = 0; b < scenario->block_count; b++)
        if (b != block && in_use[b] && name_address(b) == name_address(block)) return scenario->block_name[b];
    return NULL;
}

// A block that was another one before has two names, and the first one stays.
static void add_return(const Event* e) {
    const Op* op = op_of(e->thread, call_of[e->thread]);
    if (op == NULL || op->block >= scenario->block_count) return;
    bool makes = op->kind == OP_MALLOC || op->kind == OP_CALLOC || op->kind == OP_REALLOC;
    Name before = makes ? name_of_block_before(op->block) : (Name){""};
    if (makes) in_use[op->block] = true;
    if (before.text[0] == '\0') return;
    const char* twin = twin_of(op->block);
    Row* row = add(ROW_OTHER, e);
    row->wrong = twin != NULL;
    size_t length = (size_t)snprintf(row->what, sizeof row->what, "%s is the block that was %.80s",
                                     scenario->block_name[op->block], before.text);
    if (twin) length += (size_t)snprintf(row->what + length, sizeof row->what - length, "; as %s it is in use", twin);
    if (run.limits.follow) snprintf(row->what + length, sizeof row->what - length, "; writes 'a' and 'b' into it");
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

// After its program a thread ends, which gives back what is in its bins.
static void add_fault(const Event* e) {
    bool ends = e->thread < THREADS_MOST && last_row[e->thread] && rows.at[last_row[e->thread] - 1].kind == ROW_END;
    Row* row = add(ROW_FAULT, e);
    Text text = {row->what, sizeof row->what, 0};
    text_add(&text, "%s%s", run.check, ends ? ", while the thread ends and gives back the blocks in its bins" : "");
    row->access = accesses.later;
    if (row->access == NO_EVENT) return;
    text_add(&text, ": ");
    if (text.length < text.size) access_describe(row->access, row->what + text.length, text.size - text.length);
}

static void add_access(uint32_t event, const Event* e) {
    Row* row = add(ROW_ACCESS, e);
    row->access = event;
    access_describe(event, row->what, sizeof row->what);
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
        snprintf(add(ROW_FORK, e)->what, WORDS_ROOM, "forks: the %s goes on",
                 e->value ? "parent" : "child, where it is alone,");
        break;
    case EVENT_SYSTEM: snprintf(add(ROW_FAILURE, e)->what, WORDS_ROOM, "its system call fails"); break;
    case EVENT_END: snprintf(add(ROW_END, e)->what, WORDS_ROOM, "has no more to do"); break;
    case EVENT_FAULT: add_fault(e); break;
    case EVENT_RETURN: add_return(e); break;
    case EVENT_ACCESS:
        if (event == accesses.earlier) add_access(event, e);
        break;
    case EVENT_FENCE:
    case EVENT_GO_ON: break;
    }
}

// --- what can be left aside

enum { ASIDE_LEAST = 3 };

static bool is_about(const Row* row, const bool* shared) {
    for (uint32_t i = 0; i < row->slab_count; i++)
        if (row->slab[i].slab < SLABS_WATCHED && shared[row->slab[i].slab]) return true;
    return row->stale[0] != '\0' || (row->kind != ROW_STEP && row->kind != ROW_OTHER);
}

static void find_shared(bool shared[SLABS_WATCHED]) {
    static uint8_t users[SLABS_WATCHED];
    memset(users, 0, sizeof users);
    for (uint32_t i = 0; i < rows.count; i++)
        for (uint32_t k = 0; k < rows.at[i].slab_count; k++)
            if (rows.at[i].slab[k].slab < SLABS_WATCHED)
                users[rows.at[i].slab[k].slab] |= (uint8_t)(1u << rows.at[i].thread);
    for (unsigned s = 0; s < SLABS_WATCHED; s++) shared[s] = (users[s] & (users[s] - 1)) != 0;
}

// Where a row is about a slab of several threads, those of one thread only distract.
static void keep_shared(Row* row, const bool* shared) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < row->slab_count; i++)
        if (row->slab[i].slab < SLABS_WATCHED && shared[row->slab[i].slab]) row->slab[kept++] = row->slab[i];
    if (kept || row->kind == ROW_END || row->kind == ROW_FAULT) row->slab_count = kept;
}

static void set_aside(uint32_t slab) {
    static bool shared[SLABS_WATCHED];
    find_shared(shared);
    if (slab < SLABS_WATCHED) shared[slab] = true;
    for (uint32_t i = 0; i < rows.count; i++) keep_shared(&rows.at[i], shared);
    for (uint32_t first = 0, end; first < rows.count; first = end + 1) {
        for (end = first; end < rows.count && !is_about(&rows.at[end], shared); end++) {}
        if (end - first >= ASIDE_LEAST)
            for (uint32_t i = first; i < end; i++) rows.at[i].aside = true;
    }
}

static void number_rows(void) {
    uint32_t number = 0;
    for (uint32_t i = 0; i < rows.count; i++)
        if (rows.at[i].kind == ROW_GAP)
            number += rows.left_out;
        else if (rows.at[i].kind != ROW_SWITCH && !rows.at[i].aside)
            rows.at[i].number = ++number;
}

void rows_build(const Scenario* wanted, uint32_t slab, Accesses wanted_accesses) {
    scenario = wanted;
    accesses = wanted_accesses;
    rows.count = rows.left_out = next_state = 0;
    for (uint8_t b = 0; b < scenario->block_count; b++) in_use[b] = name_is_from_start(b);
    memset(last_row, 0, sizeof last_row);
    memset(call_of, 0, sizeof call_of);
    uint32_t kept = recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
    for (uint32_t i = 0; i < kept; i++) {
        const Event* e = &recording.at[i];
        bool is_operation = e->kind <= EVENT_REFUSED;
        if (is_operation) add_event(i, e);
        add_states(i, e);
        if (!is_operation) add_event(i, e);
    }
    set_aside(slab);
    number_rows();
}
