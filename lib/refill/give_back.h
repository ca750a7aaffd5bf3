// What a thread keeps besides the blocks that the program holds, and how it goes back: bins, bundles, cached runs, empty slabs. All of it
// when the program asks (hak_trim); when the thread ends, but for the bins, which may be parked (refill/parked.h); what rests, by a look
// now and then in the thread's own slow paths, and at its end.
//
//   look: at most one a period (HAKMEM_PURGE_MS, 100 ms at least), at refills, overflows and large blocks; and before each new SuperSlab
//   a bin, the cache of runs     goes if nothing has changed in it since the last look (not with less than 256 slabs in use), or if the
//                                last look was two periods ago
//   a bin's cap                  halves if no free found the bin full since the last look (not before a new SuperSlab)
//   slabs that others emptied    go if nothing has changed in the bin, and no slab of the class was bound, since the last look
//   other empty slabs            go if the last look was two periods ago: else they serve the next phase, or the mmap gate takes them
//   parked bins                  go if they were parked two periods ago; those of one control block if it was one; all before a new SuperSlab
//   free memory                  as superslab/purge.h says; all but the reserve if nobody gave any back for two periods
//
// A few blocks in a bin may pin many slabs: one each, of 64 KiB.
// Thread-safety: the calling thread, for itself. Errors: none.
#ifndef HAK_REFILL_GIVE_BACK_H
#define HAK_REFILL_GIVE_BACK_H

#include "thread/tcb.h"

// All that the thread keeps, and all parked bins: when the program asks, or memory has ended.
void give_back_all(HakTcb* me);
// A look, before the heap grows: what serves nothing here may serve there.
void give_back_unused(HakTcb* me);
// A look, where one is due. Inexpensive where none is.
void give_back_idle(HakTcb* me);

#endif
