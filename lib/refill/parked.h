// Parked bins: the bins of a thread that ended, kept in its TCB for the next thread. So threads that come and go pass
// on their blocks without a claim. Giving the blocks back would take a claim for each slab and class, and taking them
// again another.
//
//   TLS of a thread  --bins_park-->  TCB in the pool  --bins_unpark-->  TLS of a later thread
//                                         `--give_back_parked--> the blocks' slabs
//
// For their slabs the blocks stay in use, as in the bin of a thread that sleeps. The memory that waits so is bounded:
// eight TCBs, 256 KiB in each (small blocks first), and in a bin no more blocks than a new bin takes. The time is one
// to two periods, if any thread scans. Before a refill makes a new SuperSlab they are given back.
//
//   parked_blocks == sum over `parked` of cap - room (not while bins_left)
//   both 0: the run cache has its place
//
// Thread-safety: bins_park and bins_unpark: the calling thread, on its own TCB; what others then see of it goes through
// pool_lock.
// Errors: none.
#ifndef HAK_REFILL_PARKED_H
#define HAK_REFILL_PARKED_H

#include "thread/tcb.h"

// At the thread's end, when its run cache is empty. Bins that cannot be parked are given back. All bins are closed
// then.
void bins_park(HakTcb* me);
// At a thread's beginning, when its bins are closed.
void bins_unpark(HakTcb* me);
// In the child of a fork: copies the bins of a thread that does not exist there out of its TLS, which another thread
// will soon use. They are for the thread that gets the TCB.
void bins_leave(HakTcb* tcb);
// Gives the blocks of these bins back instead, in the name of that TCB.
void give_back_left_bins(HakTcb* left);
// Gives back the bins of at most `most` TCBs that have been parked for at least `ms` milliseconds. false: there was
// none.
bool give_back_parked(HakTcb* me, uint64_t ms, uint32_t most);

#endif
