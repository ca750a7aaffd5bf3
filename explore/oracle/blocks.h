// The blocks of a scenario: no two overlap, their contents stay, and a thread that frees another's block waits for it.
// Thread-safety: the process's only running thread.
// Errors: faults of the run.
#ifndef EXPLORE_ORACLE_BLOCKS_H
#define EXPLORE_ORACLE_BLOCKS_H

#include "runtime/scheduler.h"
#include "scenario/scenario.h"

#include <stddef.h>

enum { BLOCKS_MOST_ALL = 2048 };  // those with names first

typedef struct {
    char* at;  // NULL: the allocation failed
    uint64_t size;
    bool there;    // it was made and not taken
    bool foreign;  // a mapping of somebody else in the heap's window
    Clock clock;   // what its maker had done
    Hash history;
} Block;

extern Block blocks[BLOCKS_MOST_ALL];
extern unsigned block_count;  // used entries

void blocks_forget_all(void);
void blocks_snapshot(void);
void blocks_reset(void);

// A free entry for a block without name.
unsigned block_new(void);
// The current thread has got a block: nobody else may have any of it. Writes its contents.
void block_made(unsigned block, void* at, uint64_t size);
// Somebody else maps `bytes`, a multiple of the page size, of the heap's window, where nothing is mapped. Allocated
// blocks must not overlap it, and its contents must stay.
void block_made_by_others(uint64_t bytes);
// How many there are; they must be as they were made.
unsigned blocks_check_foreign(void);
bool blocks_has_foreign_in(const char* at, uint64_t bytes);
// The current thread takes a block, whose contents must be whole; it waits until it is there. NULL: it was not made, or
// never will be.
void* block_take(unsigned block);
// A block has moved: its first bytes must be what they were.
void block_moved(unsigned old, const void* at);
// The oldest block that is there, behind the first `named` ones; block_count: none.
unsigned block_without_name(unsigned named);
// A block is where the scenario expects it.
void blocks_check_placement(const Scenario* scenario, const Placement* placement);

#endif
