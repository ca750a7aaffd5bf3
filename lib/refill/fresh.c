#include "refill/refill.h"

#include "superslab/superslab.h"

static OwnedSlab create(HakTcb* me, unsigned size_class, SlabNumber s, HakCounter why_not) {
    if (s) return slab_create(me, s, size_class, false);
    tcb_count(me, why_not);
    return (OwnedSlab){0};
}

OwnedSlab refill_fresh(HakTcb* me, unsigned size_class) {
    return create(me, size_class, superslab_take_slab(), HAK_C_early_empty);
}

OwnedSlab refill_superslab(HakTcb* me, unsigned size_class) {
    return create(me, size_class, superslab_make(), HAK_C_early_no_memory);
}
