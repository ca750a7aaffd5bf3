#include "refill/refill.h"

#include "superslab/superslab.h"

static OwnedSlab create(HakTcb* me, unsigned size_class, SlabNumber s, bool clean, HakCounter why_not) {
    if (s) return slab_create(me, s, size_class, clean);
    tcb_count(me, why_not);
    return (OwnedSlab){0};
}

OwnedSlab refill_fresh(HakTcb* me, unsigned size_class) {
    bool clean = false;
    SlabNumber s = superslab_take_slab(&clean);
    return create(me, size_class, s, clean, HAK_C_early_empty);
}

OwnedSlab refill_superslab(HakTcb* me, unsigned size_class) {
    bool clean = false;
    SlabNumber s = superslab_make(&clean);
    return create(me, size_class, s, clean, HAK_C_early_no_memory);
}
