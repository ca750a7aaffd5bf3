// Gives a bin back: its blocks go into their slabs, whoever owns those.
// Thread-safety: the calling thread, on a bin of its own.
// Errors: none.
#ifndef HAK_REFILL_BINS_H
#define HAK_REFILL_BINS_H

#include "thread/tcb.h"

void give_back_bin(HakTcb* me, TlsBin* bin);

#endif
