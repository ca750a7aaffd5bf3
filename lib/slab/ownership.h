// Who owns a slab. The rule: free list, used count, carving and taking from the remote stack belong to the owner; everybody else
// only pushes onto the remote stack of an owned slab, and claims a slab without owner before doing anything else with it.
// Claim first, bind second, drain third.
//
//   not a slab --slab_create--> mine --slab_release--> not a slab       (empty)
//                               mine --slab_publish--> unowned          (full, or the thread ends; remote word U)
//                 unowned --slab_claim--> mine                          (compare-and-swap; remote word U -> empty)
//
// These functions are the only ones that write an owner word; beside them superslab/huge.c and run_map_init/run_map_clear write
// words that nobody ever owns, and remote.c finishes what a thread left half-done that a fork did away with.
// An OwnedSlab is made here and in ownership.c alone (the checked build has one more way, for missing changes), and whatever is the
// owner's right takes one.
// Thread-safety: any thread, for itself. Errors: as said.
#ifndef HAK_SLAB_OWNERSHIP_H
#define HAK_SLAB_OWNERSHIP_H

#include "slab/remote_word.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"
#include "thread/tcb.h"

typedef struct {
    SlabNumber number;  // 0: the claim was refused
} OwnedSlab;

typedef enum { CLAIM_MINE, CLAIM_WON, CLAIM_FOREIGN, CLAIM_WRONG_TAG, CLAIM_RELEASED } ClaimResult;

typedef enum { PLACE_NONE, PLACE_FULL, PLACE_BOUND, PLACE_PARTIAL } SlabPlace;

HAK_INLINE uint64_t owner_word_of(const HakTcb* me, uint64_t tag) {
    return me->owner_part | tag;
}

HAK_INLINE _Atomic uint64_t* owner_word(SlabNumber s) {
    return &hak_heap.owner[s];
}

HAK_INLINE TinySlabMeta* meta_of(OwnedSlab slab) {
    return &hak_heap.meta[slab.number];
}

// The tag of slabs of a class; class 0 stands for page runs.
HAK_INLINE uint64_t tag_for(unsigned size_class) {
    return size_class ? tag_of_class(size_class) : TAG_RUNS;
}

// The slab, if it is of that tag and the caller's already. One load.
HAK_INLINE OwnedSlab slab_if_mine(const HakTcb* me, SlabNumber s, uint64_t tag) {
    return (OwnedSlab){load_relaxed(owner_word(s)) == owner_word_of(me, tag) ? s : 0};
}

OwnedSlab slab_claim_slow(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result);

// Makes the slab the caller's, if it is a slab of that tag and has no owner or the caller for one. One load when it is the
// caller's already; one compare-and-swap when it has no owner.
HAK_INLINE OwnedSlab slab_claim(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result) {
    OwnedSlab slab = slab_if_mine(me, s, tag);
    if (HAK_UNLIKELY(slab.number == 0)) return slab_claim_slow(me, s, tag, result);
    *result = CLAIM_MINE;
    return slab;
}

// A slab just taken from its SuperSlab (page runs: a whole unit) becomes the caller's, empty. clean: it reads as
// zero.
OwnedSlab slab_create(HakTcb* me, SlabNumber s, unsigned size_class, bool clean);
// An empty slab is no slab any more; the caller gives its memory back.
void slab_release(OwnedSlab slab);
// Gives up a slab. false: it turned out to be empty, and still is the caller's, in no list: to be released.
// The caller has taken it out of its lists.
bool slab_publish(HakTcb* me, OwnedSlab slab);

// The first slab without owner of a class that could be claimed, among at most `look_at` of the registry. Adopted, in no list.
OwnedSlab slab_adopt_registered(HakTcb* me, unsigned size_class, unsigned look_at, ClaimResult* result);
bool registry_has(unsigned size_class);
// Number of violated invariants of a registry, each described on stderr. Takes its lock.
size_t registry_check(unsigned size_class);
// Around a fork: the lock of each class.
void registry_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// In a copy of the process: of each class whose lock another thread held, no slab is in the registry any more. Who frees into one
// still adopts it.
void registry_forget_half_done(void);
// In the child, when it is known which control blocks are lost.
void registry_after_fork_in_child(void);

// The ownership assertion (checked build, HAKMEM_DEBUG_OWNERSHIP): the caller, which drains at `site`, owns the slab, or a
// report and abort.
#if HAK_CHECKED
void slab_assert_owner(HakTcb* me, SlabNumber s, const char* site);
#else
HAK_INLINE void slab_assert_owner(HakTcb* me, SlabNumber s, const char* site) {
    (void)me, (void)s, (void)site;
}
#endif

#endif
