// Who owns a slab: the primitives of owner word, remote word and registry. The rule: the free list, the used count,
// carving and draining belong to the owner. Others only push onto the remote stack of an owned slab; they claim a slab
// without owner before they do anything else with it. Claim first, bind second, drain third.
//
//   not a slab --slab_begin--> mine --slab_end--> not a slab                       (empty)
//                              mine --slab_stop_pushes, slab_disown--> unowned     (remote word U)
//                              unowned --slab_claim--> mine                        (remote word U -> empty)
//
// hand_over.h gives the order, and what is done to the slab in between. Only these functions write owner words, and
// superslab/huge.c, which writes words that nobody ever owns.
// Of what a slab holds, only the tag matters here: blocks of a class, or page runs, whose first slab stands for the
// SuperSlab.
// Thread-safety: any thread, for itself.
// Errors: as said.
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
// The ownership assertion: if the caller at `site` does not own the slab, records that, and with HAKMEM_DEBUG_OWNERSHIP
// reports it and aborts.
void slab_assert_owner(const HakTcb* me, SlabNumber s, const char* site);
#else
HAK_INLINE void slab_assert_owner(const HakTcb* me, SlabNumber s, const char* site) {
    (void)me, (void)s, (void)site;
}
#endif

// The slab, if it has that tag and is the caller's already; otherwise number 0. One load.
HAK_INLINE OwnedSlab slab_if_mine(const HakTcb* me, SlabNumber s, uint64_t tag) {
    return (OwnedSlab){load_relaxed(owner_word(s)) == owner_word_of(me, tag) ? s : 0};
}

// For a slab that is the caller's, since it is bound, in one of the caller's lists, or just begun. The checked build
// asserts it.
HAK_INLINE OwnedSlab slab_own(const HakTcb* me, SlabNumber s) {
    slab_assert_owner(me, s, "own");
    return (OwnedSlab){s};
}

OwnedSlab slab_claim_slow(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result);

// Makes the caller the slab's owner, if it has that tag and no owner. If it is the caller's already, that takes one
// load; if it has no owner, one compare-and-swap.
HAK_INLINE OwnedSlab slab_claim(HakTcb* me, SlabNumber s, uint64_t tag, ClaimResult* result) {
    OwnedSlab slab = slab_if_mine(me, s, tag);
    if (HAK_UNLIKELY(slab.number == 0)) return slab_claim_slow(me, s, tag, result);
    *result = CLAIM_MINE;
    return slab;
}

// Makes the caller the owner of a new slab, whose meta is complete.
OwnedSlab slab_begin(const HakTcb* me, SlabNumber s, uint64_t tag);
// Ends a slab that is empty and in no list: it is not a slab any more.
void slab_end(OwnedSlab slab);
// Sets the words of the other slabs of a SuperSlab of page runs: to TAG_RUNS_REST before its first slab begins, to
// WORD_NOT_A_SLAB before it ends.
void slab_words_of_rest(SlabNumber first, uint64_t word);

// From then on nothing is pushed onto the remote stack, and the owner must not write the slab. false: the stack is not
// empty, and nothing is changed.
bool slab_stop_pushes(OwnedSlab slab);
// After that: takes the owner away. The caller must not read the slab any more.
void slab_disown(OwnedSlab slab, uint64_t tag);

// In the child of a fork only: takes away an owner that is LOST and was cut off between writing the remote word and the
// owner word, which was read as `seen`. false: the owner is not LOST, or the word has changed.
bool finish_publish_of_lost(SlabNumber s, uint64_t seen);

// --- the registry: for each class, the slabs with free blocks and no owner

// For the owner of a slab that is in none of its lists: puts it into the registry, or takes it out, unless that is
// done.
void registry_set(OwnedSlab slab, bool listed);
bool registry_has(unsigned size_class);
// Claims the first slab without owner among the first `most` in the registry of a class. It is in no list then.
OwnedSlab slab_adopt_registered(HakTcb* me, unsigned size_class, unsigned most, ClaimResult* result);
// Number of violated invariants of a registry, each described on stderr. Takes its lock. Calls check() for each slab
// that stands still.
size_t registry_check(unsigned size_class, size_t (*check)(SlabNumber s));
// Around a fork: applies `step` to the lock of each class.
void registry_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// In a copy of the process: empties the registry of each class whose lock another thread held. A free into such a slab
// still adopts it.
void registry_forget_half_done(void);
// In the child, once it is known which TCBs are LOST.
void registry_after_fork_in_child(void);

#endif
