#include "slab/slab.h"

#include "base/text.h"
#include "config/options.h"
#include "observe/chaos.h"
#include "observe/fatal.h"
#include "observe/ring.h"
#include "slab/mailbox.h"
#include "slab/run.h"
#include "superslab/superslab.h"
#include "thread/link.h"

static void* block_at(OwnedSlab slab, uint32_t index) {
    return (char*)slab_address(slab.number) + (size_t)index * meta_of(slab)->block_size;
}

// --- the owner's lists

typedef struct {
    SlabNumber *first, *last;  // last: NULL where nobody asks for it
} List;

static List list_of(HakTcb* me, OwnedSlab slab) {
    const TinySlabMeta* meta = meta_of(slab);
    if (meta->size_class == 0) return (List){run_list(me, slab), NULL};
    TinyTLSSlab* tls = &me->tiny[meta->size_class];
    return meta->where == PLACE_FULL ? (List){&tls->full, &tls->full_last} : (List){&tls->partial, &tls->partial_last};
}

static void list_push(List list, SlabNumber s) {
    TinySlabMeta* meta = &hak_heap.meta[s];
    meta->prev = 0;
    meta->next = *list.first;
    if (*list.first)
        hak_heap.meta[*list.first].prev = s;
    else if (list.last)
        *list.last = s;
    *list.first = s;
}

static void list_remove(List list, SlabNumber s) {
    const TinySlabMeta* meta = &hak_heap.meta[s];
    if (meta->prev)
        hak_heap.meta[meta->prev].next = meta->next;
    else
        *list.first = meta->next;
    if (meta->next)
        hak_heap.meta[meta->next].prev = meta->prev;
    else if (list.last)
        *list.last = meta->prev;
}

static bool has_list(const TinySlabMeta* meta) {
    return meta->where == PLACE_PARTIAL || meta->where == PLACE_FULL;
}

// change: 1 or -1.
static void count_place(HakTcb* me, const TinySlabMeta* meta, int change) {
    if (meta->where == PLACE_NONE) return;
    if (meta->size_class == 0) {
        me->run_superslabs += (uint32_t)change;
    } else if (meta->where == PLACE_FULL) {
        TinyTLSSlab* tls = &me->tiny[meta->size_class];
        tls->full_count = (uint8_t)(tls->full_count + change);
    } else if (meta->where == PLACE_PARTIAL) {
        TinyTLSSlab* tls = &me->tiny[meta->size_class];
        me->partial_slabs += (uint32_t)change;
        tls->partial_count += (uint32_t)change;
        tls->partial_free += (uint32_t)change * meta_free(meta);
    }
}

void slab_place(HakTcb* me, OwnedSlab slab, SlabPlace place) {
    TinySlabMeta* meta = meta_of(slab);
    count_place(me, meta, -1);
    if (has_list(meta)) list_remove(list_of(me, slab), slab.number);
    meta->where = (uint8_t)place;
    if (has_list(meta)) list_push(list_of(me, slab), slab.number);
    count_place(me, meta, 1);
}

void slab_dispose(HakTcb* me, OwnedSlab slab) {
    bool runs = meta_of(slab)->size_class == 0;
    slab_place(me, slab, PLACE_NONE);
    slab_release(slab);
    if (runs)
        superslab_give_runs(slab.number);
    else
        superslab_give_slab(slab.number);
}

void slab_give_up_full(HakTcb* me, OwnedSlab slab) {
    slab_place(me, slab, PLACE_NONE);
    if (slab_has_blocks(slab)) {
        slab_place(me, slab, PLACE_PARTIAL);
    } else if (!slab_publish(me, slab)) {
        slab_dispose(me, slab);
    }
}

// What others free into a large block's slab comes back to its owner, whose cache has it if the others only passed it on: up to four slabs of
// a class are kept for that, and the one kept longest is given up for one more. Small blocks are worth no way from one thread to another.
void slab_set_aside(HakTcb* me, OwnedSlab slab) {
    unsigned size_class = meta_of(slab)->size_class;
    if (meta_of(slab)->block_size < KEPT_FULL_BYTES || slab_has_blocks(slab)) {
        slab_give_up_full(me, slab);
        return;
    }
    slab_place(me, slab, PLACE_FULL);
    const TinyTLSSlab* tls = &me->tiny[size_class];
    if (tls->full_count <= KEPT_FULL) return;
    ClaimResult result;
    slab_give_up_full(me, slab_claim(me, tls->full_last, tag_of_class(size_class), &result));
}

// --- blocks

static TakenBlocks take_freelist(OwnedSlab slab, uint32_t most) {
    TinySlabMeta* meta = meta_of(slab);
    void* first = meta->freelist;
    uint32_t count = meta_free(meta);
    if (count <= most) {
        meta->freelist = NULL;
    } else {
        void *last = first, *next;
        for (count = 1; count < most && (next = link_read(last)) != NULL; count++) last = next;
        chaos_point();
        meta->freelist = link_read(last);
        link_write(last, NULL);
    }
    meta_count(meta, (int32_t)count, -(int32_t)count);
    return (TakenBlocks){first, count, false};
}

// Cuts the next blocks, a page's worth: a page that is not needed yet is not touched. Chained in order of address.
static TakenBlocks carve(OwnedSlab slab, uint32_t most) {
    TinySlabMeta* meta = meta_of(slab);
    uint32_t left = (uint32_t)meta->capacity - load_relaxed(&meta->carved);
    uint32_t count = (uint32_t)PAGE_SIZE_BYTES / meta->block_size;
    if (count == 0) count = 1;
    if (count > most) count = most;
    if (count > left) count = left;
    if (count == 0) return (TakenBlocks){NULL, 0, false};
    char *first = block_at(slab, load_relaxed(&meta->carved)), *block = first;
    for (uint32_t i = 1; i < count; i++, block += meta->block_size) link_write(block, block + meta->block_size);
    link_write(block, NULL);
    store_relaxed(&meta->carved, (uint16_t)(load_relaxed(&meta->carved) + count));
    meta_count(meta, (int32_t)count, 0);
    return (TakenBlocks){first, count, meta->clean};
}

TakenBlocks slab_take(HakTcb* me, OwnedSlab slab, uint32_t most) {
    if (meta_of(slab)->freelist) return take_freelist(slab, most);
    if (remote_has_blocks(slab)) {
        // They count as used until they are on the free list, and again once handed out: as long as all are taken, nothing changes
        // and nothing is walked. More than asked for is fine, unless the user fixed the number or one is wanted.
        RemoteBlocks remote = remote_drain(me, slab);
        if (remote.count <= most || (most > 1 && hak_option(fast_cap) < 0))
            return (TakenBlocks){remote.first, remote.count, false};
        TinySlabMeta* meta = meta_of(slab);
        if (HAK_UNLIKELY(meta_used(meta) < remote.count))
            fatal("double_free", "remote", "block %p was freed twice: its slab %u has fewer blocks in use",
                  remote.first, slab.number);
        meta->freelist = remote.first;
        meta_count(meta, -(int32_t)remote.count, (int32_t)remote.count);
        return take_freelist(slab, most);
    }
    return carve(slab, most);
}

static void* chain_end(void* first) {
    for (void* next; (next = link_read(first)) != NULL;) first = next;
    return first;
}

void slab_absorb(HakTcb* me, OwnedSlab slab) {
    RemoteBlocks remote = remote_drain(me, slab);
    if (remote.count == 0) return;
    const TinySlabMeta* meta = meta_of(slab);
    if (meta->size_class)
        slab_push_chain(me, slab, meta->size_class, remote.first, chain_end(remote.first), remote.count);
    else
        run_free_chain(me, slab, remote.first, remote.count);
    if (meta->where == PLACE_FULL) slab_place(me, slab, PLACE_PARTIAL);
}

// One spare slab a class is kept, so that a class that comes and goes does not take and give the same slab again and again.
static bool wanted_empty(HakTcb* me, const TinySlabMeta* meta) {
    return meta->where == PLACE_BOUND || me->tiny[meta->size_class].partial_count == 0;
}

// Given up for others, who find it in the registry or the mailbox.
static void evict(HakTcb* me, SlabNumber s, unsigned size_class) {
    ClaimResult result;
    OwnedSlab slab = slab_claim(me, s, tag_for(size_class), &result);
    if (size_class == 0) run_cache_drop(me, slab);
    slab_place(me, slab, PLACE_NONE);
    if (!slab_publish(me, slab)) {
        slab_dispose(me, slab);
        return;
    }
    tcb_count(me, HAK_C_evict);
    if (size_class == 0) return;
    mailbox_announce(size_class, s);
    ring_record(HAK_EVENT_announce, NULL, s, size_class);
}

static SlabNumber fullest_runs(const HakTcb* me, SlabNumber but) {
    for (int b = 0; b < RUN_BUCKETS; b++)
        for (SlabNumber s = me->runs[b]; s; s = hak_heap.meta[s].next)
            if (s != but) return s;
    return 0;
}

// A thread that frees what others allocated must not come to own all of it. What it keeps from others is the free blocks: many slabs
// with few of them are no harm, up to a number that may become empty while the thread sleeps. One of a class it does not allocate.
static bool has_too_many(const HakTcb* me, const TinyTLSSlab* tls, uint32_t capacity) {
    enum { FEW_BLOCKS = 8, SLABS_MOST = 256 };
    uint32_t quarter = capacity / 4;
    if (tls->partial_count <= 1) return false;
    if (tls->bound == 0) return true;
    return tls->partial_free > (quarter < FEW_BLOCKS ? FEW_BLOCKS : quarter) || me->partial_slabs > SLABS_MOST;
}

// A slab that the thread freed into joins its list: one without owner, or an own one that was full. For one too many, the one that joined
// longest ago goes.
static void join(HakTcb* me, OwnedSlab slab) {
    enum { RUNS_MOST = 4 };
    unsigned size_class = meta_of(slab)->size_class;
    slab_place(me, slab, PLACE_PARTIAL);
    if (size_class == 0) {
        if (me->run_superslabs > RUNS_MOST) evict(me, fullest_runs(me, slab.number), 0);
        return;
    }
    const TinyTLSSlab* tls = &me->tiny[size_class];
    if (has_too_many(me, tls, meta_of(slab)->capacity)) evict(me, tls->partial_last, size_class);
}

static void free_runs(HakTcb* me, OwnedSlab slab, void* first, uint32_t count) {
    run_free_chain(me, slab, first, count);
    if (meta_of(slab)->where == PLACE_NONE) {
        if (run_is_idle(slab))
            slab_place(me, slab, PLACE_PARTIAL);
        else
            join(me, slab);
    }
    run_settle(me, slab);
}

static void free_blocks(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    TinySlabMeta* meta = meta_of(slab);
    slab_push_chain(me, slab, meta->size_class, first, last, count);
    slab_hint_hot(&me->tiny[meta->size_class], slab.number);
    if (meta_used(meta) != 0) {
        if (!slab_gives(meta)) join(me, slab);
        return;
    }
    if (meta->where != PLACE_BOUND) slab_place(me, slab, PLACE_NONE);
    if (!wanted_empty(me, meta))
        slab_dispose(me, slab);
    else if (meta->where == PLACE_NONE)
        slab_place(me, slab, PLACE_PARTIAL);
}

void slab_free_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    if (meta_of(slab)->size_class == 0)
        free_runs(me, slab, first, count);
    else
        free_blocks(me, slab, first, last, count);
}

size_t slab_check(SlabNumber s) {
    const TinySlabMeta* meta = &hak_heap.meta[s];
    if (meta->size_class == 0) return run_check(s);
    size_t wrong = 0, listed = 0;
    uintptr_t base = (uintptr_t)slab_address(s);
    if (meta_used(meta) + meta_free(meta) + (meta->capacity - load_relaxed(&meta->carved)) != meta->capacity) {
        text_warn("hakmem: check=counts slab %u: used %u + free %u + uncarved %u is not capacity %u\n", s,
                  meta_used(meta), meta_free(meta), meta->capacity - load_relaxed(&meta->carved), meta->capacity);
        wrong++;
    }
    for (void* block = meta->freelist; block && listed <= meta_free(meta); block = link_read(block), listed++) {
        uintptr_t at = (uintptr_t)block - base;
        if (at >= SLAB_SIZE || at % meta->block_size || at / meta->block_size >= load_relaxed(&meta->carved)) {
            text_warn("hakmem: check=freelist slab %u: %p on its free list is no block of it\n", s, block);
            return wrong + 1;
        }
    }
    if (listed != meta_free(meta)) {
        text_warn("hakmem: check=freelist slab %u: %u blocks counted on its free list, %zu found\n", s, meta_free(meta),
                  listed);
        wrong++;
    }
    return wrong;
}
