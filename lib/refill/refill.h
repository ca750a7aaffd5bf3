// Refill: where a malloc goes that finds its TLS SLL empty. The stages in their order, each a file of the same shape:
//
//   tls_slab   the bound slab, then the thread's other slabs of the class
//   sticky     the last four slabs bound (a hint)
//   hot        the slab that most recently got a block back (a hint)
//   bench      what was hot before (a hint)
//   mailbox    slabs that others have announced (a hint)
//   adopt      slabs without owner, from the registry
//   mmap_gate  the last look before memory is asked for: more of the registry, one thread at a time; the thread's own spare slabs
//   fresh      an empty slab of an existing SuperSlab
//   superslab  a new SuperSlab
//
// A stage gives an owned slab that has blocks, or number 0 after it counted why it missed (early_*).
// Thread-safety: the calling thread, for itself. Errors: number 0 of the last stage means that there is no memory.
#ifndef HAK_REFILL_REFILL_H
#define HAK_REFILL_REFILL_H

#include "config/changes.h"
#include "slab/slab.h"

OwnedSlab refill_tls_slab(HakTcb* me, unsigned size_class);
OwnedSlab refill_sticky(HakTcb* me, unsigned size_class);
OwnedSlab refill_hot(HakTcb* me, unsigned size_class);
OwnedSlab refill_bench(HakTcb* me, unsigned size_class);
OwnedSlab refill_mailbox(HakTcb* me, unsigned size_class);
OwnedSlab refill_adopt(HakTcb* me, unsigned size_class);
OwnedSlab refill_mmap_gate(HakTcb* me, unsigned size_class);
OwnedSlab refill_fresh(HakTcb* me, unsigned size_class);
OwnedSlab refill_superslab(HakTcb* me, unsigned size_class);

// Up to `most` (at least 1) blocks of a class, chained; count 0: no memory.
TakenBlocks refill(HakTcb* me, unsigned size_class, uint32_t most);

// Claims what a hint or list names, if it has blocks; else counts why not.
OwnedSlab refill_candidate(HakTcb* me, unsigned size_class, SlabNumber s);
// The same for a hint whose order of steps is one of the six changes.
OwnedSlab refill_hint(HakTcb* me, Change change, unsigned size_class, SlabNumber s);

// The gate's lock, around a fork.
void mmap_gate_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);

#endif
