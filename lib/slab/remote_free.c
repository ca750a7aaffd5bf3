#include "slab/remote_free.h"

#include "observe/ring.h"
#include "observe/steps.h"
#include "os/os.h"
#include "slab/hand_over.h"
#include "thread/tls.h"

// The slab whose words stand for a block: its own, or the first of its SuperSlab of page runs.
static SlabNumber head_slab(const void* block) {
    SlabNumber s = (SlabNumber)slab_number_of(block);
    return word_tag(load_relaxed(owner_word(s))) == TAG_RUNS_REST ? first_slab(unit_of_slab(s)) : s;
}

// Frees into an own slab, or into one without owner, which becomes the caller's. false: another thread was faster.
static bool free_as_owner(HakTcb* me, SlabNumber s, uint64_t tag, void* first, void* last, uint32_t count) {
    ClaimResult result;
    STEP(R1);
    OwnedSlab slab = slab_claim(me, s, tag, &result);
    if (slab.number == 0) return false;
    if (result == CLAIM_WON) {
        tcb_count(me, HAK_C_adopt_by_free);
        ring_record(HAK_EVENT_adopt, NULL, s, 1);
    }
    slab_free_chain(me, slab, first, last, count);
    return true;
}

// Tells the slab's owner of a moment ago, who absorbs the remote stack when it next looks for a run. TCBs are never
// unmapped.
static void tell_of_runs(SlabNumber s, uint64_t word) {
    HakTcb* owner = (HakTcb*)(uintptr_t)word_owner(word);
    _Atomic SlabNumber* pushed = &owner->runs_pushed[unit_of_slab(s) % PUSHED_RUNS];
    if (!load_relaxed(pushed)) store_relaxed(pushed, s);
}

// Whether the caller interrupted an operation of the owner, its own thread, which cannot go on before the caller does.
static bool is_interrupted(const HakTcb* me, uint64_t word) {
    const HakTcb* mine = hak_tls.tcb;
    return mine && mine != me && word_owner(word) == (uint64_t)(uintptr_t)mine;
}

void remote_free(HakTcb* me, SlabNumber s, void* first, void* last, uint32_t count) {
    enum { SPINS = 64, YIELDS = 256 };
    for (unsigned tries = 0;; tries++) {
        STEP(R0);
        uint64_t word = load_acquire(owner_word(s));  // pairs with the releases in slab_begin, slab_disown
        uint64_t tag = word_tag(word);
        if (HAK_UNLIKELY(!tag_is_class(tag) && tag != TAG_RUNS))
            fatal("double_free", "remote", "block %p was freed twice: its slab is free", first);
        if (word_owner(word) == 0 || word_owner(word) == (uint64_t)(uintptr_t)me) {
            if (free_as_owner(me, s, tag, first, last, count)) return;
        } else if (remote_push(me, s, first, last, count)) {
            if (tag == TAG_RUNS) tell_of_runs(s, word);
            return;
        } else if (finish_publish_of_lost(s, word)) {
            continue;
        }
        // The owner is two instructions away from clearing the remote word, or from taking itself out of the owner
        // word.
        if (HAK_UNLIKELY(tries == SPINS && is_interrupted(me, word)))
            fatal("reentered", "free", "a signal handler that had interrupted malloc or free called free");
        if (tries >= SPINS) hak_lock_tell_wait();
        if (tries < SPINS)
            cpu_relax();
        else if (tries < YIELDS)
            os_yield();
        else
            os_sleep_briefly();  // lets an owner of lower real-time priority run
    }
}

void block_free(HakTcb* me, void* block) {
    remote_free(me, head_slab(block), block, block, 1);
}
