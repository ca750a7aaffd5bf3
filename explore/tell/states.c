#include "tell/states.h"

#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "thread/link.h"

#include <string.h>

States states;
static SlabState now[SLABS_WATCHED];

void states_begin(void) {
    states.count = 0;
    memset(now, 0, sizeof now);
}

// A list may be damaged, so each link is looked at before it is followed.
static BlockList follow(const void* first, unsigned most) {
    BlockList list = {0};
    uint64_t at = (uint64_t)(uintptr_t)first;
    while (at && list.count < most) {
        if (at % 16 != 0 || !heap_contains((const void*)(uintptr_t)at)) {
            list.broken = true;
            list.leads_to = at;
            return list;
        }
        if (list.count < LISTED_MOST) list.at[list.count] = at;
        list.count++;
        uint64_t target = link_target(*(const uint64_t*)(uintptr_t)at);
        at = target == load_relaxed(&hak_link_end) ? 0 : target;
    }
    return list;
}

static SlabState read_state(uint32_t slab, uint64_t owner) {
    const TinySlabMeta* meta = &hak_heap.meta[slab];
    SlabState state;
    memset(&state, 0, sizeof state);  // padding, too: states are compared whole
    state.slab = slab;
    state.owner = owner;
    state.remote = load_relaxed(&hak_heap.remote[slab].word);
    state.registered = meta->in_registry;
    state.used = (uint16_t)meta_used(meta);
    state.runs = word_tag(owner) == TAG_RUNS;
    if (state.runs) return state;
    state.free = (uint16_t)meta_free(meta);
    state.uncut = (uint16_t)(meta->capacity - load_relaxed(&meta->carved));
    state.free_list = follow(meta->freelist, LISTED_MOST + 1u);
    state.pushed = follow(remote_first(state.remote),
                          remote_count(state.remote) < LISTED_MOST ? remote_count(state.remote) : LISTED_MOST);
    return state;
}

static void look_at(uint32_t slab, uint32_t event) {
    uint64_t owner = load_relaxed(&hak_heap.owner[slab]), tag = word_tag(owner);
    bool is_slab = tag_is_class(tag) || tag == TAG_RUNS;
    if (!is_slab && now[slab].slab == 0) return;
    SlabState state;
    memset(&state, 0, sizeof state);
    state.slab = slab;
    if (is_slab) state = read_state(slab, owner);
    state.event = now[slab].event;
    if (memcmp(&state, &now[slab], sizeof state) == 0) return;
    state.event = event;
    now[slab] = state;
    if (states.count < STATES_MOST) states.at[states.count++] = state;
}

void states_look(uint32_t event) {
    uint64_t slabs = load_relaxed(&hak_heap.slabs);
    for (uint32_t slab = 1; slab < slabs && slab < SLABS_WATCHED; slab++) look_at(slab, event);
}

const SlabState* state_before(uint32_t slab, uint32_t event) {
    const SlabState* found = NULL;
    for (uint32_t i = 0; i < states.count && states.at[i].event <= event; i++)
        if (states.at[i].slab == slab) found = &states.at[i];
    return found;
}
