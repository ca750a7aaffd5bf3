#include "refill/stages.h"

#include "config/options.h"
#include "refill/unsafe_drain.h"
#include "superslab/superslab.h"

enum { PROBES = 64 };

static HakLock gate;

static OwnedSlab registered(HakTcb* me, unsigned size_class) {
    if (!hak_option(ss_adopt) || !registry_has(size_class)) return (OwnedSlab){0};
    ClaimResult result;
    return slab_adopt_registered(me, size_class, PROBES, &result);
}

// An empty slab of another class, which the thread keeps for that class; number 0: there is none.
static OwnedSlab take_spare(HakTcb* me) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        TinyTLSSlab* tls = &me->tiny[c];
        OwnedSlab bound = bound_slab(me, c);
        if (bound.number && meta_used(meta_of(bound)) == 0) {
            set_bound_slab(me, c, 0);
            return bound;
        }
        if (tls->partial && meta_used(peek_own(tls->partial)) == 0) return slab_own(me, tls->partial);
    }
    return (OwnedSlab){0};
}

static OwnedSlab converted_spare(HakTcb* me, unsigned size_class) {
    OwnedSlab spare = take_spare(me);
    if (spare.number == 0) return spare;
    slab_dispose(me, spare);
    bool clean = false;
    SlabNumber s = superslab_take_slab(&clean);
    return s ? slab_create(me, s, size_class, clean) : (OwnedSlab){0};
}

OwnedSlab refill_mmap_gate(HakTcb* me, unsigned size_class) {
    if (!hak_trylock(&gate)) {
        tcb_count(me, HAK_C_early_lock_busy);
        return (OwnedSlab){0};
    }
    OwnedSlab slab = {0};
    if (change_is_missing(CHANGE_mmap_gate)) slab = unsafe_drain_and_bind_any(me, CHANGE_mmap_gate, size_class);
    if (slab.number == 0) slab = registered(me, size_class);
    hak_unlock(&gate);
    if (slab.number == 0) slab = converted_spare(me, size_class);
    if (slab.number == 0) tcb_count(me, HAK_C_early_empty);
    return slab;
}

void mmap_gate_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&gate, fork);
}
