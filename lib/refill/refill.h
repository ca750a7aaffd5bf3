// Refill: what a malloc does when its TLS SLL is empty. The stages in their order (stages.h):
//
//   tls_slab   the bound slab, then the thread's other slabs of the class
//   sticky     the last four slabs bound (a hint)
//   hot        the slab that most recently got a block back (a hint)
//   bench      what was hot before (a hint)
//   mailbox    slabs that others have announced (a hint)
//   adopt      slabs without owner, from the registry
//   mmap_gate  the last probe before new memory: more of the registry, one thread at a time; then own spare slabs
//   fresh      an empty slab of an existing SuperSlab
//   superslab  a new SuperSlab
//
// Thread-safety: the calling thread, for itself.
// Errors: count 0 means that there is no memory.
#ifndef HAK_REFILL_REFILL_H
#define HAK_REFILL_REFILL_H

#include "slab/slab.h"

// About `most` (at least 1) blocks of a class, chained; count 0: no memory.
TakenBlocks refill(HakTcb* me, unsigned size_class, uint32_t most);

#endif
