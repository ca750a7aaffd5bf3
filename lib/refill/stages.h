// The stages of a refill, each in the file of its name. A stage returns an owned slab that has blocks. Otherwise it
// counts the reason (early_*) and returns number 0. The sticky stage skips the bound slab and counts nothing for it.
// refill.h has their order.
// Thread-safety: the calling thread, for itself.
// Errors: number 0.
#ifndef HAK_REFILL_STAGES_H
#define HAK_REFILL_STAGES_H

#include "slab/hand_over.h"

OwnedSlab refill_tls_slab(HakTcb* me, unsigned size_class);
OwnedSlab refill_sticky(HakTcb* me, unsigned size_class);
OwnedSlab refill_hot(HakTcb* me, unsigned size_class);
OwnedSlab refill_bench(HakTcb* me, unsigned size_class);
OwnedSlab refill_mailbox(HakTcb* me, unsigned size_class);
OwnedSlab refill_adopt(HakTcb* me, unsigned size_class);
OwnedSlab refill_mmap_gate(HakTcb* me, unsigned size_class);
OwnedSlab refill_fresh(HakTcb* me, unsigned size_class);
OwnedSlab refill_superslab(HakTcb* me, unsigned size_class);

// Around a fork: applies `step` to the gate's lock.
void mmap_gate_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);

#endif
