#include "slab/ownership.h"

#include "base/text.h"
#include "config/options.h"
#include "observe/chaos.h"
#include "observe/fatal.h"
#include "observe/guard_record.h"
#include "observe/ring.h"
#include "slab/remote.h"
#include "slab/run.h"
#include "slab/size_class.h"
#include "slab/slab.h"

// The registry: slabs without owner that have free blocks, a list per class (0: page runs). A slab may be in it and have an
// owner for a moment: whoever claims it takes it out.
typedef struct {
    HakLock lock;
    _Atomic SlabNumber first;
} HAK_ALIGNED(HAK_CACHE_LINE) Registry;

static Registry registry[CLASS_COUNT];

static TinySlabMeta* meta_at(SlabNumber s) {
    return &hak_heap.meta[s];
}

// Under the class's lock. Last in, first out: that slab is in the caches, and the others become empty meanwhile, by frees alone.
static void registry_insert(Registry* r, SlabNumber s) {
    TinySlabMeta* meta = meta_at(s);
    meta->prev = 0;
    meta->next = load_relaxed(&r->first);
    if (meta->next) meta_at(meta->next)->prev = s;
    store_relaxed(&r->first, s);
    meta->in_registry = 1;
}

static void registry_remove(Registry* r, SlabNumber s) {
    TinySlabMeta* meta = meta_at(s);
    if (meta->prev)
        meta_at(meta->prev)->next = meta->next;
    else
        store_relaxed(&r->first, meta->next);
    if (meta->next) meta_at(meta->next)->prev = meta->prev;
    meta->next = meta->prev = 0;
    meta->in_registry = 0;
}

bool registry_has(unsigned size_class) {
    return load_relaxed(&registry[size_class].first) != 0;
}

// The only edge 0 -> me. On success the remote word is U, and nothing can be pushed until it is cleared here.
static bool win(HakTcb* me, SlabNumber s, uint64_t tag) {
    uint64_t unowned = tag;
    chaos_point();
    // Pairs with the release in slab_publish, so that the new owner sees all of the slab's meta. Releases nothing: a
    // freer that meets U asks only whether the owner is LOST, which no control block becomes, or ceases to be, while
    // there is a second thread.
    bool won = cas_acquire(owner_word(s), &unowned, owner_word_of(me, tag));
    if (won) {
        chaos_point();
        // Nobody else writes while U stands; freers that met it wait for this.
        store_relaxed(remote_word(s), REMOTE_EMPTY);
    }
    tcb_count(me, won ? HAK_C_claim_won : HAK_C_claim_refused);
    ring_record(HAK_EVENT_claim, NULL, s, (won ? 1u : 0u) | word_owner(unowned) << 20);
    return won;
}

// For the owner of a slab: takes it out of the registry, or into it, if it is not there or is.
static void set_listed(SlabNumber s, bool listed) {
    TinySlabMeta* meta = meta_at(s);
    if (meta->in_registry == listed)
        return;  // only an owner changes it, or the child of a fork while it has one thread
    Registry* r = &registry[meta->size_class];
    hak_lock(&r->lock);
    // The child of a fork or a copy may have forgotten the class while the thread waited.
    if (meta->in_registry != listed) {
        if (listed)
            registry_insert(r, s);
        else
            registry_remove(r, s);
    }
    hak_unlock(&r->lock);
}

OwnedSlab slab_claim_slow(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result) {
    if (load_relaxed(owner_word(s)) == tag && win(me, s, tag)) {
        set_listed(s, false);
        *result = CLAIM_WON;
        return (OwnedSlab){s};
    }
    uint64_t word = load_relaxed(owner_word(s));
    *result = word_tag(word) == 0 ? CLAIM_RELEASED : word_tag(word) != tag ? CLAIM_WRONG_TAG : CLAIM_FOREIGN;
    return (OwnedSlab){0};
}

OwnedSlab slab_adopt_registered(HakTcb* me, unsigned size_class, unsigned look_at, ClaimResult* result) {
    Registry* r = &registry[size_class];
    OwnedSlab adopted = {0};
    *result = CLAIM_RELEASED;
    hak_lock(&r->lock);
    SlabNumber s = load_relaxed(&r->first);
    for (unsigned i = 0; s && i < look_at && !adopted.number; i++) {
        SlabNumber next = meta_at(s)->next;
        if (win(me, s, tag_for(size_class))) {
            registry_remove(r, s);
            adopted.number = s;
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

OwnedSlab slab_create(HakTcb* me, SlabNumber s, unsigned size_class, bool clean) {
    TinySlabMeta* meta = meta_at(s);
    meta->freelist = NULL;
    store_relaxed(&meta->blocks, 0u);
    meta->cached = 0;
    store_relaxed(&meta->carved, (uint16_t)0);
    meta->capacity = size_class ? class_capacity(size_class) : 0;
    meta->block_size = size_class ? size_of_class(size_class) : 0;
    meta->next = meta->prev = 0;
    meta->size_class = (uint16_t)size_class;
    meta->where = PLACE_NONE;
    meta->in_registry = 0;
    meta->clean = clean;
    if (size_class == 0) run_map_init(s, clean);
    guard_slab_made(s, meta->block_size);
    store_relaxed(remote_word(s), REMOTE_EMPTY);
    // release: pairs with the acquire of whoever frees a block of it, and got that block from this thread
    store_release(owner_word(s), owner_word_of(me, tag_for(size_class)));
    ClaimResult result;
    return slab_claim(me, s, tag_for(size_class), &result);
}

void slab_release(OwnedSlab slab) {
    ring_record(HAK_EVENT_release, NULL, slab.number, meta_of(slab)->size_class);
    if (meta_of(slab)->size_class == 0) run_map_clear(slab.number);
    // used == 0: nobody else holds a block of it, so nobody else looks at it but through a hint, which sees "not a slab".
    // Relaxed: heap_lock, which giving the memory back takes, stands between this and the next slab_create.
    store_relaxed(owner_word(slab.number), WORD_NOT_A_SLAB);
}

bool slab_publish(HakTcb* me, OwnedSlab slab) {
    TinySlabMeta* meta = meta_of(slab);
    unsigned size_class = meta->size_class;
    SlabNumber s = slab.number;
    uint64_t empty;
    if (HAK_CHECKED && meta->cached) fatal("run_cache", "publish", "slab %u: %u pages are cached", s, meta->cached);
    do {
        slab_absorb(me, slab);
        if (meta_used(meta) == 0) {
            set_listed(s, false);
            return false;
        }
        bool has_space =
            size_class ? meta_free(meta) || load_relaxed(&meta->carved) < meta->capacity : run_has_space(slab);
        // Still owned: an adopter that finds it in the registry is refused and leaves it there.
        if (has_space) set_listed(s, true);
        empty = REMOTE_EMPTY;
        chaos_point();
    } while (!cas_release(remote_word(s), &empty,
                          REMOTE_UNOWNED));  // a push came first; the owner word below carries the rest
    ring_record(HAK_EVENT_publish, NULL, s, size_class);
    tcb_count(me, meta->in_registry ? HAK_C_publish : HAK_C_publish_full);
    chaos_point();
    store_release(owner_word(s), tag_for(size_class));  // pairs with the acquire CAS in win
    return true;
}

// A listed slab that has no owner stands still under the lock: who claims it changes nothing of it before it is taken out of the list.
// Who gives it up listed it earlier, and may still be at it; then it has an owner.
static size_t check_listed(SlabNumber s, unsigned size_class) {
    uint64_t word = load_acquire(owner_word(s));  // pairs with the release in slab_publish
    if (word_tag(word) != tag_for(size_class) || meta_at(s)->size_class != size_class) {
        text_warn("hakmem: check=registry slab %u in the registry of class %u is none of that class\n", s, size_class);
        return 1;
    }
    if (word_owner(word) != 0) return 0;
    bool pushable = load_acquire(remote_word(s)) != REMOTE_UNOWNED;  // before the owner word is looked at again
    if (load_relaxed(owner_word(s)) == word && pushable) {
        text_warn("hakmem: check=registry slab %u has no owner and takes remote frees\n", s);
        return 1;
    }
    return slab_check(s);
}

size_t registry_check(unsigned size_class) {
    Registry* r = &registry[size_class];
    size_t wrong = 0;
    hak_lock(&r->lock);
    SlabNumber before = 0, s = load_relaxed(&r->first);
    while (s && wrong == 0) {
        if (!meta_at(s)->in_registry || meta_at(s)->prev != before) {
            text_warn("hakmem: check=registry slab %u of class %u: its links or its mark are wrong\n", s, size_class);
            wrong++;
        }
        wrong += check_listed(s, size_class);
        before = s;
        s = meta_at(s)->next;
    }
    hak_unlock(&r->lock);
    return wrong;
}

void registry_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    for (unsigned c = 0; c < CLASS_COUNT; c++) step(&registry[c].lock, fork);
}

static void unlist_class(unsigned size_class) {
    store_relaxed(&registry[size_class].first, 0u);
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        if (hak_heap.unit[u].kind != UNIT_SLABS && hak_heap.unit[u].kind != UNIT_RUNS) continue;
        // Of page runs the first meta stands for all.
        uint32_t count = hak_heap.unit[u].kind == UNIT_RUNS ? 1 : SLABS_PER_UNIT;
        for (SlabNumber s = first_slab(u), end = s + count; s < end; s++)
            if (meta_at(s)->size_class == size_class) meta_at(s)->in_registry = 0;
    }
}

void registry_forget_half_done(void) {
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (hak_lock_is_others(&registry[c].lock)) unlist_class(c);
}

// Slabs that a thread which does not exist in the child was about to give up or had just claimed: nobody could adopt them, and they
// would stand in the way.
static void unlist_lost(Registry* r) {
    for (SlabNumber s = load_relaxed(&r->first), next; s; s = next) {
        next = meta_at(s)->next;
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

void slab_assert_owner(HakTcb* me, SlabNumber s, const char* site) {
    uint64_t word = load_relaxed(owner_word(s));
    if (HAK_LIKELY(word_owner(word) == (uint64_t)(uintptr_t)me)) return;
    ring_record(HAK_EVENT_violation, NULL, s, word_owner(word));
    if (hak_option(debug_ownership) == 0) return;
    text_warn("[OWNERSHIP ERROR] Thread %u draining slab %d owned by %u!\n", me->number, (int)s, owner_number(word));
    fatal("ownership", site, "thread %u drains slab %u, which thread %u owns (0: nobody)", me->number, s,
          owner_number(word));
}
#endif
