// The quarantine of guard mode: the blocks that a thread freed last, first in, first out. Nobody gets a block while it
// is there, and a write into it is found when it leaves.
//   sum of bytes <= QUARANTINE_BYTES      blocks <= QUARANTINE_BLOCKS
// It belongs to the thread's TCB and goes with that from thread to thread, empty.
// Thread-safety: the thread's own.
// Errors: without memory for a quarantine, no block is kept back.
#ifndef HAK_GUARD_QUARANTINE_H
#define HAK_GUARD_QUARANTINE_H

#include "superslab/guard_record.h"
#include "thread/tcb.h"

enum { QUARANTINE_BLOCKS = 512, QUARANTINE_BYTES = 4 << 20, QUARANTINE_BYTES_EACH = QUARANTINE_BYTES / 4 };

typedef struct {
    void* block;  // NULL: none
    HakGuardRecord* record;
    size_t bytes;
    bool closed;  // nobody can read or write it, so it is not poisoned
} Quarantined;

// One more place than stays: a handler, or the child of a fork, may come after a block was added and before one left.
enum { QUARANTINE_PLACES = QUARANTINE_BLOCKS + 1 };

typedef struct HakQuarantine {
    uint32_t first;  // index of the oldest
    uint32_t count;
    size_t bytes;
    Quarantined place[QUARANTINE_PLACES];
} Quarantine;

HAK_INLINE uint32_t quarantine_index(uint32_t first, uint32_t behind_first) {
    uint32_t i = first + behind_first;
    return i < QUARANTINE_PLACES ? i : i - QUARANTINE_PLACES;
}

// false: the block is too large, or there is no memory or no place for it.
bool quarantine_add(HakTcb* me, Quarantined block);
// Takes the oldest block, if there is one too many or `all` are wanted.
Quarantined quarantine_take(HakTcb* me, bool all);

#endif
