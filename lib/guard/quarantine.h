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

// false: the block is too large, or there is no memory or no place for it.
bool quarantine_add(HakTcb* me, Quarantined block);
// Takes the oldest block, if there is one too many or `all` are wanted.
Quarantined quarantine_take(HakTcb* me, bool all);

#endif
