// How a thread gives back what it keeps besides the blocks that the program holds: bins, bundles, cached runs, empty
// slabs. All of it goes when the program asks (hak_trim). All but the bins goes when the thread ends; bins may be
// parked (refill/parked.h). What is idle goes by a scan in the thread's own slow paths, and at its end.
//
//   scan: at most one a period (HAKMEM_PURGE_MS, at least 100 ms), at refills, overflows and large blocks; and before
//         a refill makes a new SuperSlab, where the time since the last scan does not count, and no free memory goes
//
//   a bin, the run cache         goes if it has not changed since the last scan (but not with less than 256 slabs in
//                                use), or if the last scan was two periods ago
//   a bin's cap                  halves if no free found the bin full since the last scan (not before a new SuperSlab)
//   slabs that others emptied    go if the bin has not changed since the last scan, and no slab of the class was bound
//   other empty slabs            go if the last scan was two periods ago; otherwise they stay for the thread's next
//                                refills, or the mmap gate takes them
//   parked bins                  go if they were parked two periods ago; if none were, those of one TCB that were
//                                parked one period ago; all of them before a new SuperSlab
//   free memory                  as superslab/purge.h says; all but the reserved bytes if nobody gave any back for two
//                                periods
//
// The blocks in a bin may pin one slab of 64 KiB each.
// Thread-safety: the calling thread, for itself.
// Errors: none.
#ifndef HAK_REFILL_GIVE_BACK_H
#define HAK_REFILL_GIVE_BACK_H

#include "thread/tcb.h"

// Gives back all that the thread keeps, and all parked bins: when the program asks, or the system has no more memory.
void give_back_all(HakTcb* me);
// A scan before the heap grows: memory that is idle here may serve there.
void give_back_unused(HakTcb* me);
// A scan, if one is due. Otherwise it costs little. Of page runs that others freed it takes in those of one SuperSlab
// at most.
void give_back_idle(HakTcb* me);

#endif
