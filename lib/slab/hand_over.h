// What happens to a slab next: it begins, joins a list of its owner, is given up for others, or goes back to its
// SuperSlab. The functions here take slabs of blocks (slab.h) and those that stand for page runs (run.h). Those two
// files say what became of the slab; ownership.h has the owner word and the remote word.
//
//   free into it ──STAYS──>                                                  ──EMPTY──> kept as a spare, or disposed of
//                ──JOINS──> the owner's partial list ──too many──> evicted: published, announced in the mailbox
//
// Thread-safety: the owner alone, as the OwnedSlab proves.
// Errors: none.
#ifndef HAK_SLAB_HAND_OVER_H
#define HAK_SLAB_HAND_OVER_H

#include "slab/run_cache.h"
#include "slab/slab.h"

enum {
    KEPT_FULL = 4,           // full slabs of a class that a thread keeps,
    KEPT_FULL_BYTES = 2048,  // if their blocks have at least this many bytes
};

// Makes the caller the owner of a slab just taken from its SuperSlab, or of a whole unit for page runs. It is empty.
// clean: it reads as zero.
OwnedSlab slab_create(HakTcb* me, SlabNumber s, unsigned size_class, bool clean);
OwnedRuns runs_create(HakTcb* me, SlabNumber s, bool clean);
// Gives an empty slab back to its SuperSlab.
void slab_dispose(HakTcb* me, OwnedSlab slab);

// Frees the chain first..last of `count` blocks. Moves the slab to the list where it now belongs, or gives it back if
// it is empty and not wanted.
void slab_free_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count);
// Puts what others freed into the slab onto its free list. A full slab becomes partial.
void slab_absorb(HakTcb* me, OwnedSlab slab);
// After a free into a SuperSlab of page runs, or if a new one may not be needed. One idle SuperSlab is kept, if the
// thread has no other with much room for its next run: any more, or one that is no longer needed, is given back.
void runs_settle(HakTcb* me, OwnedRuns runs);
// Gives back the one that is kept.
void runs_give_idle_back(HakTcb* me);

// Publishes a slab that the caller has taken out of its lists. false: the slab turned out to be empty and is still the
// caller's, which must dispose of it.
bool slab_publish(HakTcb* me, OwnedSlab slab);
// Takes the slab out of the caller's lists, and publishes it or disposes of it.
void slab_give_up(HakTcb* me, OwnedSlab slab);
// Gives up a slab of blocks without a free one, so that anybody who frees into it may claim it. If it still has uncut
// blocks, or some have arrived by now, it stays, in the owner's partial list. Blocks that arrive during the publishing
// go with it to the registry.
void slab_give_up_full(HakTcb* me, OwnedSlab slab);
// For a slab that was bound: gives it up, or keeps it as a full slab and gives up another.
void slab_set_aside(HakTcb* me, OwnedSlab slab);

// As slab_check, for both kinds.
size_t slab_check_any(SlabNumber s);

#endif
