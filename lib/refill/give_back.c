#include "refill/give_back.h"

#include "base/random.h"
#include "config/options.h"
#include "observe/steps.h"
#include "os/os.h"
#include "refill/bins.h"
#include "refill/give_up.h"
#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/hand_over.h"
#include "slab/own_runs.h"
#include "superslab/free_slabs.h"
#include "superslab/purge.h"
#include "thread/link.h"
#include "thread/tls.h"

// --- caches

// Gives back bins, bundles and cached runs. The reserve TCB has no bins: those of the thread that uses it are closed,
// or are part of the operation that it interrupted.
static void give_back_caches(HakTcb* me) {
    bundles_flush(me);
    run_cache_flush(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT && !tcb_is_reserve(me); c++) give_back_bins(me, c);
}

// --- empty slabs

static bool is_empty_by_now(HakTcb* me, OwnedSlab slab) {
    STEP(TRIM);
    slab_absorb(me, slab);
    return meta_used(meta_of(slab)) == 0;
}

// Whether all of the slab's blocks in use wait on its remote stack.
static bool others_emptied(SlabNumber s) {
    uint32_t waiting = remote_count(load_relaxed(remote_word(s)));
    return waiting != 0 && waiting == meta_used(peek_own(s));
}

static void give_back_list(HakTcb* me, SlabNumber first, bool only_emptied) {
    for (SlabNumber s = first, next; s; s = next) {
        next = peek_own(s)->next;
        OwnedSlab slab = slab_own(me, s);
        if ((!only_emptied || others_emptied(s)) && is_empty_by_now(me, slab)) slab_dispose(me, slab);
    }
}

static void give_back_bound_if_empty(HakTcb* me, unsigned size_class) {
    OwnedSlab bound = bound_slab(me, size_class);
    if (bound.number == 0 || !is_empty_by_now(me, bound)) return;
    set_bound_slab(me, size_class, 0);
    slab_dispose(me, bound);
}

static void give_back_empty_of_class(HakTcb* me, unsigned size_class) {
    give_back_list(me, me->tiny[size_class].partial, false);
    give_back_list(me, me->tiny[size_class].full, false);
    give_back_bound_if_empty(me, size_class);
}

// Gives back slabs that the thread keeps although they are empty, and those that others have emptied.
static void give_back_empty_slabs(HakTcb* me) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_empty_of_class(me, c);
    give_back_list(me, me->runs, false);
}

void give_back_all(HakTcb* me) {
    give_back_left(UINT32_MAX);
    give_back_caches(me);
    run_absorb_all(me);
    give_back_parked(me, 0, UINT32_MAX);
    give_back_empty_slabs(me);
}

// --- what is idle

static uint64_t period_ms(void) {
    enum { LEAST = 100 };
    int64_t option = hak_option(purge_ms);
    return option < LEAST ? LEAST : (uint64_t)option;
}

// How much a scan gives back.
typedef enum {
    SCAN_ONLY,    // nothing that may soon be used again: in a small heap, little can be pinned
    SCAN_UNUSED,  // caches that have not changed
    SCAN_ALL,     // all caches and spare slabs
} Scan;

static uint32_t mix_of_bin(const TlsBin* bin) {
    return bin ? (uint32_t)(random_mix(bin->head + (uint32_t)bin->room)) : 0;
}

// It changes, all but surely, with each malloc and free.
static uint32_t mix_of_bins(unsigned size_class) {
    return mix_of_bin(&hak_tls.bin[size_class]) + 3 * mix_of_bin(counted_bin(size_class));
}

static void scan_bin(HakTcb* me, unsigned size_class, Scan scan) {
    TinyTLSSlab* tls = &me->tiny[size_class];
    bool unused = mix_of_bins(size_class) == tls->seen_bins;
    if (scan == SCAN_ALL || (scan == SCAN_UNUSED && unused)) give_back_bins(me, size_class);
    if (scan == SCAN_ALL)
        give_back_empty_of_class(me, size_class);
    else if (unused && tls->seen_binds == (uint8_t)tls->sticky_next) {
        // No refill is likely to find what others freed into these slabs.
        give_back_list(me, tls->full, true);
        give_back_list(me, tls->partial, true);
    }
    tls->seen_binds = (uint8_t)tls->sticky_next;
    tls->seen_bins = mix_of_bins(size_class);
}

static void scan_runs(HakTcb* me, Scan scan) {
    enum { PROBES = 64 };
    bool unused = !me->run_cache_used;
    if (run_may_absorb(me))
        run_absorb_some(me);
    else
        run_absorb_in_turn(me, PROBES);
    if (scan == SCAN_ALL || (scan == SCAN_UNUSED && unused)) run_cache_flush(me);
    if (scan == SCAN_ALL) runs_give_idle_back(me);
    me->run_cache_used = false;
}

static void scan_all(HakTcb* me, Scan scan) {
    bundles_flush(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) scan_bin(me, c, scan);
    scan_runs(me, scan);
}

// Under heap_lock.
static Scan worth(void) {
    enum { SMALL_HEAP_SLABS = 256 };
    return free_slab_totals.taken < SMALL_HEAP_SLABS ? SCAN_ONLY : SCAN_UNUSED;
}

void give_back_unused(HakTcb* me) {
    if (tcb_is_reserve(me)) return;
    hak_lock(&heap_lock);
    Scan scan = worth();
    hak_unlock(&heap_lock);
    give_back_parked(me, 0, UINT32_MAX);
    scan_all(me, scan);
}

// Halves the cap of a bin. If its blocks then exceed the cap, they go back.
static void lower_cap(HakTcb* me, TlsBin* bin) {
    uint32_t cap = bin->cap / 2u < BIN_FIRST_CAP ? BIN_FIRST_CAP : bin->cap / 2u;
    bin->room -= (int32_t)(bin->cap - cap);
    bin->cap = (uint16_t)cap;
    if (bin->batch > cap) bin->batch = (uint16_t)cap;
    if (bin->room < 0) give_back_bin(me, bin);
}

// Does so for the bins that no free found full since the last scan.
static void lower_caps(HakTcb* me) {
    if (hak_option(fast_cap) >= 0) return;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        TinyTLSSlab* tls = &me->tiny[c];
        TlsBin* bin = &hak_tls.bin[c];
        if (bin->cap > BIN_FIRST_CAP && load_relaxed(&tls->overflows) == tls->seen_overflows) lower_cap(me, bin);
        tls->seen_overflows = load_relaxed(&tls->overflows);
    }
}

void give_back_idle(HakTcb* me) {
    if (tcb_is_reserve(me)) return;
    uint64_t now = os_clock_ms();
    if (HAK_LIKELY(now < me->next_scan_ms)) {
        if (run_may_absorb(me)) run_absorb_some(me);
        return;
    }
    uint64_t period = period_ms();
    bool long_ago = me->next_scan_ms != 0 && now - me->next_scan_ms >= period;
    me->next_scan_ms = now + period;
    hak_lock(&heap_lock);
    bool all_idle = purge_is_idle_for(2 * period);
    Scan scan = long_ago ? SCAN_ALL : worth();
    hak_unlock(&heap_lock);
    scan_all(me, scan);
    lower_caps(me);
    if (!give_back_parked(me, 2 * period, UINT32_MAX)) give_back_parked(me, period, 1);
    hak_lock(&heap_lock);
    if (all_idle)
        purge_rest((size_t)hak_option(reserve));
    else
        purge_aged(now);
    hak_unlock(&heap_lock);
}
