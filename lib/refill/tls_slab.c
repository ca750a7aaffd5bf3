#include "refill/refill.h"

OwnedSlab refill_tls_slab(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    ClaimResult result;
    if (HAK_LIKELY(tls->bound)) {
        OwnedSlab slab = slab_claim(me, tls->bound, tag_for(size_class), &result);
        if (slab_has_blocks(slab)) return slab;
    }
    return refill_candidate(me, size_class, tls->partial);
}
