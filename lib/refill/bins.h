// Moves the blocks of bins: into their slabs, whoever owns those; or between the bin of a class and its counted bin.
// Thread-safety: the calling thread, on a bin of its own.
// Errors: none.
#ifndef HAK_REFILL_BINS_H
#define HAK_REFILL_BINS_H

#include "thread/tcb.h"

void give_back_bin(HakTcb* me, TlsBin* bin);
// The same with both bins of a class.
void give_back_bins(HakTcb* me, unsigned size_class);
// Moves the first blocks of `from` to `to`, which is empty: all, or if there are more, `most`, which is at most
// INT32_MAX. Returns how many.
uint32_t bin_split(TlsBin* from, TlsBin* to, uint32_t most);
// Moves all blocks of `from` to the front of `to`.
void bin_join(TlsBin* from, TlsBin* to);

#endif
