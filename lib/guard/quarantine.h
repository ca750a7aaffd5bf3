// The quarantine of guard mode: what a thread freed last, first in, first out. As long as a block is there, nobody gets it, and a
// write into it is found when it leaves.
//   sum of bytes <= QUARANTINE_BYTES      blocks <= QUARANTINE_BLOCKS
// It belongs to the thread's control block and goes with it from thread to thread, empty.
// Thread-safety: the thread's own. Errors: without memory for one nothing is kept back.
#ifndef HAK_GUARD_QUARANTINE_H
#define HAK_GUARD_QUARANTINE_H

#include "superslab/guard_record.h"
#include "thread/tcb.h"

enum { QUARANTINE_BLOCKS = 512, QUARANTINE_BYTES = 4 << 20, QUARANTINE_BYTES_EACH = QUARANTINE_BYTES / 4 };

typedef struct {
    void* block;  // NULL: none
    HakGuardRecord* record;
    size_t bytes;
} Quarantined;

// false: the block does not go in, for its size, or for want of memory or of a place.
bool quarantine_add(HakTcb* me, Quarantined block);
// The oldest block, if there is one too many or `all` are wanted.
Quarantined quarantine_take(HakTcb* me, bool all);

#endif
