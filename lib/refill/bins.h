// A bin goes back: its blocks into their slabs, whoever owns these.
// Thread-safety: the calling thread, on a bin that is its own. Errors: none.
#ifndef HAK_REFILL_BINS_H
#define HAK_REFILL_BINS_H

#include "thread/tcb.h"

void give_back_bin(HakTcb* me, TlsBin* bin);

#endif
