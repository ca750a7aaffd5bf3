#include "refill/parked.h"

#include "config/changes.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "slab/size_class.h"
#include "thread/tls.h"

enum { MOST_BYTES = 256 * 1024 };

// One bin, if its blocks have no more than `budget` bytes. Their bytes.
static uint32_t park(HakTcb* me, unsigned size_class, uint32_t budget) {
    TlsBin* bin = &hak_tls.bin[size_class];
    if (bin_blocks(bin) * size_of_class(size_class) > budget) give_back_bin(me, bin);
    me->parked.bin[size_class] = *bin;
    me->parked.blocks += bin_blocks(bin);
    *bin = (TlsBin){.head = link_encode(NULL)};
    return bin_blocks(&me->parked.bin[size_class]) * size_of_class(size_class);
}

// Not with a change missing: slabs change hands more often then, and the fault comes sooner.
static bool may_park(void) {
    return !some_change_is_missing() && tcb_may_park();
}

void bins_park(HakTcb* me) {
    uint32_t budget = may_park() ? MOST_BYTES : 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) budget -= park(me, c, budget);
    me->parked.since_ms = os_clock_ms();
}

void bins_unpark(HakTcb* me) {
    if (me->parked.blocks == 0) return;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) hak_tls.bin[c] = me->parked.bin[c];
    me->parked.blocks = 0;
}

void give_back_parked(HakTcb* me, uint64_t ms) {
    for (HakTcb* tcb; (tcb = tcb_take_parked(ms)) != NULL;) {
        for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_bin(me, &tcb->parked.bin[c]);
        tcb->parked.blocks = 0;
        tcb_give(tcb);
    }
}
