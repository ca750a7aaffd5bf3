// Who owns a slab: the primitives of owner word, remote word and registry. The rule: free list, used count, carving and taking from the
// remote stack belong to the owner; everybody else only pushes onto the remote stack of an owned slab, and claims a slab without owner
// before doing anything else with it. Claim first, bind second, drain third.
//
//   not a slab --slab_begin--> mine --slab_end--> not a slab                                  (empty)
//                              mine --slab_stop_pushes, slab_hand_over--> unowned             (remote word U)
//                unowned --slab_claim--> mine                          (compare-and-swap; remote word U -> empty)
//
// hand_over.h says in which order, and with what done to the slab in between. These functions are the only ones that write an owner word;
// beside them superslab/huge.c writes words that nobody ever owns.
// Nothing here knows what a slab holds: blocks, or page runs, whose first slab stands for the SuperSlab.
// Thread-safety: any thread, for itself. Errors: as said.
#ifndef HAK_SLAB_OWNERSHIP_H
#define HAK_SLAB_OWNERSHIP_H

#include "base/fatal.h"
#include "slab/meta.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "thread/tcb.h"

typedef enum { CLAIM_MINE, CLAIM_WON, CLAIM_FOREIGN, CLAIM_WRONG_TAG, CLAIM_RELEASED } ClaimResult;

HAK_INLINE uint64_t owner_word_of(const HakTcb* me, uint64_t tag) {
    return me->owner_part | tag;
}

HAK_INLINE _Atomic uint64_t* owner_word(SlabNumber s) {
    return &hak_heap.owner[s];
}

// The tag of slabs of a class.
HAK_INLINE uint64_t tag_for(unsigned size_class) {
    return size_class != CLASS_OF_RUNS ? tag_of_class(size_class) : TAG_RUNS;
}

#if HAK_CHECKED
// The ownership assertion (HAKMEM_DEBUG_OWNERSHIP): the caller, at `site`, owns the slab, or a report and abort.
void slab_assert_owner(const HakTcb* me, SlabNumber s, const char* site);
#else
HAK_INLINE void slab_assert_owner(const HakTcb* me, SlabNumber s, const char* site) {
    (void)me, (void)s, (void)site;
}
#endif

// The slab, if it is of that tag and the caller's already. One load.
HAK_INLINE OwnedSlab slab_if_mine(const HakTcb* me, SlabNumber s, uint64_t tag) {
    return (OwnedSlab){load_relaxed(owner_word(s)) == owner_word_of(me, tag) ? s : 0};
}

// A slab that is bound, or in one of the caller's lists: the caller's, which the checked build looks at.
HAK_INLINE OwnedSlab slab_own(const HakTcb* me, SlabNumber s) {
    slab_assert_owner(me, s, "own");
    return (OwnedSlab){s};
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

// A new slab, whose meta is complete, becomes the caller's.
OwnedSlab slab_begin(const HakTcb* me, SlabNumber s, uint64_t tag);
// An empty slab, in no list, is no slab any more.
void slab_end(OwnedSlab slab);
// The words of the other slabs of a SuperSlab of page runs: TAG_RUNS_REST, before its first slab begins, or WORD_NOT_A_SLAB, before it
// ends.
void slab_words_of_rest(SlabNumber first, uint64_t word);

// From then on nothing is pushed onto the remote stack, and nothing of the slab may be written. false: something was there.
bool slab_stop_pushes(OwnedSlab slab);
// After that: nobody owns the slab, of which nothing may be read any more.
void slab_hand_over(OwnedSlab slab, uint64_t tag);

// In the child of a fork only: the owner does not exist there, and was caught between the remote word U and the owner word `seen`, on the
// way out or in. false: it exists.
bool finish_publish_of_lost(SlabNumber s, uint64_t seen);

// --- the registry: of each class, the slabs without owner that have free blocks

// For the owner, with the slab in no list of its own: into the registry, or out of it, if it is not there or is.
void registry_set(OwnedSlab slab, bool listed);
bool registry_has(unsigned size_class);
// The first slab without owner of a class that could be claimed, among the first `most`. Adopted, in no list.
OwnedSlab slab_adopt_registered(HakTcb* me, unsigned size_class, unsigned most, ClaimResult* result);
// Number of violated invariants of a registry, each described on stderr; check() of each slab that stands still. Takes its lock.
size_t registry_check(unsigned size_class, size_t (*check)(SlabNumber s));
// Around a fork: the lock of each class.
void registry_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// In a copy of the process: of each class whose lock another thread held, no slab is in the registry any more. Who frees into one
// still adopts it.
void registry_forget_half_done(void);
// In the child, when it is known which control blocks are lost.
void registry_after_fork_in_child(void);

#endif
