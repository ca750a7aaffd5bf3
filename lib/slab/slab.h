// A slab of blocks of one size, in the hands of its owner: free list, carving, the owner's lists.
//
//   used + free + (capacity - carved) == capacity             slab_check() tests it, and walks the free list
//   bound: the slab that refills of its class take from     partial: the owner's others, which have free blocks
//   full: those without, of large blocks: free == 0, carved == capacity, full_count <= KEPT_FULL
//   Any other slab without a free block is given up: whoever frees into it, and does not put the block into a bin, owns it.
//
// Thread-safety: the owner alone, which every OwnedSlab shows. Errors: a block freed twice that the counts betray is fatal.
#ifndef HAK_SLAB_SLAB_H
#define HAK_SLAB_SLAB_H

#include "observe/chaos.h"
#include "observe/fatal.h"
#include "slab/ownership.h"
#include "slab/remote.h"
#include "slab/size_class.h"
#include "thread/link.h"

enum {
    KEPT_FULL = 4,           // full slabs of a class that a thread keeps,
    KEPT_FULL_BYTES = 2048,  // if its blocks have as many bytes
};

typedef struct {
    void* first;
    uint32_t count;
    bool zero;  // the first block reads as zero behind its link
} TakenBlocks;

// Takes about `most` (at least 1) blocks: from the free list, else all of the remote stack, else newly cut. count 0: the slab is full.
// The chain ends in NULL.
TakenBlocks slab_take(HakTcb* me, OwnedSlab slab, uint32_t most);
// Puts the chain first..last of `count` blocks on the free list; page runs: gives the pages back. Moves the slab to where it
// belongs now, and gives it back when it is empty and not wanted.
void slab_free_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count);
// Takes what others freed into the slab onto its free list; one that was full is partial then.
void slab_absorb(HakTcb* me, OwnedSlab slab);
// Moves the slab to one of the owner's lists, or out of them (PLACE_NONE). Nobody else writes `where`.
void slab_place(HakTcb* me, OwnedSlab slab, SlabPlace place);
// Gives up a slab of blocks that has none free, so that anybody who frees into it may claim it. Blocks that have arrived by
// now keep it in the owner's list; what arrives during the giving up goes with it, to the registry.
void slab_give_up_full(HakTcb* me, OwnedSlab slab);
// For a slab that was bound: the same, or it is kept as a full one, and another given up.
void slab_set_aside(HakTcb* me, OwnedSlab slab);
// Gives an empty slab back to its SuperSlab.
void slab_dispose(HakTcb* me, OwnedSlab slab);
// Number of violated invariants, each described on stderr. Of a slab that the caller owns, or that stands still: without owner, and
// under its registry's lock.
size_t slab_check(SlabNumber s);

// Bytes of a block of the slab; 0: it is no slab of blocks, and what its meta has for one is something else. Anybody's to ask: true at
// some time.
HAK_INLINE uint64_t slab_block_bytes(SlabNumber s) {
    uint64_t tag = word_tag(load_relaxed(owner_word(s)));
    return tag_is_class(tag) ? size_of_class((unsigned)(tag / TAG_PER_CLASS)) : 0;
}

// Bytes of a slab's blocks, those handed out or those ever cut. As above.
HAK_INLINE uint64_t slab_used_bytes(SlabNumber s) {
    uint64_t each = slab_block_bytes(s);
    return each ? each * meta_used(&hak_heap.meta[s]) : 0;
}

HAK_INLINE uint64_t slab_carved_bytes(SlabNumber s) {
    uint64_t each = slab_block_bytes(s);
    return each ? each * load_relaxed(&hak_heap.meta[s].carved) : 0;
}

HAK_INLINE bool slab_has_blocks(OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    return meta_free(meta) != 0 || load_relaxed(&meta->carved) < meta->capacity || remote_has_blocks(slab);
}

// The chain first..last of `count` blocks of a class, all of which are in use, goes onto the free list.
HAK_INLINE void slab_list_chain(HakTcb* me, TinySlabMeta* meta, unsigned size_class, void* first, void* last,
                                uint32_t count) {
    link_write(last, meta->freelist);
    meta->freelist = first;
    if (meta->where == PLACE_PARTIAL) me->tiny[size_class].partial_free += count;
    meta_count(meta, -(int32_t)count, (int32_t)count);
}

// The same, if they are in use; where the slab belongs now is the caller's to see to.
HAK_INLINE void slab_push_chain(HakTcb* me, OwnedSlab slab, unsigned size_class, void* first, void* last,
                                uint32_t count) {
    TinySlabMeta* meta = meta_of(slab);
    chaos_point();
    if (HAK_UNLIKELY(meta_used(meta) < count))
        fatal("double_free", "freelist", "block %p was freed twice: its slab %u has no block in use", first,
              slab.number);
    slab_list_chain(me, meta, size_class, first, last, count);
}

// The slab most recently got a block back.
HAK_INLINE void slab_hint_hot(TinyTLSSlab* tls, SlabNumber s) {
    if (tls->hot == s || tls->bound == s) return;
    tls->bench = tls->hot;
    tls->hot = s;
}

// Refills look for blocks there.
HAK_INLINE bool slab_gives(const TinySlabMeta* meta) {
    return meta->where == PLACE_BOUND || meta->where == PLACE_PARTIAL;
}

// slab_free_chain of one block, if the slab stays where it is. false: nothing was done.
HAK_INLINE bool slab_free_in_place(HakTcb* me, OwnedSlab slab, unsigned size_class, void* block) {
    TinySlabMeta* meta = meta_of(slab);
    if (HAK_UNLIKELY(!slab_gives(meta) || meta_used(meta) <= 1)) return false;
    chaos_point();
    slab_list_chain(me, meta, size_class, block, block, 1);
    slab_hint_hot(&me->tiny[size_class], slab.number);
    return true;
}

#endif
