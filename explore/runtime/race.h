// Data races: two accesses of one byte, one of them a write, one of them not atomic, and neither happens before the
// other. Plain accesses are no points; that is sound because every race is a fault.
//
// Every tracked word of eight bytes has a cell of four records, one for each kind of access that a later one may race
// with. An access that happened before a plain write of the same bytes needs no record of its own any more: what races
// with it races with the write. If a cell is full, more records are in an overflow cell.
// Source: FastTrack (C. Flanagan, S. N. Freund, PLDI 2009), with bytes and atomics as in ThreadSanitizer.
//
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_RACE_H
#define EXPLORE_RUNTIME_RACE_H

#include "runtime/clock.h"
#include "runtime/memory.h"

enum { ACCESS_WRITE = 1, ACCESS_ATOMIC = 2 };

typedef struct {
    bool found;
    uint8_t thread;   // of the earlier access
    uint8_t earlier;  // its flags
} Race;

void race_start(void);
// A run begins.
void race_begin_run(void);
// An access of the bytes in `mask` of the word at `offset`, a multiple of 8, by a thread whose clock is given.
Race race_access(uint64_t offset, uint8_t mask, unsigned flags, unsigned thread, const Clock* clock);

#endif
