#include "slab/slab.h"

#include "base/text.h"
#include "config/options.h"
#include "observe/steps.h"
#include "thread/operation.h"

void slab_init(SlabNumber s, unsigned size_class, bool clean) {
    TinySlabMeta* meta = meta_of_new(s);
    meta->freelist = NULL;
    store_relaxed(&meta->blocks, 0u);
    store_relaxed(&meta->carved, (uint16_t)0);
    meta->capacity = class_capacity(size_class);
    meta->block_size = size_of_class(size_class);
    meta->next = meta->prev = 0;
    meta->size_class = (uint16_t)size_class;
    meta->where = PLACE_NONE;
    meta->in_registry = 0;
    meta->clean = clean;
}

static void* block_at(OwnedSlab slab, uint32_t index) {
    return (char*)slab_address(slab.number) + (size_t)index * meta_of(slab)->block_size;
}

// --- taking

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

// Cuts the next blocks, one page's worth, so that no page is touched before it is needed. The chain is in address
// order.
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

// Puts blocks onto the free list, which must be empty.
static void list_remote(OwnedSlab slab, RemoteBlocks remote) {
    TinySlabMeta* meta = meta_of(slab);
    if (HAK_UNLIKELY(meta_used(meta) < remote.count))
        fatal("double_free", "remote", "block %p was freed twice: its slab %u has fewer blocks in use", remote.first,
              slab.number);
    meta->freelist = remote.first;
    meta_count(meta, -(int32_t)remote.count, (int32_t)remote.count);
}

TakenBlocks slab_take(HakTcb* me, OwnedSlab slab, uint32_t most) {
    operation_must_be_open(me, "slab_take");
    STEP(TK);
    if (meta_of(slab)->freelist) return take_freelist(slab, most);
    if (remote_has_blocks(slab)) {
        STEP(DT);
        // Drained blocks count as used until they are on the free list, and again once handed out. If all are handed
        // out, no count changes and no list is walked. More than asked for is fine, unless the user fixed the number or
        // only one is wanted.
        RemoteBlocks remote = remote_drain(me, slab);
        if (remote.count <= most || (most > 1 && hak_option(fast_cap) < 0))
            return (TakenBlocks){remote.first, remote.count, false};
        list_remote(slab, remote);
        return take_freelist(slab, most);
    }
    return carve(slab, most);
}

// --- freeing

static void push_chain(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    TinySlabMeta* meta = meta_of(slab);
    if (HAK_UNLIKELY(meta_used(meta) < count))
        fatal("double_free", "freelist", "block %p was freed twice: its slab %u has no block in use", first,
              slab.number);
    slab_list_chain(me, meta, meta->size_class, first, last, count);
}

static void* chain_end(void* first) {
    for (void* next; (next = link_read(first)) != NULL;) first = next;
    return first;
}

void slab_merge(HakTcb* me, OwnedSlab slab, RemoteBlocks blocks) {
    STEP(MG);
    push_chain(me, slab, blocks.first, chain_end(blocks.first), blocks.count);
}

SlabFate slab_free_blocks(HakTcb* me, OwnedSlab slab, void* first, void* last, uint32_t count) {
    operation_must_be_open(me, "slab_free_blocks");
    const TinySlabMeta* meta = meta_of(slab);
    push_chain(me, slab, first, last, count);
    slab_hint_hot(&me->tiny[meta->size_class], slab.number);
    if (meta_used(meta) == 0) return SLAB_EMPTY;
    return slab_gives(meta) ? SLAB_STAYS : SLAB_JOINS;
}

bool slab_lists(OwnedSlab slab, const void* block) {
    const TinySlabMeta* meta = meta_of(slab);
    return link_list_has(meta->freelist, meta_free(meta), block);
}

size_t slab_check(SlabNumber s) {
    const TinySlabMeta* meta = peek_any(s);
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
            text_warn("hakmem: check=freelist slab %u: %p on its free list is not a block of it\n", s, block);
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
