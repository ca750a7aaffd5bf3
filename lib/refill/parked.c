#include "refill/parked.h"

#include "observe/steps.h"
#include "os/os.h"
#include "refill/bins.h"
#include "slab/own_runs.h"
#include "superslab/size_class.h"
#include "thread/tls.h"

#include <string.h>

enum { MOST_BYTES = 256 * 1024 };

static void bring_back_run_cache(HakTcb* tcb) {
    tcb->parked_blocks = 0;
    tcb->bins_left = false;
    memset(tcb->run_cache, 0, sizeof tcb->run_cache);
}

// Empties the counted bin of a class: into its bin, if that then has no more than `most` blocks.
static void park_counted(HakTcb* me, unsigned size_class, uint32_t most) {
    TlsBin *bin = &hak_tls.bin[size_class], *counted = counted_bin(size_class);
    if (counted == NULL) return;
    if (bin_blocks(bin) + bin_blocks(counted) <= most)
        bin_join(counted, bin);
    else
        give_back_bin(me, counted);
}

// Parks one bin, if its blocks have at most `budget` bytes; otherwise gives it back. Returns the bytes parked.
static uint32_t park(HakTcb* me, unsigned size_class, uint32_t budget) {
    TlsBin *bin = &hak_tls.bin[size_class], *parked = &me->parked[size_class];
    *parked = bin_empty();
    park_counted(me, size_class, parked->cap);
    if (bin_blocks(bin) > parked->cap || bin_blocks(bin) * size_of_class(size_class) > budget) give_back_bin(me, bin);
    uint32_t blocks = bin_blocks(bin);
    parked->head = bin->head;
    parked->room -= (int32_t)blocks;
    if (blocks == 0) *parked = bin_closed();
    *bin = bin_closed();
    me->parked_blocks += blocks;
    return blocks * size_of_class(size_class);
}

void bins_park(HakTcb* me) {
    STEP(E0);
    bool may = tcb_book_parking();
    uint32_t budget = may ? MOST_BYTES : 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) budget -= park(me, c, budget);
    me->parked_ms = os_clock_ms();
    if (me->parked_blocks) return;
    bring_back_run_cache(me);
    if (may) tcb_cancel_parking();
}

// The thread of a left bin may have been cut off anywhere in a malloc or free: its list is whole, but its count may be
// off by one.
static void count_again(TlsBin* bin) {
    int32_t blocks = 0;
    for (void* block = bin_first(bin); block; block = link_read(block)) blocks++;
    bin->room = (int32_t)bin->cap - blocks;
}

static void count_left(HakTcb* tcb) {
    for (unsigned c = CLASS_FIRST; tcb->bins_left && c < CLASS_COUNT; c++) count_again(&tcb->parked[c]);
}

void bins_unpark(HakTcb* me) {
    if (me->parked_blocks == 0 && !me->bins_left) return;
    STEP(T4);
    count_left(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) hak_tls.bin[c] = me->parked[c];
    bring_back_run_cache(me);
}

// Whether the TLS can be read and still names the TCB. A thread that first allocates in the last round of destructors
// ends unnoticed: its stack, which has its TLS, may be gone or belong to another thread. A thread that was about to
// take the TCB does not name it yet.
static bool had(const HakTls* tls, const HakTcb* tcb) {
    return os_can_read(tls->bin) && os_can_read(&tls->tcb) && tls->tcb == tcb &&
           os_can_read(&tls->counted[CLASS_LAST_TINY - 1]);
}

// A thread that was moving blocks between bins was in an operation, and its TCB is not left.
static void leave_counted(HakTcb* tcb, const HakTls* tls) {
    for (unsigned c = CLASS_FIRST; c <= CLASS_LAST_TINY; c++) {
        TlsBin counted = tls->counted[c - CLASS_FIRST];
        bin_join(&counted, &tcb->parked[c]);
    }
}

void bins_leave(HakTcb* tcb) {
    const HakTls* tls = load_relaxed(&tcb->tls);
    if (tcb->bins_left || tcb->parked_blocks || !had(tls, tcb)) return;
    store_relaxed(&tcb->inside, INSIDE);
    run_cache_flush(tcb);
    memcpy(tcb->parked, tls->bin, sizeof tcb->parked);
    leave_counted(tcb, tls);
    tcb->bins_left = true;
    store_relaxed(&tcb->inside, OUTSIDE);
}

void give_back_left_bins(HakTcb* left) {
    if (left->parked_blocks == 0 && !left->bins_left) return;
    count_left(left);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_bin(left, &left->parked[c]);
    bring_back_run_cache(left);
}

bool give_back_parked(HakTcb* me, uint64_t ms, uint32_t most) {
    uint64_t now = os_clock_ms();
    uint32_t count = 0;
    for (HakTcb* tcb; count < most && (tcb = tcb_take_parked(&hak_tls, now, ms)) != NULL; count++) {
        for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_bin(me, &tcb->parked[c]);
        bring_back_run_cache(tcb);
        tcb_give(tcb);
    }
    return count != 0;
}
