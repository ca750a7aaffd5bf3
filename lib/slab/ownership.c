#include "slab/ownership.h"

#include "base/text.h"
#include "config/options.h"
#include "observe/ring.h"
#include "observe/steps.h"
#include "slab/slab_list.h"
#include "thread/operation.h"

// For each class, the list of slabs with free blocks and no owner. A slab in it may have an owner for a moment: the
// thread that is about to give it up, or one that has claimed it and is about to take it out.
typedef struct {
    HakLock lock;
    _Atomic SlabNumber first;
} HAK_ALIGNED(HAK_CACHE_LINE) Registry;

static Registry registry[CLASS_COUNT];

// --- the registry's list, under the class's lock

static TinySlabMeta* listed(SlabNumber s) {
    return &hak_heap.meta[s];
}

// Last in, first out: the newest slab is in the caches, and frees meanwhile empty the others.
static void registry_insert(Registry* r, SlabNumber s) {
    SlabNumber first = load_relaxed(&r->first);
    slab_list_push((SlabList){&first, NULL}, s);
    store_relaxed(&r->first, first);
    listed(s)->in_registry = 1;
}

static void registry_remove(Registry* r, SlabNumber s) {
    SlabNumber first = load_relaxed(&r->first);
    slab_list_remove((SlabList){&first, NULL}, s);
    store_relaxed(&r->first, first);
    listed(s)->in_registry = 0;
}

bool registry_has(unsigned size_class) {
    return load_relaxed(&registry[size_class].first) != 0;
}

void registry_set(OwnedSlab slab, bool wanted) {
    TinySlabMeta* meta = meta_of(slab);
    if (meta->in_registry == wanted)
        return;  // only the owner changes it, or the child of a fork while it has one thread
    Registry* r = &registry[meta->size_class];
    hak_lock(&r->lock);
    // In the child of a fork, or in a copy, the class's list may have been dropped while this thread waited.
    if (meta->in_registry != wanted) {
        if (wanted)
            registry_insert(r, slab.number);
        else
            registry_remove(r, slab.number);
    }
    hak_unlock(&r->lock);
}

// --- claim

// The only transition from nobody to me. On success the remote word is U, and nothing can be pushed until it is cleared
// here.
static bool win(HakTcb* me, SlabNumber s, uint64_t tag) {
    uint64_t unowned = tag;
    STEP(C1);
    // Pairs with the release in slab_disown, so the new owner sees all of the slab's meta. It needs no release: a
    // thread that frees a block and meets U only asks whether the owner is LOST, and no TCB becomes LOST, or ceases to
    // be, while there is a second thread.
    bool won = cas_acquire(owner_word(s), &unowned, owner_word_of(me, tag));
    if (won) {
        STEP(C2);
        // Nobody else writes while the word is U; threads that met it wait for this.
        store_relaxed(remote_word(s), REMOTE_EMPTY);
    }
    tcb_count(me, won ? HAK_C_claim_won : HAK_C_claim_refused);
    ring_record(HAK_EVENT_claim, NULL, s, (won ? 1u : 0u) | word_owner(unowned) << 20);
    return won;
}

OwnedSlab slab_claim_slow(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result) {
    operation_must_be_open(me, "slab_claim_slow");
    if (load_relaxed(owner_word(s)) == tag && win(me, s, tag)) {
        STEP(C3);
        registry_set((OwnedSlab){s}, false);
        *result = CLAIM_WON;
        return (OwnedSlab){s};
    }
    uint64_t word = load_relaxed(owner_word(s));
    *result = word_tag(word) == 0 ? CLAIM_RELEASED : word_tag(word) != tag ? CLAIM_WRONG_TAG : CLAIM_FOREIGN;
    return (OwnedSlab){0};
}

OwnedSlab slab_adopt_registered(HakTcb* me, unsigned size_class, unsigned most, ClaimResult* result) {
    Registry* r = &registry[size_class];
    OwnedSlab adopted = {0};
    *result = CLAIM_RELEASED;
    STEP(G0);
    hak_lock(&r->lock);
    SlabNumber s = load_relaxed(&r->first);
    for (unsigned i = 0; s && i < most && !adopted.number; i++) {
        SlabNumber next = listed(s)->next;
        if (win(me, s, tag_for(size_class))) {
            STEP(G3);
            registry_remove(r, s);
            adopted = (OwnedSlab){s};
            *result = CLAIM_WON;
            tcb_count(me, HAK_C_adopt_by_refill);
            ring_record(HAK_EVENT_adopt, NULL, s, 2);
        } else
            *result = CLAIM_FOREIGN;
        s = next;
    }
    hak_unlock(&r->lock);
    return adopted;
}

// --- begin, end

OwnedSlab slab_begin(const HakTcb* me, SlabNumber s, uint64_t tag) {
    store_relaxed(remote_word(s), REMOTE_EMPTY);
    STEP(F3);
    // pairs with the acquires in remote_free, free_uncached, block_bytes, is_block_start: the freeing thread got its
    // block from this thread
    store_release(owner_word(s), owner_word_of(me, tag));
    return slab_own(me, s);
}

void slab_words_of_rest(SlabNumber first, uint64_t word) {
    for (SlabNumber i = 1; i < SLABS_PER_UNIT; i++) store_relaxed(owner_word(first + i), word);
}

void slab_end(OwnedSlab slab) {
    ring_record(HAK_EVENT_release, NULL, slab.number, meta_of(slab)->size_class);
    STEP(L0);
    // used == 0: nobody else holds a block of the slab. So others can reach it only by a hint, which sees "not a slab".
    // Relaxed is enough: giving the memory back takes heap_lock, which orders this before the next slab_begin.
    store_relaxed(owner_word(slab.number), WORD_NOT_A_SLAB);
}

// --- publish

bool slab_stop_pushes(OwnedSlab slab) {
    uint64_t empty = REMOTE_EMPTY;
    STEP(A4);
    // A fork needs the release: a child that finds U finds everything that was written before it. To other threads the
    // owner word in slab_disown publishes all.
    return cas_release(remote_word(slab.number), &empty, REMOTE_UNOWNED);
}

void slab_disown(OwnedSlab slab, uint64_t tag) {
    STEP(A5);
    store_release(owner_word(slab.number), tag);  // pairs with the acquires in win, remote_free, check_listed
}

bool finish_publish_of_lost(SlabNumber s, uint64_t seen) {
    const HakTcb* tcb = (const HakTcb*)(uintptr_t)word_owner(seen);
    // Needs no order: LOST was written before the child had a second thread, and stays. Any other state read here is
    // that of a LIVING or LEFT owner, now or before.
    if (tcb == NULL || load_relaxed(&tcb->state) != TCB_LOST) return false;
    STEP(RX);
    // Stands for the release in slab_disown and, like it, pairs with the acquire in win. At both points where the
    // owner can have been cut off, the slab's meta is complete; only the owner must be taken away.
    return cas_acq_rel(owner_word(s), &seen, word_tag(seen));
}

// --- checks

// A listed slab without owner stands still under the lock: a claim changes its meta only after it is unlisted. A thread
// that gives the slab up has listed it first and may still be at work, but then the slab has an owner.
static size_t check_listed(SlabNumber s, unsigned size_class, size_t (*check)(SlabNumber s)) {
    uint64_t word = load_acquire(owner_word(s));  // pairs with the release in slab_disown
    if (word_tag(word) != tag_for(size_class) || listed(s)->size_class != size_class) {
        text_warn("hakmem: check=registry slab %u in the registry of class %u has another class\n", s, size_class);
        return 1;
    }
    if (word_owner(word) != 0) return 0;
    bool pushable = load_acquire(remote_word(s)) != REMOTE_UNOWNED;  // before the owner word is read again
    if (load_relaxed(owner_word(s)) == word && pushable) {
        text_warn("hakmem: check=registry slab %u has no owner and takes remote frees\n", s);
        return 1;
    }
    return check(s);
}

size_t registry_check(unsigned size_class, size_t (*check)(SlabNumber s)) {
    Registry* r = &registry[size_class];
    size_t wrong = 0;
    hak_lock(&r->lock);
    SlabNumber before = 0, s = load_relaxed(&r->first);
    while (s && wrong == 0) {
        if (!listed(s)->in_registry || listed(s)->prev != before) {
            text_warn("hakmem: check=registry slab %u of class %u: its links or its mark are wrong\n", s, size_class);
            wrong++;
        }
        wrong += check_listed(s, size_class, check);
        before = s;
        s = listed(s)->next;
    }
    hak_unlock(&r->lock);
    return wrong;
}

// --- forks

void registry_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    for (unsigned c = 0; c < CLASS_COUNT; c++) step(&registry[c].lock, fork);
}

static void unlist_class(unsigned size_class) {
    store_relaxed(&registry[size_class].first, 0u);
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        if (hak_heap.unit[u].kind != UNIT_SLABS && hak_heap.unit[u].kind != UNIT_RUNS) continue;
        // For page runs, the first meta stands for all.
        uint32_t count = hak_heap.unit[u].kind == UNIT_RUNS ? 1 : SLABS_PER_UNIT;
        for (SlabNumber s = first_slab(u), end = s + count; s < end; s++)
            if (listed(s)->size_class == size_class) listed(s)->in_registry = 0;
    }
}

void registry_forget_half_done(void) {
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (hak_lock_is_others(&registry[c].lock)) unlist_class(c);
}

// Removes slabs that a lost thread was about to give up, or had just claimed: nobody could adopt them, and they would
// stand in the way.
static void unlist_lost(Registry* r) {
    for (SlabNumber s = load_relaxed(&r->first), next; s; s = next) {
        next = listed(s)->next;
        const HakTcb* owner = (const HakTcb*)(uintptr_t)word_owner(load_relaxed(owner_word(s)));
        bool lost = owner && load_relaxed(&owner->state) == TCB_LOST;
        if (lost && load_relaxed(remote_word(s)) != REMOTE_UNOWNED) registry_remove(r, s);
    }
}

void registry_after_fork_in_child(void) {
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (!hak_lock_is_mine(&registry[c].lock)) unlist_lost(&registry[c]);
}

#if HAK_CHECKED
static uint32_t owner_number(uint64_t word) {
    const HakTcb* owner = (const HakTcb*)(uintptr_t)word_owner(word);
    return owner ? owner->number : 0;
}

void slab_assert_owner(const HakTcb* me, SlabNumber s, const char* site) {
    uint64_t word = load_relaxed(owner_word(s));
    if (HAK_LIKELY(word_owner(word) == (uint64_t)(uintptr_t)me)) return;
    ring_record(HAK_EVENT_violation, NULL, s, word_owner(word));
    if (hak_option(debug_ownership) == 0) return;
    text_warn("[OWNERSHIP ERROR] Thread %u draining slab %d owned by %u!\n", me->number, (int)s, owner_number(word));
    fatal("ownership", site, "thread %u drains slab %u, which thread %u owns (0: nobody)", me->number, s,
          owner_number(word));
}
#endif
