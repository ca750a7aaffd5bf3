// The words of the slabs while a run goes on: each change, and the event before which it was seen.
// Thread-safety: the process's only running thread.
// Errors: none; beyond STATES_MOST changes, the later ones are not kept.
#ifndef EXPLORE_TELL_STATES_H
#define EXPLORE_TELL_STATES_H

#include <stdbool.h>
#include <stdint.h>

enum { STATES_MOST = 16384, LISTED_MOST = 6, SLABS_WATCHED = 512 };

// A list of blocks: how many, and the first few.
typedef struct {
    uint16_t count;  // as far as it can be followed
    bool broken;     // it leads out of the heap, or does not end
    uint64_t at[LISTED_MOST];
    uint64_t leads_to;  // if broken
} BlockList;

typedef struct {
    uint32_t slab;
    uint32_t event;  // before which the change was seen
    uint64_t owner, remote;
    uint16_t used, free, uncut;
    bool runs;        // a SuperSlab of page runs: there is no free list
    bool registered;  // in the registry
    BlockList free_list, pushed;
} SlabState;

typedef struct {
    uint32_t count;
    SlabState at[STATES_MOST];
} States;

extern States states;

// What the slabs are at the run's beginning is noted before event 0.
void states_begin(void);
void states_look(uint32_t event);
// The slab's state before that event; NULL: it was no slab yet.
const SlabState* state_before(uint32_t slab, uint32_t event);

#endif
