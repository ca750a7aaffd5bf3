#include "refill/refill.h"

#include "config/options.h"
#include "observe/ring.h"

enum { LOOK_AT_REGISTERED = 64 };

static HakLock gate;

static OwnedSlab registered(HakTcb* me, unsigned size_class) {
    if (!hak_option(ss_adopt) || !registry_has(size_class)) return (OwnedSlab){0};
    ClaimResult result;
    OwnedSlab slab = slab_adopt_registered(me, size_class, LOOK_AT_REGISTERED, &result);
    if (slab.number) {
        tcb_count(me, HAK_C_adopt_by_refill);
        ring_record(HAK_EVENT_adopt, NULL, slab.number, 2);
    }
    return slab;
}

OwnedSlab refill_mmap_gate(HakTcb* me, unsigned size_class) {
    if (!hak_trylock(&gate)) {
        tcb_count(me, HAK_C_early_lock_busy);
        return (OwnedSlab){0};
    }
    OwnedSlab slab = registered(me, size_class);
    hak_unlock(&gate);
    if (slab.number == 0) tcb_count(me, HAK_C_early_empty);
    return slab;
}

void mmap_gate_lock_take(void) {
    hak_lock(&gate);
}

void mmap_gate_lock_release(void) {
    hak_unlock(&gate);
}

void mmap_gate_after_fork_in_child(void) {
    hak_lock_reset(&gate);
}
