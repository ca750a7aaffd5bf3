#include "refill/give_back.h"

#include "config/options.h"
#include "os/os.h"
#include "refill/give_up.h"
#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/run.h"
#include "slab/slab.h"
#include "superslab/purge.h"
#include "superslab/free_slabs.h"
#include "thread/link.h"
#include "thread/tls.h"

// --- caches

// The blocks of a list that stand together in one slab: neighbours in a list often are, as they came from one refill.
static void* cut_same_slab(void* first, void** last, uint32_t* count) {
    SlabNumber s = (SlabNumber)slab_number_of(first);
    void* next = link_read(first);
    *last = first;
    for (*count = 1; next && slab_number_of(next) == s; ++*count) {
        *last = next;
        next = link_read(next);
    }
    return next;
}

void give_back_bin(HakTcb* me, TlsBin* bin) {
    void* first = bin_first(bin);
    if (first == NULL) return;
    bin->head = link_encode(NULL);
    bin->room = (int32_t)bin->cap;
    while (first) {
        SlabNumber s = (SlabNumber)slab_number_of(first);
        void* last;
        uint32_t count;
        void* next = cut_same_slab(first, &last, &count);
        remote_free(me, s, first, last, count);
        first = next;
    }
}

// Bins, bundles and cached runs. The reserve has no bins: those of the thread that uses it are closed, or stand in the middle of an
// operation.
static void give_back_caches(HakTcb* me) {
    bundles_flush(me);
    run_cache_flush(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT && !tcb_is_reserve(me); c++) give_back_bin(me, &hak_tls.bin[c]);
}

// --- empty slabs

static void give_back_if_empty(HakTcb* me, SlabNumber s, unsigned size_class) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, s, tag_for(size_class), &result);
    if (HAK_CHECKED && slab.number == 0) return;  // bound by a missing change, though another thread owns it
    slab_absorb(me, slab);
    if (meta_used(meta_of(slab)) != 0) return;
    if (size_class && me->tiny[size_class].bound == s) me->tiny[size_class].bound = 0;
    slab_dispose(me, slab);
}

// All of its blocks in use wait on its remote stack.
static bool others_emptied(SlabNumber s) {
    uint32_t waiting = remote_count(load_relaxed(remote_word(s)));
    return waiting != 0 && waiting == meta_used(&hak_heap.meta[s]);
}

static void give_back_list(HakTcb* me, SlabNumber first, unsigned size_class, bool only_emptied) {
    for (SlabNumber s = first, next; s; s = next) {
        next = hak_heap.meta[s].next;
        if (!only_emptied || others_emptied(s)) give_back_if_empty(me, s, size_class);
    }
}

static void give_back_empty_of_class(HakTcb* me, unsigned size_class) {
    give_back_list(me, me->tiny[size_class].partial, size_class, false);
    give_back_list(me, me->tiny[size_class].full, size_class, false);
    if (me->tiny[size_class].bound) give_back_if_empty(me, me->tiny[size_class].bound, size_class);
}

static void give_back_empty_runs(HakTcb* me) {
    for (int b = 0; b < RUN_BUCKETS; b++) give_back_list(me, me->runs[b], 0, false);
}

// Slabs that the thread keeps although they are empty, or that others have emptied.
static void give_back_empty_slabs(HakTcb* me) {
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) give_back_empty_of_class(me, c);
    give_back_empty_runs(me);
}

void give_back_all(HakTcb* me) {
    give_back_left(UINT32_MAX);
    give_back_caches(me);
    run_absorb(me, UINT32_MAX);
    give_back_parked(me, 0, UINT32_MAX);
    give_back_empty_slabs(me);
}

// --- what rests

static uint64_t period_ms(void) {
    enum { LEAST = 100 };
    int64_t option = hak_option(purge_ms);
    return option < LEAST ? LEAST : (uint64_t)option;
}

// How much a look gives back.
typedef enum {
    LOOK_ONLY,    // nothing of what may serve again: a small heap has little that could be pinned
    LOOK_UNUSED,  // caches that have not changed
    LOOK_RESTED,  // all caches and spare slabs
} Look;

static void look_at_bin(HakTcb* me, unsigned size_class, Look look) {
    TlsBin* bin = &hak_tls.bin[size_class];
    TinyTLSSlab* tls = &me->tiny[size_class];
    bool unused = bin->head == tls->seen_head && bin->room == tls->seen_room;
    if (look == LOOK_RESTED || (look == LOOK_UNUSED && unused)) give_back_bin(me, bin);
    if (look == LOOK_RESTED)
        give_back_empty_of_class(me, size_class);
    else if (unused && tls->seen_binds == (uint8_t)tls->sticky_next) {
        // No refill is likely to find what others freed there.
        give_back_list(me, tls->full, size_class, true);
        give_back_list(me, tls->partial, size_class, true);
    }
    tls->seen_binds = (uint8_t)tls->sticky_next;
    tls->seen_head = bin->head;
    tls->seen_room = bin->room;
}

static void look_at_runs(HakTcb* me, Look look) {
    enum { LOOK_AT = 64 };
    run_absorb(me, LOOK_AT);
    bool unused = me->runs_used == me->seen_runs_used;
    if (look == LOOK_RESTED || (look == LOOK_UNUSED && unused)) run_cache_flush(me);
    if (look == LOOK_RESTED) give_back_empty_runs(me);
    me->seen_runs_used = me->runs_used;
}

static void look_at_all(HakTcb* me, Look look) {
    bundles_flush(me);
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) look_at_bin(me, c, look);
    look_at_runs(me, look);
}

// Under heap_lock.
static Look worth(void) {
    enum { SMALL_HEAP_SLABS = 256 };
    return free_slab_totals.taken < SMALL_HEAP_SLABS ? LOOK_ONLY : LOOK_UNUSED;
}

void give_back_unused(HakTcb* me) {
    if (tcb_is_reserve(me)) return;
    hak_lock(&heap_lock);
    Look look = worth();
    hak_unlock(&heap_lock);
    give_back_parked(me, 0, UINT32_MAX);
    look_at_all(me, look);
}

// Half of the places; blocks that then have none go.
static void lower_cap(HakTcb* me, TlsBin* bin) {
    uint32_t cap = bin->cap / 2u < BIN_FIRST_CAP ? BIN_FIRST_CAP : bin->cap / 2u;
    bin->room -= (int32_t)(bin->cap - cap);
    bin->cap = (uint16_t)cap;
    if (bin->batch > cap) bin->batch = (uint16_t)cap;
    if (bin->room < 0) give_back_bin(me, bin);
}

// Of the bins that no free found full for a period.
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
    if (HAK_LIKELY(now < me->next_look_ms)) return;
    uint64_t period = period_ms();
    bool rested = me->next_look_ms != 0 && now - me->next_look_ms >= period;
    me->next_look_ms = now + period;
    hak_lock(&heap_lock);
    bool all_rested = purge_rested(2 * period);
    Look look = rested ? LOOK_RESTED : worth();
    hak_unlock(&heap_lock);
    look_at_all(me, look);
    lower_caps(me);
    if (!give_back_parked(me, 2 * period, UINT32_MAX)) give_back_parked(me, period, 1);
    hak_lock(&heap_lock);
    if (all_rested)
        purge_rest((size_t)hak_option(reserve));
    else
        purge_aged(now);
    hak_unlock(&heap_lock);
}
