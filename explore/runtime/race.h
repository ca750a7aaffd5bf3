// Data races: two accesses of one byte, one of them a write, one of them not atomic, and neither happens before the
// other. Plain accesses are no points; that is sound because every race is a fault.
//
// Most lines have one user at a time, and are handed on in order: what the former one did happens before all that the
// next one does. For these it is enough to know who used the line last, and when. Others are only read. A line for
// which neither holds becomes exact, in all later runs: every word of eight bytes in it has a cell of four records, one
// for each kind of access that a later one may race with. An access that happened before a plain write of the same
// bytes needs no record any more: what races with it races with the write. If a cell is full, more records are in an
// overflow cell.
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
    uint8_t mask;     // the bytes of the word that both touch
} Race;

extern uint64_t* race_line_users;  // by line: the run's tag | thread:8 | when:16
extern uint64_t race_user;         // what the current access leaves there

enum { USER_THREAD_SHIFT = 16, USER_RUN_SHIFT = 24 };

void race_start(void);
// A run begins.
void race_begin_run(void);
// Another thread runs, or the thread's own number in its clock has changed.
void race_set_user(unsigned thread, uint16_t when);
// An access of the bytes in `mask` of the word at `offset`, a multiple of 8, by a thread whose clock is given.
Race race_access(uint64_t offset, uint8_t mask, unsigned flags, unsigned thread, const Clock* clock);

// Whether the line must be compared word by word. *becomes: it is so from now on.
bool race_line_changes_user(uint64_t line, const Clock* clock, bool* becomes);

// The usual cases, of which nothing need be noted: the line's user goes on as before, or a line is read that all read.
static inline bool race_line_stays(uint64_t line, bool writes) {
    uint8_t state = memory_lines[line];
    if (state & (LINE_IS_EXACT | LINE_IS_READ)) return !writes && (state & LINE_IS_EXACT) == 0;
    return __builtin_expect(race_line_users[line] == race_user, 1) && (!writes || (state & LINE_IS_WRITTEN));
}

static inline bool race_line_is_exact(uint64_t line, bool writes, const Clock* clock, bool* becomes) {
    if (race_line_stays(line, writes)) return false;
    if (memory_lines[line] & LINE_IS_EXACT) return true;
    if (writes) memory_lines[line] |= LINE_IS_WRITTEN;
    return race_line_changes_user(line, clock, becomes);
}

#endif
