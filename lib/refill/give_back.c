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
    Effort effort = EFFORT_ALL;
    bundles_flush(me);
    run_cache_flush(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT && !tcb_is_reserve(me); c++) give_back_bins(me, c, &effort);
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

static void give_back_list(HakTcb* me, SlabNumber first, bool only_emptied, Effort* effort) {
    for (SlabNumber s = first, next; s && !effort_ends(effort); s = next) {
        next = peek_own(s)->next;
        OwnedSlab slab = slab_own(me, s);
        if (only_emptied && !others_emptied(s)) continue;
        if (remote_has_blocks(slab)) effort->left -= EFFORT_SLAB;
        if (!is_empty_by_now(me, slab)) continue;
        slab_dispose(me, slab);
        effort->left -= EFFORT_SLAB;
    }
}

static void give_back_bound_if_empty(HakTcb* me, unsigned size_class) {
    OwnedSlab bound = bound_slab(me, size_class);
    if (bound.number == 0 || !is_empty_by_now(me, bound)) return;
    set_bound_slab(me, size_class, 0);
    slab_dispose(me, bound);
}

static void give_back_empty_of_class(HakTcb* me, unsigned size_class, Effort* effort) {
    give_back_list(me, me->tiny[size_class].partial, false, effort);
    give_back_list(me, me->tiny[size_class].full, false, effort);
    give_back_bound_if_empty(me, size_class);
}

// Gives back slabs that the thread keeps although they are empty, and those that others have emptied.
static void give_back_empty_slabs(HakTcb* me) {
    Effort effort = EFFORT_ALL;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_empty_of_class(me, c, &effort);
    give_back_list(me, me->runs, false, &effort);
}

void give_back_all(HakTcb* me) {
    give_back_left(UINT32_MAX);
    give_back_caches(me);
    run_absorb_all(me);
    Effort effort = EFFORT_ALL;
    give_back_parked(me, 0, UINT32_MAX, &effort);
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

// What goes back to the system behind it.
typedef enum {
    FREE_NONE,  // nothing, and nothing else that time decides
    FREE_AGED,  // what was free for long
    FREE_REST,  // nobody gave memory back for two periods: all but the reserved bytes
} ScanFrees;

// Halves the cap of a bin. If its blocks then exceed the cap, they go back.
static void lower_cap(HakTcb* me, TlsBin* bin, Effort* effort) {
    uint32_t cap = bin->cap / 2u < BIN_FIRST_CAP ? BIN_FIRST_CAP : bin->cap / 2u;
    bin->room -= (int32_t)(bin->cap - cap);
    bin->cap = (uint16_t)cap;
    if (bin->batch > cap) bin->batch = (uint16_t)cap;
    if (bin->room < 0) give_back_bin(me, bin, effort);
}

// Does so if no free has found the bin full since the last scan.
static void lower_unused_cap(HakTcb* me, TlsBin* bin, TinyTLSSlab* tls, Effort* effort) {
    if (bin->cap > BIN_FIRST_CAP && load_relaxed(&tls->overflows) == tls->seen_overflows) lower_cap(me, bin, effort);
    tls->seen_overflows = load_relaxed(&tls->overflows);
}

static uint32_t mix_of_bin(const TlsBin* bin) {
    return bin ? (uint32_t)(random_mix(bin->head + (uint32_t)bin->room)) : 0;
}

// It changes, all but surely, with each malloc and free.
static uint32_t mix_of_bins(unsigned size_class) {
    return mix_of_bin(&hak_tls.bin[size_class]) + 3 * mix_of_bin(counted_bin(size_class));
}

// true: nothing is left to do, except what the next scan does.
static bool scan_bin(HakTcb* me, unsigned size_class, Scan scan, Effort* effort) {
    TinyTLSSlab* tls = &me->tiny[size_class];
    bool unused = mix_of_bins(size_class) == tls->seen_bins;
    if (scan == SCAN_ALL || (scan == SCAN_UNUSED && unused)) give_back_bins(me, size_class, effort);
    tls->seen_bins = mix_of_bins(size_class);
    if (effort_ends(effort)) return false;
    if (scan == SCAN_ALL)
        give_back_empty_of_class(me, size_class, effort);
    else if (unused && tls->seen_binds == (uint8_t)tls->sticky_next) {
        // No refill is likely to find what others freed into these slabs.
        give_back_list(me, tls->full, true, effort);
        give_back_list(me, tls->partial, true, effort);
    }
    if (effort_ends(effort)) return false;
    tls->seen_binds = (uint8_t)tls->sticky_next;
    return true;
}

static bool scan_class(HakTcb* me, unsigned size_class, Effort* effort) {
    if (!scan_bin(me, size_class, (Scan)me->scan_kind, effort)) return false;
    if (me->scan_frees && hak_option(fast_cap) < 0)
        lower_unused_cap(me, &hak_tls.bin[size_class], &me->tiny[size_class], effort);
    return true;
}

// true: none is left in the cache.
static bool flush_runs(HakTcb* me, Effort* effort) {
    bool all = false;
    while (!all && effort_takes(effort, EFFORT_RUN)) all = run_cache_flush_few(me, 1);
    return all;
}

static bool scan_runs(HakTcb* me, Effort* effort) {
    enum { PROBES = 64 };
    bool all = me->scan_kind == SCAN_ALL, unused = me->scan_kind == SCAN_UNUSED && !me->run_cache_used;
    if (run_may_absorb(me))
        run_absorb_some(me);
    else
        run_absorb_in_turn(me, PROBES);
    if ((all || unused) && !flush_runs(me, effort)) return false;
    if (all) runs_give_idle_back(me);
    me->run_cache_used = false;
    return true;
}

static bool scan_parked(HakTcb* me, Effort* effort) {
    uint64_t period = period_ms();
    if (!give_back_parked(me, 2 * period, UINT32_MAX, effort)) give_back_parked(me, period, 1, effort);
    return !effort_ends(effort);
}

static bool scan_free(const HakTcb* me, const Effort* effort) {
    size_t reserve = (size_t)hak_option(reserve);
    bool all = true;
    hak_lock(&heap_lock);
    if (me->scan_frees == FREE_AGED)
        purge_aged(os_clock_ms());
    else if (effort_is_all(effort))
        purge_rest(reserve);
    else
        all = purge_rest_some(reserve);
    hak_unlock(&heap_lock);
    return all;
}

// --- a scan

// The steps of a scan: parked bins, which nobody else may look at for long; each class; what is behind the last one.
enum { SCAN_RUNS = CLASS_COUNT, SCAN_FREE, SCAN_END, SCAN_PARKED };

// A step of the scan under way. true: the next step may follow.
static bool scan_step(HakTcb* me, Effort* effort) {
    switch (me->scan_at) {
    case SCAN_RUNS: return effort_takes(effort, EFFORT_ABSORB) && scan_runs(me, effort);
    case SCAN_PARKED: return !me->scan_frees || scan_parked(me, effort);
    case SCAN_FREE: return !me->scan_frees || (effort_takes(effort, EFFORT_PURGE) && scan_free(me, effort));
    default: return effort_takes(effort, EFFORT_CLASS) && scan_class(me, me->scan_at, effort);
    }
}

static void begin_scan(HakTcb* me, Scan scan, ScanFrees frees) {
    bundles_flush(me);
    me->scan_kind = (uint8_t)scan;
    me->scan_frees = (uint8_t)frees;
    me->scan_at = SCAN_PARKED;
}

// Goes on with the scan under way, as far as the effort goes.
static void go_on(HakTcb* me, Effort* effort) {
    me->scan_ticks = me->ticks;
    while (me->scan_at != 0 && !effort_ends(effort) && scan_step(me, effort)) {
        me->scan_at = me->scan_at == SCAN_PARKED ? CLASS_FIRST : me->scan_at + 1;
        if (me->scan_at == SCAN_END) me->scan_at = 0;
    }
}

// Under heap_lock.
static Scan worth(void) {
    enum { SMALL_HEAP_SLABS = 256 };
    return free_slab_totals.taken < SMALL_HEAP_SLABS ? SCAN_ONLY : SCAN_UNUSED;
}

void give_back_unused(HakTcb* me) {
    Effort effort = {EFFORT_OF_CALL};
    if (tcb_is_reserve(me) || me->scan_ticks == me->ticks) return;  // this refill has done its part
    hak_lock(&heap_lock);
    Scan scan = worth();
    hak_unlock(&heap_lock);
    if (me->scan_at == 0) begin_scan(me, scan, FREE_NONE);
    give_back_parked(me, 0, UINT32_MAX, &effort);
    go_on(me, &effort);
}

// Where the thread and all others have rested, one call gives back all there is: the program may rest again after it.
static Effort begin_due(HakTcb* me, uint64_t now, Effort effort) {
    uint64_t period = period_ms();
    bool long_ago = me->next_scan_ms != 0 && now - me->next_scan_ms >= period;
    me->next_scan_ms = now + period;
    hak_lock(&heap_lock);
    bool all_idle = purge_is_idle_for(2 * period);
    Scan scan = long_ago ? SCAN_ALL : worth();
    hak_unlock(&heap_lock);
    begin_scan(me, scan, all_idle ? FREE_REST : FREE_AGED);
    return long_ago && all_idle ? EFFORT_ALL : effort;
}

static void scan_if_due(HakTcb* me, Effort effort) {
    if (tcb_is_reserve(me)) return;
    uint64_t now = os_clock_ms();
    if (me->scan_at == 0 && HAK_LIKELY(now < me->next_scan_ms)) {
        if (run_may_absorb(me)) run_absorb_some(me);
        return;
    }
    if (me->scan_at == 0 || now >= me->next_scan_ms + period_ms()) effort = begin_due(me, now, effort);
    go_on(me, &effort);
}

void give_back_idle(HakTcb* me) {
    scan_if_due(me, (Effort){EFFORT_OF_CALL});
}

void give_back_idle_at_end(HakTcb* me) {
    scan_if_due(me, EFFORT_ALL);
}
