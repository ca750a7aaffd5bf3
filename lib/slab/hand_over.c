#include "slab/hand_over.h"

#include "observe/ring.h"
#include "observe/steps.h"
#include "slab/free_runs.h"
#include "slab/mailbox.h"
#include "superslab/guard_record.h"
#include "superslab/superslab.h"

static bool is_runs(OwnedSlab slab) {
    return meta_of(slab)->size_class == CLASS_OF_RUNS;
}

static void place(HakTcb* me, OwnedSlab slab, SlabPlace where) {
    if (is_runs(slab))
        runs_place(me, runs_of(slab), where);
    else
        slab_place(me, slab, where);
}

// --- begin, end

OwnedSlab slab_create(HakTcb* me, SlabNumber s, unsigned size_class, bool clean) {
    STEP(F2);
    slab_init(s, size_class, clean);
    guard_slab_made(s, size_of_class(size_class));
    return slab_begin(me, s, tag_of_class(size_class));
}

OwnedRuns runs_create(HakTcb* me, SlabNumber s, bool clean) {
    runs_init(s, clean);
    guard_slab_made(s, 0);
    return runs_of(slab_begin(me, s, TAG_RUNS));
}

void slab_dispose(HakTcb* me, OwnedSlab slab) {
    bool runs = is_runs(slab);
    place(me, slab, PLACE_NONE);
    if (runs) slab_words_of_rest(slab.number, WORD_NOT_A_SLAB);
    slab_end(slab);
    STEP(L1);
    if (runs)
        superslab_give_runs(run_pages_of(slab.number));
    else
        superslab_give_slab(slab.number);
}

// --- publish

void slab_absorb(HakTcb* me, OwnedSlab slab) {
    RemoteBlocks remote = remote_drain(me, slab);
    if (remote.count == 0) return;
    if (is_runs(slab))
        runs_free_chain(me, runs_of(slab), remote.first);
    else
        slab_merge(me, slab, remote);
    if (meta_of(slab)->where == PLACE_FULL) slab_place(me, slab, PLACE_PARTIAL);
}

static bool has_space(OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    if (is_runs(slab)) return runs_has_space(runs_of(slab));
    return meta_free(meta) || load_relaxed(&meta->carved) < meta->capacity;
}

bool slab_publish(HakTcb* me, OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    unsigned size_class = meta->size_class;
    SlabNumber s = slab.number;
    if (HAK_CHECKED && is_runs(slab) && runs_cached(runs_of(slab)))
        fatal("run_cache", "publish", "slab %u: %u pages are cached", s, runs_cached(runs_of(slab)));
    do {
        STEP(A1);
        slab_absorb(me, slab);
        STEP(A2);
        if (meta_used(meta) == 0) {
            STEP(A2u);
            registry_set(slab, false);
            return false;
        }
        // Still owned: an adopter that finds it in the registry is refused and leaves it there.
        STEP(A3);
        if (has_space(slab)) registry_set(slab, true);
    } while (!slab_stop_pushes(slab));  // it fails if a push came first
    ring_record(HAK_EVENT_publish, NULL, s, size_class);
    tcb_count(me, meta->in_registry ? HAK_C_publish : HAK_C_publish_full);
    slab_disown(slab, tag_for(size_class));
    return true;
}

// --- given up

void slab_give_up(HakTcb* me, OwnedSlab slab) {
    place(me, slab, PLACE_NONE);
    if (!slab_publish(me, slab)) slab_dispose(me, slab);
}

void slab_give_up_full(HakTcb* me, OwnedSlab slab) {
    STEP(GU);
    slab_place(me, slab, PLACE_NONE);
    if (slab_has_blocks(slab))
        slab_place(me, slab, PLACE_PARTIAL);
    else
        slab_give_up(me, slab);
}

// Keeps a full slab of large blocks, because what others free into it comes back to its owner, and is in the owner's
// caches if the others only passed it on. Up to four full slabs of a class are kept; for one more, the one kept longest
// is given up. Small blocks are not worth a way from thread to thread.
void slab_set_aside(HakTcb* me, OwnedSlab slab) {
    STEP(SA);
    if (meta_of(slab)->block_size < KEPT_FULL_BYTES || slab_has_blocks(slab)) {
        slab_give_up_full(me, slab);
        return;
    }
    const TinyTLSSlab* tls = &me->tiny[meta_of(slab)->size_class];
    slab_place(me, slab, PLACE_FULL);
    if (tls->full_count > KEPT_FULL) slab_give_up_full(me, slab_own(me, tls->full_last));
}

// Gives up a slab for others, who find it in the registry or the mailbox.
static void evict(HakTcb* me, OwnedSlab slab) {
    SlabNumber s = slab.number;
    unsigned size_class = meta_of(slab)->size_class;
    bool runs = is_runs(slab);
    STEP(EV);
    if (runs) run_cache_drop(me, runs_of(slab));
    place(me, slab, PLACE_NONE);
    if (!slab_publish(me, slab)) {
        slab_dispose(me, slab);
        return;
    }
    tcb_count(me, HAK_C_evict);
    if (runs) return;
    STEP(MA);
    mailbox_announce(size_class, s);
    ring_record(HAK_EVENT_announce, NULL, s, size_class);
}

// --- blocks

// One spare slab of each class is kept, so that a class in irregular use does not take and give the same slab each
// time.
static bool is_wanted_empty(HakTcb* me, const TinySlabMeta* meta) {
    return meta->where == PLACE_BOUND || me->tiny[meta->size_class].partial_count == 0;
}

static void settle_empty(HakTcb* me, OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    if (meta->where != PLACE_BOUND) slab_place(me, slab, PLACE_NONE);
    if (!is_wanted_empty(me, meta))
        slab_dispose(me, slab);
    else if (meta->where == PLACE_NONE)
        slab_place(me, slab, PLACE_PARTIAL);
}

// A thread that frees what others allocated must not come to own all of it. What it keeps from others is the free
// blocks: many slabs with few of them do no harm, up to a number, since they may become empty while the thread sleeps.
// Of a class that it does not allocate, it keeps one slab.
static bool has_too_many(const HakTcb* me, const TinyTLSSlab* tls, uint32_t capacity) {
    enum { FEW_BLOCKS = 8, SLABS_MOST = 256 };
    uint32_t quarter = capacity / 4;
    if (tls->partial_count <= 1) return false;
    if (tls->bound == 0) return true;
    return tls->partial_free > (quarter < FEW_BLOCKS ? FEW_BLOCKS : quarter) || me->partial_slabs > SLABS_MOST;
}

// A slab that the thread freed into joins its list: one that had no owner, or a full one of its own. If the thread then
// has too many, the one that joined longest ago is evicted.
static void join(HakTcb* me, OwnedSlab slab) {
    const TinyTLSSlab* tls = &me->tiny[meta_of(slab)->size_class];
    slab_place(me, slab, PLACE_PARTIAL);
    if (has_too_many(me, tls, meta_of(slab)->capacity)) evict(me, slab_own(me, tls->partial_last));
}

static void free_blocks(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    switch (slab_free_blocks(me, slab, first, last, count)) {
    case SLAB_STAYS: break;
    case SLAB_JOINS: join(me, slab); break;
    case SLAB_EMPTY: settle_empty(me, slab); break;
    }
}

// --- page runs

static void give_idle_back(HakTcb* me, OwnedRuns runs) {
    run_cache_drop(me, runs);
    slab_dispose(me, runs.head);
}

void runs_settle(HakTcb* me, OwnedRuns runs) {
    OwnedRuns kept = runs_idle_one(me);
    bool another = kept.head.number && kept.head.number != runs.head.number;
    if (!runs_is_idle(runs)) {
        if (another && free_runs_has_spare(me, kept.head.number)) give_idle_back(me, kept);
    } else if (another || free_runs_has_spare(me, runs.head.number)) {
        give_idle_back(me, runs);
    } else {
        me->idle_runs = runs.head.number;
    }
}

void runs_give_idle_back(HakTcb* me) {
    OwnedRuns idle = runs_idle_one(me);
    if (idle.head.number) give_idle_back(me, idle);
}

static void join_runs(HakTcb* me, OwnedRuns runs) {
    enum { RUNS_MOST = 4 };
    runs_place(me, runs, PLACE_PARTIAL);
    if (me->run_superslabs > RUNS_MOST) evict(me, slab_own(me, runs_fullest(me, runs.head.number)));
}

static void free_run(HakTcb* me, OwnedRuns runs, void* block) {
    runs_free(me, runs, block);
    tcb_count(me, HAK_C_free_run);
    if (meta_of(runs.head)->where == PLACE_NONE) {
        if (runs_is_idle(runs))
            runs_place(me, runs, PLACE_PARTIAL);
        else
            join_runs(me, runs);
    }
    runs_settle(me, runs);
}

// --- either

void slab_free_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    STEP(LOCAL);
    if (is_runs(slab))
        free_run(me, runs_of(slab), first);  // count == 1, as runs are freed one by one
    else
        free_blocks(me, slab, first, last, count);
}

size_t slab_check_any(SlabNumber s) {
    return peek_any(s)->size_class == CLASS_OF_RUNS ? runs_check(s) : slab_check(s);
}
