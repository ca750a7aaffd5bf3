#include "refill/give_up.h"

#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/run.h"
#include "slab/slab.h"
#include "thread/tls.h"

static void give_up(HakTcb* me, SlabNumber s, uint64_t tag) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, s, tag, &result);
    if (HAK_CHECKED && slab.number == 0) return;  // bound by a missing change, though another thread owns it
    slab_place(me, slab, PLACE_NONE);
    if (!slab_publish(me, slab)) slab_dispose(me, slab);
}

void give_up_all(HakTcb* me) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        TinyTLSSlab* tls = &me->tiny[c];
        uint64_t tag = tag_of_class(c);
        if (tls->bound) give_up(me, tls->bound, tag);
        tls->bound = 0;
        while (tls->partial) give_up(me, tls->partial, tag);
        while (tls->full) give_up(me, tls->full, tag);
        if (!HAK_CHECKED) {
            tls->hot = tls->bench = 0;
            for (int i = 0; i < STICKY_SLABS; i++) tls->sticky[i] = 0;
        }
    }
    for (int b = 0; b < RUN_BUCKETS; b++)
        while (me->runs[b]) give_up(me, me->runs[b], TAG_RUNS);
}

// In the name of the thread that left it, as at its end.
static void give_up_left(HakTcb* left) {
    give_back_left_bins(left);
    bundles_flush(left);
    run_cache_flush(left);
    give_up_all(left);
    tcb_give(left);
}

bool give_back_left(uint32_t most) {
    uint32_t count = 0;
    for (HakTcb* left; count < most && (left = tcb_take_left(&hak_tls)) != NULL; count++) give_up_left(left);
    return count != 0;
}
