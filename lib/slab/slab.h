// A slab of blocks of one size, for its owner: free list and carving.
//
//   used + free + (capacity - carved) == capacity             slab_check() tests it, and walks the free list
//   bound: the slab that refills of its class take from     partial: the owner's others, which have blocks to give
//   full: those without, of large blocks: free == 0, carved == capacity; others may have freed into them since
//   Any other slab without a block to give is given up: who frees into it, and does not put the block into a bin, owns
//   it.
//
// Thread-safety: the owner alone, as every OwnedSlab proves.
// Errors: a double free that shows in the counts is fatal.
#ifndef HAK_SLAB_SLAB_H
#define HAK_SLAB_SLAB_H

#include "observe/chaos.h"
#include "slab/places.h"
#include "slab/remote.h"
#include "superslab/size_class.h"
#include "thread/link.h"

typedef struct {
    void* first;
    uint32_t count;
    bool zero;  // the first block reads as zero behind its link
} TakenBlocks;

// Sets up the meta of a new slab.
void slab_init(SlabNumber s, unsigned size_class, bool clean);
// Takes about `most` (at least 1) blocks: from the free list; else the whole remote stack; else newly cut ones. count
// 0: the slab is full. The chain ends in NULL.
TakenBlocks slab_take(HakTcb* me, OwnedSlab slab, uint32_t most);
// Puts blocks that remote_drain returned onto the free list.
void slab_merge(HakTcb* me, OwnedSlab slab, RemoteBlocks blocks);
// Whether the block is on the free list.
bool slab_lists(OwnedSlab slab, const void* block);
// Number of violated invariants, each described on stderr. The slab must be the caller's, or stand still: it has no
// owner, and its registry is locked.
size_t slab_check(SlabNumber s);

// Block size of the slab in bytes; 0: it is not a slab of blocks, and its meta must not be read as one. Anybody may
// ask; the answer was true at some time.
HAK_INLINE uint64_t slab_block_bytes(SlabNumber s) {
    uint64_t tag = word_tag(load_relaxed(owner_word(s)));
    return tag_is_class(tag) ? size_of_class((unsigned)(tag / TAG_PER_CLASS)) : 0;
}

// Bytes of a slab's blocks: those handed out, or those ever cut. Anybody may ask, as above.
HAK_INLINE uint64_t slab_used_bytes(SlabNumber s) {
    uint64_t each = slab_block_bytes(s);
    return each ? each * meta_used(peek_any(s)) : 0;
}

HAK_INLINE uint64_t slab_carved_bytes(SlabNumber s) {
    uint64_t each = slab_block_bytes(s);
    return each ? each * load_relaxed(&peek_any(s)->carved) : 0;
}

// Whether the address lies in the part of the slab that was cut. Anybody may ask, as above.
HAK_INLINE bool slab_has_cut(SlabNumber s, const void* p) {
    return (uint64_t)((const char*)p - (const char*)slab_address(s)) < slab_carved_bytes(s);
}

// The slab that refills of the class take from; number 0: none. Also 0 if it is not the caller's, which a missing
// change can cause.
HAK_INLINE OwnedSlab bound_slab(const HakTcb* me, unsigned size_class) {
    return slab_if_mine(me, me->tiny[size_class].bound, tag_of_class(size_class));
}

// s: 0 for none. Where the former one belongs is the caller's to see to. Nobody else writes `bound`.
HAK_INLINE void set_bound_slab(HakTcb* me, unsigned size_class, SlabNumber s) {
    me->tiny[size_class].bound = s;
}

HAK_INLINE bool slab_has_blocks(OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    return meta_free(meta) != 0 || load_relaxed(&meta->carved) < meta->capacity || remote_has_blocks(slab);
}

// Puts the chain first..last of `count` blocks of a class, all of them in use, onto the free list.
HAK_INLINE void slab_list_chain(HakTcb* me, TinySlabMeta* meta, unsigned size_class, void* first, void* last,
                                uint32_t count) {
    link_write(last, meta->freelist);
    meta->freelist = first;
    if (meta->where == PLACE_PARTIAL) me->tiny[size_class].partial_free += count;
    meta_count(meta, -(int32_t)count, (int32_t)count);
}

// Notes that the slab most recently got a block back.
HAK_INLINE void slab_hint_hot(TinyTLSSlab* tls, SlabNumber s) {
    if (tls->hot == s || tls->bound == s) return;
    tls->bench = tls->hot;
    tls->hot = s;
}

// What became of a slab into which blocks were freed. hand_over.h acts on it.
typedef enum { SLAB_STAYS, SLAB_JOINS, SLAB_EMPTY } SlabFate;

// Puts the chain first..last of `count` blocks onto the free list. JOINS: the slab has free blocks, but is in no list
// of such slabs.
SlabFate slab_free_blocks(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count);

// The same for one block, if the slab stays where it is. false: nothing was done.
HAK_INLINE bool slab_free_in_place(HakTcb* me, OwnedSlab slab, unsigned size_class, void* block) {
    TinySlabMeta* meta = meta_of(slab);
    if (HAK_UNLIKELY(!slab_gives(meta) || meta_used(meta) <= 1)) return false;
    chaos_point();
    slab_list_chain(me, meta, size_class, block, block, 1);
    slab_hint_hot(&me->tiny[size_class], slab.number);
    return true;
}

#endif
