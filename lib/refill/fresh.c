#include "refill/stages.h"

#include "superslab/superslab.h"

OwnedSlab refill_fresh(HakTcb* me, unsigned size_class) {
    bool clean = false;
    SlabNumber s = superslab_take_slab(&clean);
    if (s) return slab_create(me, s, size_class, clean);
    tcb_count(me, HAK_C_early_empty);
    return (OwnedSlab){0};
}
