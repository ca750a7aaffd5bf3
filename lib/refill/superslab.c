#include "superslab/superslab.h"

#include "refill/refill.h"

OwnedSlab refill_superslab(HakTcb* me, unsigned size_class) {
    SlabNumber s = superslab_make();
    if (s) return slab_create(me, s, size_class, false);
    tcb_count(me, HAK_C_early_no_memory);
    return (OwnedSlab){0};
}
