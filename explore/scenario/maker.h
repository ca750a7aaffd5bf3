// What random scenarios are made with: a stream of random numbers, and who makes and takes which block.
// A thread takes only blocks that an operation made earlier makes, and each block is taken once. So there is always a
// way to the end.
// Thread-safety: none needed.
// Errors: none; what does not fit is left out.
#ifndef EXPLORE_SCENARIO_MAKER_H
#define EXPLORE_SCENARIO_MAKER_H

#include "scenario/scenario.h"

enum { IN_SETUP = 0x80 };  // of a block's maker: the thread's setup makes it

typedef struct {
    uint64_t stream;
    Scenario* scenario;
    uint8_t maker[BLOCKS_MOST];  // thread, with IN_SETUP or without
    bool taken[BLOCKS_MOST];
    bool alone[THREADS_MOST];  // has forked: it takes what its program makes, or a setup, because others may be missing
} Maker;

uint32_t maker_below(Maker* m, uint32_t n);
// A new name; BLOCKS_MOST, which is none, if there is no name left.
uint8_t maker_block(Maker* m, unsigned maker);
// A block that nobody takes yet, taken by the thread; preferably another one's. BLOCKS_MOST: it found none.
uint8_t maker_take(Maker* m, unsigned thread);
// Whether there is room for another operation of a thread, or of the setup.
bool maker_has_room(const Maker* m, unsigned thread);
bool maker_setup_has_room(const Maker* m);
void maker_setup(Maker* m, Op op);
void maker_op(Maker* m, unsigned thread, Op op);

// The shapes. All threads of the scenario and its name are there; they make the rest.
void make_contested(Maker* m);  // slabs that are nearly full
void make_mixed(Maker* m);      // blocks of all sizes, births, ends, forks, failing calls, options

#endif
