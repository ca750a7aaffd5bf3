// A slab that a hint or a list names, and that a refill may take from.
// Thread-safety: the calling thread, for itself.
// Errors: number 0, after the reason was counted (early_*).
#ifndef HAK_REFILL_CANDIDATE_H
#define HAK_REFILL_CANDIDATE_H

#include "config/changes.h"
#include "slab/hand_over.h"

// Claims the slab first, and only then looks whether it has blocks. If it has none, it stays the caller's if it was so
// before; a slab just claimed is given up.
OwnedSlab refill_candidate(HakTcb* me, unsigned size_class, SlabNumber s);
// The same for a hint, where one of the six changes decides the order of steps.
OwnedSlab refill_hint(HakTcb* me, Change change, unsigned size_class, SlabNumber s);

#endif
