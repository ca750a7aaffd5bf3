#include "refill/unsafe_drain.h"

#include "observe/chaos.h"
#include "observe/ring.h"
#include "slab/hand_over.h"
#include "thread/link.h"

static const char* const site_of[] = {
#define CHANGE(number, site, file, missing, words) [number] = #site,
#include "config/changes.def"
#undef CHANGE
};

// Only for a slab that the caller does not own and is about to use all the same.
static OwnedSlab slab_assume_owned(SlabNumber s) {
    return (OwnedSlab){s};
}

static const HakTcb* other_owner(const HakTcb* me, SlabNumber s, uint64_t* tag) {
    uint64_t word = load_relaxed(owner_word(s));
    *tag = word_tag(word);
    const HakTcb* owner = (const HakTcb*)(uintptr_t)word_owner(word);
    return owner != me ? owner : NULL;
}

// For the report. It comes before the drain, which may crash.
static void tell(HakTcb* me, Change missing, SlabNumber s, const HakTcb* owner, uint64_t word) {
    ring_record(HAK_EVENT_foreign_drain, remote_first(word), s, remote_count(word) | (uint64_t)missing << 32);
    HakRingFile* file = hak_ring_file();
    if (file == NULL) return;
    add_relaxed(&file->foreign_drains[missing], 1u);
    HakForeignDrain* drain = &hak_ring_foreign_drains(file)[s % HAK_RING_FOREIGN_DRAINS];
    drain->first = (uint64_t)(uintptr_t)remote_first(word);
    drain->slab = s;
    drain->change = missing;
    drain->thread = me->number;
    drain->os_tid = hak_ring_slot ? load_relaxed(&hak_ring_slot->os_tid) : 0;
    drain->owner = owner->number;
    drain->owner_os_tid = 0;
    drain->blocks = remote_count(word);
    drain->size_class = peek_any(s)->size_class;
    drain->tsc = hak_ring_clock();
}

// Pushes a block as the slab's owner would, in the steps of the original code. The owner may be at any of its own
// steps.
static void push(HakTcb* owner, TinySlabMeta* meta, void* block) {
    chaos_point();
    void* head = meta->freelist;
    chaos_point();
    link_write(block, head);
    chaos_point();
    meta->freelist = block;
    if (meta->where == PLACE_PARTIAL) owner->tiny[meta->size_class].partial_free++;
    meta_count(meta, -1, 1);
}

static bool unsafe_drain(HakTcb* me, Change missing, SlabNumber s, const HakTcb* owner) {
    uint64_t word = load_acquire(remote_word(s));  // pairs with the release in remote_push
    if (remote_count(word) == 0) return false;
    slab_assert_owner(me, s, site_of[missing]);
    tell(me, missing, s, owner, word);
    // Not an exchange: that could take the word of a slab which its owner has just given up.
    if (!cas_acquire(remote_word(s), &word, REMOTE_EMPTY)) return false;
    OwnedSlab slab = slab_assume_owned(s);
    for (void *block = remote_first(word), *next; block; block = next) {
        next = link_read(block);
        push((HakTcb*)(uintptr_t)owner, meta_of(slab), block);
    }
    return true;
}

// The slab of the class bound last by this thread, or by an earlier one with the same TCB.
static SlabNumber bound_last(const HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    return tls->bound ? tls->bound : tls->sticky[(tls->sticky_next - 1u) % STICKY_SLABS];
}

void unsafe_drain_superslab(HakTcb* me, Change missing, unsigned size_class) {
    SlabNumber s = bound_last(me, size_class);
    if (s == 0) return;
    SlabNumber first = first_slab(unit_of_slab(s));
    for (SlabNumber other = first; other < first + SLABS_PER_UNIT; other++) {
        uint64_t tag;
        const HakTcb* owner = other_owner(me, other, &tag);
        if (owner && tag_is_class(tag)) unsafe_drain(me, missing, other, owner);
    }
}

// Binds as the original code did: the thread's own notes change, the lists of the slab's owner do not.
static void bind_without_claim(HakTcb* me, unsigned size_class, SlabNumber s) {
    TinyTLSSlab* tls = &me->tiny[size_class];
    OwnedSlab former = bound_slab(me, size_class);
    set_bound_slab(me, size_class, s);
    tls->sticky[tls->sticky_next++ % STICKY_SLABS] = s;
    if (former.number) slab_set_aside(me, former);
}

OwnedSlab unsafe_drain_and_bind(HakTcb* me, Change missing, unsigned size_class, SlabNumber s) {
    uint64_t tag;
    const HakTcb* owner = s ? other_owner(me, s, &tag) : NULL;
    if (owner == NULL || tag != tag_of_class(size_class) || peek_any(s)->freelist != NULL) return (OwnedSlab){0};
    chaos_point();
    if (!unsafe_drain(me, missing, s, owner)) return (OwnedSlab){0};
    bind_without_claim(me, size_class, s);
    ClaimResult ignored;
    (void)slab_claim(me, s, tag_of_class(size_class), &ignored);
    return slab_assume_owned(s);
}

OwnedSlab unsafe_drain_and_bind_any(HakTcb* me, Change missing, unsigned size_class) {
    enum { SUPERSLABS = 2 };
    SlabNumber s = bound_last(me, size_class), end = (SlabNumber)load_relaxed(&hak_heap.slabs);
    SlabNumber first = s ? first_slab(unit_of_slab(s)) : SLABS_PER_UNIT;
    for (SlabNumber near = first; near < first + SUPERSLABS * SLABS_PER_UNIT && near < end; near++) {
        OwnedSlab slab = unsafe_drain_and_bind(me, missing, size_class, near);
        if (slab.number) return slab;
    }
    return (OwnedSlab){0};
}
