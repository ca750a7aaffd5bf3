#include "refill/stages.h"

#include "refill/candidate.h"

OwnedSlab refill_sticky(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    for (uint32_t i = 1; i <= STICKY_SLABS; i++) {
        SlabNumber s = tls->sticky[(tls->sticky_next - i) % STICKY_SLABS];
        if (s == tls->bound) continue;
        OwnedSlab slab = refill_hint(me, CHANGE_sticky, size_class, s);
        if (slab.number) return slab;
    }
    return (OwnedSlab){0};
}
