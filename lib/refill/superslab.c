#include "superslab/superslab.h"

#include "refill/give_back.h"
#include "refill/refill.h"

OwnedSlab refill_superslab(HakTcb* me, unsigned size_class) {
    give_back_unused(me);
    bool clean = false;
    SlabNumber s = superslab_take_slab(&clean);
    if (s == 0) s = superslab_make(&clean);
    if (s) return slab_create(me, s, size_class, clean);
    tcb_count(me, HAK_C_early_no_memory);
    return refill_tls_slab(me, size_class);  // which the look may have given blocks
}
