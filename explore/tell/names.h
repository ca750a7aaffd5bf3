// Names for what a run has: threads for control blocks, blocks of the scenario for addresses, words for words.
// They are noted while the run goes on, and asked for afterwards.
// Thread-safety: the process's only running thread.
// Errors: none; what has no name is told by its number.
#ifndef EXPLORE_TELL_NAMES_H
#define EXPLORE_TELL_NAMES_H

#include "scenario/scenario.h"

#include <stddef.h>
#include <stdint.h>

enum { NAME_ROOM = 96 };

typedef struct {
    char text[NAME_ROOM];
} Name;

void names_begin(const Scenario* scenario);
// While the run goes on, before the event with that number: notes the current thread's control block, and where blocks
// are.
void names_look(uint32_t event);

// At the time of that event: the thread that has the control block, "the reserve", or "control block 3".
Name name_of_control_block(uint64_t address, uint32_t event);
// "a", the first of the blocks with names that were there; "block 7 of slab 40"; "" if it is no block.
Name name_of_block(uint64_t address);
// Where the block was first; 0: nowhere.
uint64_t name_address(uint8_t block);
// Whether the block was there when the threads began.
bool name_is_from_start(uint8_t block);
// What the block was before it got this name; "": it had none.
Name name_of_block_before(uint8_t block);
// "A", "nobody", "not a slab".
Name name_of_owner(uint64_t owner_word, uint32_t event);
// "empty", "U", "2 blocks, a first".
Name name_of_remote(uint64_t remote_word);
// What stands at an address: "the owner word of slab 40", "the free list of slab 40", "block a"; "" if it has no name.
Name name_of_place(uint64_t address);
// The slab whose owner word, remote word, meta or block stands at an address; 0: none.
uint32_t slab_of_place(uint64_t address);

#endif
