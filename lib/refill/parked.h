// The bins of a thread that ended, parked in its control block for the next thread: threads that come and go hand each other their
// blocks without a claim, where giving them back takes one for each slab and class, and taking them again another.
//
//   TLS of a thread  --bins_park-->  control block in the pool  --bins_unpark-->  TLS of a later thread
//                                               `--give_back_parked--> the blocks' slabs
//
// For their slabs the blocks are in use all the while, as in a bin of a thread that sleeps. What may wait so is bounded: eight control
// blocks, 256 KiB in each, small blocks first, and one to two periods, if any thread looks for what rests.
// Thread-safety: bins_park and bins_unpark: the calling thread, on its own control block; what others then see of it goes through the
// pool's lock. Errors: none.
#ifndef HAK_REFILL_PARKED_H
#define HAK_REFILL_PARKED_H

#include "thread/tcb.h"

// At the thread's end. Bins that cannot be parked are given back; all are empty after it.
void bins_park(HakTcb* me);
// At a thread's beginning, when its bins are empty.
void bins_unpark(HakTcb* me);
// What was parked at `ms` or before goes back to its slabs.
void give_back_parked(HakTcb* me, uint64_t ms);

#endif
