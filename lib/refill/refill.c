#include "refill/refill.h"

#include "observe/ring.h"
#include "observe/steps.h"
#include "refill/give_back.h"
#include "refill/stages.h"
#include "refill/unsafe_drain.h"
#include "slab/bundle.h"

enum { FLUSH_EVERY = 64 };

typedef struct {
    OwnedSlab (*find)(HakTcb* me, unsigned size_class);
    HakCounter tried, hit;
} Stage;

static const Stage stages[] = {
    {refill_tls_slab, HAK_C_tls_slab_tried, HAK_C_tls_slab_hit},
    {refill_sticky, HAK_C_sticky_tried, HAK_C_sticky_hit},
    {refill_hot, HAK_C_hot_tried, HAK_C_hot_hit},
    {refill_bench, HAK_C_bench_tried, HAK_C_bench_hit},
    {refill_mailbox, HAK_C_mailbox_tried, HAK_C_mailbox_hit},
    {refill_adopt, HAK_C_adopt_tried, HAK_C_adopt_hit},
    {refill_mmap_gate, HAK_C_mmap_gate_tried, HAK_C_mmap_gate_hit},
    {refill_fresh, HAK_C_fresh_tried, HAK_C_fresh_hit},
    {refill_superslab, HAK_C_superslab_tried, HAK_C_superslab_hit},
};

// Makes the slab the one that refills take from. The slab bound before is set aside.
static void bind(HakTcb* me, unsigned size_class, OwnedSlab slab) {
    TinyTLSSlab* tls = &me->tiny[size_class];
    if (tls->bound == slab.number) return;
    OwnedSlab former = bound_slab(me, size_class);
    STEP(BIND);
    set_bound_slab(me, size_class, slab.number);
    slab_place(me, slab, PLACE_BOUND);
    tls->sticky[tls->sticky_next++ % STICKY_SLABS] = slab.number;
    if (former.number == 0) return;
    slab_set_aside(me, former);
}

static void tick(HakTcb* me) {
    if (++me->ticks % FLUSH_EVERY != 0 || tcb_is_reserve(me)) return;
    bundles_flush(me);
    give_back_idle(me);
}

TakenBlocks refill(HakTcb* me, unsigned size_class, uint32_t most) {
    tick(me);
    if (change_is_missing(CHANGE_alloc_superslab)) unsafe_drain_superslab(me, CHANGE_alloc_superslab, size_class);
    for (unsigned i = 0; i < sizeof stages / sizeof *stages; i++) {
        tcb_count(me, stages[i].tried);
        OwnedSlab slab = stages[i].find(me, size_class);
        if (slab.number == 0) continue;
        tcb_count(me, stages[i].hit);
        ring_record(HAK_EVENT_refill, NULL, slab.number, size_class | (uint64_t)i << 16);
        bind(me, size_class, slab);
        return slab_take(me, slab, most);
    }
    return (TakenBlocks){NULL, 0, false};
}
