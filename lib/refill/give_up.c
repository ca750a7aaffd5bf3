#include "refill/give_up.h"

#include "observe/steps.h"
#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/hand_over.h"
#include "slab/own_runs.h"
#include "thread/tls.h"

static void give_up_class(HakTcb* me, unsigned size_class) {
    TinyTLSSlab* tls = &me->tiny[size_class];
    OwnedSlab bound = bound_slab(me, size_class);
    set_bound_slab(me, size_class, 0);
    if (bound.number) slab_give_up(me, bound);
    while (tls->partial) slab_give_up(me, slab_own(me, tls->partial));
    while (tls->full) slab_give_up(me, slab_own(me, tls->full));
    tcb_forget_hints(tls);
}

void give_up_all(HakTcb* me) {
    STEP(E2);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_up_class(me, c);
    while (me->runs) slab_give_up(me, slab_own(me, me->runs));
}

// Ends a TCB that is LEFT as its thread would have, in its name.
static void give_up_left(HakTcb* left) {
    STEP(T5);
    give_back_left_bins(left);
    bundles_flush(left);
    run_cache_flush(left);
    give_up_all(left);
    STEP(T7);
    tcb_give(left);
}

bool give_back_left(uint32_t most) {
    uint32_t count = 0;
    for (HakTcb* left; count < most && (left = tcb_take_left(&hak_tls)) != NULL; count++) give_up_left(left);
    return count != 0;
}
