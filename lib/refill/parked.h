// The bins of a thread that ended, parked in its control block for the next thread: threads that come and go hand each other their
// blocks without a claim, where giving them back takes one for each slab and class, and taking them again another.
//
//   TLS of a thread  --bins_park-->  control block in the pool  --bins_unpark-->  TLS of a later thread
//                                               `--give_back_parked--> the blocks' slabs
//
// For their slabs the blocks are in use all the while, as in a bin of a thread that sleeps. What may wait so is bounded: eight control
// blocks, 256 KiB in each, small blocks first, no more blocks in a bin than a new one takes; and one to two periods, if any thread looks
// for what rests. Before the heap grows they are given back.
//
//   parked_blocks == sum over `parked` of cap - room; 0: the run cache has its place
//
// Thread-safety: bins_park and bins_unpark: the calling thread, on its own control block; what others then see of it goes through the
// pool's lock. Errors: none.
#ifndef HAK_REFILL_PARKED_H
#define HAK_REFILL_PARKED_H

#include "thread/tcb.h"

// At the thread's end, when its run cache is empty. Bins that cannot be parked are given back; all are closed after it.
void bins_park(HakTcb* me);
// At a thread's beginning, when its bins are closed.
void bins_unpark(HakTcb* me);
// In the child of a fork: the bins of a thread that does not exist there, out of its TLS, which soon serves another one; for the thread
// that goes on with the control block.
void bins_leave(HakTcb* tcb);
// Gives the blocks of these back instead, in the name of that control block.
void give_back_left_bins(HakTcb* left);
// The bins of at most `most` control blocks where they have been parked for `ms` milliseconds or longer. false: there was none.
bool give_back_parked(HakTcb* me, uint64_t ms, uint32_t most);

#endif
