// What follows for a slab from what was done with it: it begins, joins a list of its owner, is given up for others, or goes back to its
// SuperSlab. The one file that asks whether a slab is one of blocks (slab.h) or stands for page runs (run.h); both say what became of it,
// and ownership.h has the words.
//
//   free into it ──STAYS──>                                                  ──EMPTY──> kept as a spare one, or disposed of
//                ──JOINS──> the owner's partial list ──too many──> evicted: published, announced in the mailbox
//
// Thread-safety: the owner alone, which every OwnedSlab shows. Errors: none.
#ifndef HAK_SLAB_HAND_OVER_H
#define HAK_SLAB_HAND_OVER_H

#include "slab/run_cache.h"
#include "slab/slab.h"

enum {
    KEPT_FULL = 4,           // full slabs of a class that a thread keeps,
    KEPT_FULL_BYTES = 2048,  // if its blocks have as many bytes
};

// A slab just taken from its SuperSlab, or a whole unit for page runs, becomes the caller's, empty. clean: it reads as zero.
OwnedSlab slab_create(HakTcb* me, SlabNumber s, unsigned size_class, bool clean);
OwnedRuns runs_create(HakTcb* me, SlabNumber s, bool clean);
// Gives an empty slab back to its SuperSlab.
void slab_dispose(HakTcb* me, OwnedSlab slab);

// Frees the chain first..last of `count` blocks, moves the slab to where it belongs now, and gives it back when it is empty and not
// wanted.
void slab_free_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count);
// Takes what others freed into the slab; one that was full is partial then.
void slab_absorb(HakTcb* me, OwnedSlab slab);
// After something of a SuperSlab was freed: gives it back if it is idle, or the idle one that the thread kept, if another can serve the
// thread's next run.
void runs_settle(HakTcb* me, OwnedRuns runs);

// Gives up a slab, which the caller has taken out of its lists. false: it turned out to be empty, and still is the caller's: to be disposed
// of.
bool slab_publish(HakTcb* me, OwnedSlab slab);
// Out of the caller's lists, and published or disposed of.
void slab_give_up(HakTcb* me, OwnedSlab slab);
// Gives up a slab of blocks that has none free, so that anybody who frees into it may claim it. Blocks that have arrived by
// now keep it in the owner's list; what arrives during the giving up goes with it, to the registry.
void slab_give_up_full(HakTcb* me, OwnedSlab slab);
// For a slab that was bound: the same, or it is kept as a full one, and another given up.
void slab_set_aside(HakTcb* me, OwnedSlab slab);

// As slab_check, of either kind.
size_t slab_check_any(SlabNumber s);

#endif
