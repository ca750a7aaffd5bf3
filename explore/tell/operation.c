#include "tell/operation.h"

#include "runtime/steps.h"
#include "runtime/thread.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "tell/names.h"
#include "tell/states.h"
#include "thread/tcb.h"

#include <stdio.h>

typedef enum { WORD_OTHER, WORD_OWNER, WORD_REMOTE, WORD_STATE } Word;

static Word word_at(uint64_t address) {
    uint64_t slabs = load_relaxed(&hak_heap.slabs);
    uint64_t owner = address - (uint64_t)(uintptr_t)hak_heap.owner,
             remote = address - (uint64_t)(uintptr_t)hak_heap.remote;
    if (owner < slabs * sizeof *hak_heap.owner) return WORD_OWNER;
    if (remote < slabs * sizeof *hak_heap.remote) return WORD_REMOTE;
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        if (address == (uint64_t)(uintptr_t)&tcb->state) return WORD_STATE;
    return WORD_OTHER;
}

bool operation_matters(const Event* e) {
    return e->kind != EVENT_LOAD && word_at(e->address) != WORD_OTHER;
}

uint32_t operation_slab(const Event* e) {
    Word word = word_at(e->address);
    return word == WORD_OWNER || word == WORD_REMOTE ? slab_of_place(e->address) : 0;
}

static Name value_of(const Event* e, uint64_t value, uint32_t event) {
    static const char* const state_names[] = {"LIVING", "LEFT", "LOST"};
    Name name = {""};
    switch (word_at(e->address)) {
    case WORD_OWNER: return name_of_owner(value, event);
    case WORD_REMOTE: return name_of_remote(value);
    case WORD_STATE: snprintf(name.text, sizeof name.text, "%s", value <= TCB_LOST ? state_names[value] : "?"); break;
    case WORD_OTHER: break;
    }
    return name;
}

static bool drains(const Event* e) {
    return word_at(e->address) == WORD_REMOTE && (e->kind == EVENT_STORE || e->kind == EVENT_UPDATE) &&
           e->value == REMOTE_EMPTY && e->before > REMOTE_UNOWNED;
}

// Taking from the remote stack is the owner's.
bool operation_drains_foreign(const Event* e, uint32_t event) {
    const SlabState* state = drains(e) ? state_before(slab_of_place(e->address), event) : NULL;
    if (state == NULL || word_owner(state->owner) == 0) return false;
    Name owner = name_of_owner(state->owner, event);
    return owner.text[0] != 'A' + e->thread || owner.text[1] != '\0';
}

static Name whose_it_is(const Event* e, uint32_t event) {
    Name words = {""};
    if (!operation_drains_foreign(e, event)) return words;
    Name owner = name_of_owner(state_before(slab_of_place(e->address), event)->owner, event);
    snprintf(words.text, sizeof words.text, ", which %.60s owns", owner.text);
    return words;
}

// Of other words, what stands there means nothing to a reader.
void operation_describe(const Event* e, uint32_t event, char* out, size_t size) {
    Name place = name_of_place(e->address), value = value_of(e, e->value, event),
         before = value_of(e, e->before, event);
    if (value.text[0] == '\0')
        snprintf(out, size, "%s", e->stale ? place.text : e->kind == EVENT_REFUSED ? "refused" : "");
    else if (e->kind == EVENT_LOAD)
        snprintf(out, size, "%s is %s", place.text, value.text);
    else if (e->kind == EVENT_REFUSED)
        snprintf(out, size, "refused: %s is %s", place.text, value.text);
    else if (drains(e))
        snprintf(out, size, "takes the remote stack of slab %u%s: %s", slab_of_place(e->address),
                 whose_it_is(e, event).text, before.text);
    else if (e->value == e->before)
        snprintf(out, size, "exchanges %s, which stays %s", place.text, value.text);
    else
        snprintf(out, size, "%s: %s -> %s", place.text, before.text, value.text);
}

// --- stale loads

static bool writes(const Event* e, uint64_t address) {
    return (e->kind == EVENT_STORE || e->kind == EVENT_UPDATE) && e->address == address;
}

static size_t describe_store(const Event* store, uint32_t event, char* out, size_t size) {
    Name value = value_of(store, store->value, event);
    int length =
        snprintf(out, size, "%c's%s%s%s%s", 'A' + store->thread, store->step < HAK_STEP_COUNT ? " " : " store",
                 store->step < HAK_STEP_COUNT ? step_name(store->step) : "", value.text[0] ? ": " : "", value.text);
    return length > 0 ? (size_t)length : 0;
}

void operation_describe_newer(const Event* e, uint32_t event, char* out, size_t size) {
    unsigned newer = 0;
    size_t length = (size_t)snprintf(out, size, "stale; it does not see ");
    const Event* read = NULL;
    for (uint32_t i = event; i > 0 && read == NULL; i--) {
        const Event* store = &recording.at[i - 1];
        if (!writes(store, e->address)) continue;
        if (newer == e->stale)
            read = store;
        else {
            if (newer++ && length < size) length += (size_t)snprintf(out + length, size - length, " and ");
            if (length < size) length += describe_store(store, i, out + length, size - length);
        }
    }
    if (length < size) length += (size_t)snprintf(out + length, size - length, ", and reads ");
    if (length >= size) return;
    if (read)
        describe_store(read, event, out + length, size - length);
    else
        snprintf(out + length, size - length, "what stood there before the run");
}
