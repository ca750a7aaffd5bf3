// Gives a bin back: its blocks go into their slabs, whoever owns those. The bin is whole after each slab.
// Thread-safety: the calling thread, on a bin of its own.
// Errors: none.
#ifndef HAK_REFILL_BINS_H
#define HAK_REFILL_BINS_H

#include "refill/effort.h"
#include "thread/tcb.h"

// Whether all blocks went; false: the effort came to its end.
bool give_back_bin(HakTcb* me, TlsBin* bin, Effort* effort);

#endif
