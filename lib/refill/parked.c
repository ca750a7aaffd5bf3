#include "refill/parked.h"

#include "config/changes.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "slab/size_class.h"
#include "thread/tls.h"

#include <string.h>

enum { MOST_BYTES = 256 * 1024 };

static void bring_back_run_cache(HakTcb* tcb) {
    tcb->parked_blocks = 0;
    memset(tcb->run_cache, 0, sizeof tcb->run_cache);
}

// One bin, if its blocks have no more than `budget` bytes. Their bytes.
static uint32_t park(HakTcb* me, unsigned size_class, uint32_t budget) {
    TlsBin *bin = &hak_tls.bin[size_class], *parked = &me->parked[size_class];
    *parked = bin_empty();
    if (bin_blocks(bin) > parked->cap || bin_blocks(bin) * size_of_class(size_class) > budget) give_back_bin(me, bin);
    uint32_t blocks = bin_blocks(bin);
    parked->head = bin->head;
    parked->room -= (int32_t)blocks;
    if (blocks == 0) *parked = bin_closed();
    *bin = bin_closed();
    me->parked_blocks += blocks;
    return blocks * size_of_class(size_class);
}

// Not with a change missing: slabs change hands more often then, and the fault comes sooner.
static bool may_park(void) {
    return !some_change_is_missing() && tcb_book_parking();
}

void bins_park(HakTcb* me) {
    bool may = may_park();
    uint32_t budget = may ? MOST_BYTES : 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) budget -= park(me, c, budget);
    me->parked_ms = os_clock_ms();
    if (me->parked_blocks) return;
    bring_back_run_cache(me);
    if (may) tcb_cancel_parking();
}

void bins_unpark(HakTcb* me) {
    if (me->parked_blocks == 0) return;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) hak_tls.bin[c] = me->parked[c];
    bring_back_run_cache(me);
}

bool give_back_parked(HakTcb* me, uint64_t ms, uint32_t most) {
    uint64_t now = os_clock_ms();
    uint32_t count = 0;
    for (HakTcb* tcb; count < most && (tcb = tcb_take_parked(now, ms)) != NULL; count++) {
        for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_bin(me, &tcb->parked[c]);
        bring_back_run_cache(tcb);
        tcb_give(tcb);
    }
    return count != 0;
}
